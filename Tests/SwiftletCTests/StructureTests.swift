import CSwiftlet
import SwiftletC
import Testing

@Suite struct StructureTests {
  private func status(_ options: swiftlet_options) -> (Int32, String) {
    var options = options
    var error = swiftlet_error()
    var pipeline: OpaquePointer?
    let status = swiftlet_pipeline_create(&options, &pipeline, &error)
    swiftlet_pipeline_destroy(pipeline)
    let message = withUnsafeBytes(of: error.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return (status, message)
  }
  private func options() -> swiftlet_options {
    var options = swiftlet_options()
    swiftlet_options_init(&options)
    return options
  }

  @Test func `an unknown structure size is refused with both numbers`() {
    for size: UInt32 in [0, 1, 95, 5000] {
      var given = options()
      given.struct_size = size
      let (status, message) = status(given)
      #expect(status == Int32(SWIFTLET_ERROR_STRUCT_SIZE))
      #expect(message.contains("\(MemoryLayout<swiftlet_options>.size)") && message.contains("\(size)"))
    }
  }

  @Test func `a larger structure works while its unknown part is zero`() {
    let size = MemoryLayout<swiftlet_options>.size
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 16, alignment: 8)
    defer { memory.deallocate() }
    for (last, expected) in [(UInt8(0), SWIFTLET_OK), (1, SWIFTLET_ERROR_STRUCT_SIZE)] {
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: size + 16)
      var given = options()
      given.struct_size = UInt32(size + 16)
      memory.copyMemory(from: &given, byteCount: size)
      memory.storeBytes(of: last, toByteOffset: size + 15, as: UInt8.self)
      var pipeline: OpaquePointer?
      let status = swiftlet_pipeline_create(
        memory.assumingMemoryBound(to: swiftlet_options.self), &pipeline, nil)
      #expect(status == Int32(expected))
      swiftlet_pipeline_destroy(pipeline)
    }
  }

  @Test func `settings beyond what memory allows are refused before any is asked for`() {
    var given = options()
    given.maximum_bytes = 1 << 20
    let (status, message) = status(given)
    #expect(status == Int32(SWIFTLET_ERROR_TOO_LARGE) && message.contains("1048576"))
  }

  @Test func `no thread count, priority or CPU of nowhere gets through`() {
    for change: (inout swiftlet_options) -> Void in [
      { $0.thread_count = 0 }, { $0.thread_count = 257 }, { $0.realtime_priority = 100 },
      { $0.flags = 1 << 9 }, { $0.maximum_points = 300_001 }, { $0.maximum_points = -1 },
    ] {
      var given = options()
      change(&given)
      #expect(status(given).0 == Int32(SWIFTLET_ERROR_CONFIGURATION))
    }
  }
}
