import Swiftlet
import SwiftletTestSupport
import Testing

private let engines = [Engine.reference] + InstructionSet.supported.map(Engine.simd)

@Suite struct NotFiniteCountTests {
  @Test func `NaN and infinities are counted at every tail and nowhere else`() {
    for count in [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100] {
      var values = [Float](repeating: 1, count: count)
      // The largest finite values, zeros and subnormals are finite.
      for index in values.indices {
        values[index] = [.greatestFiniteMagnitude, -0.0, .leastNonzeroMagnitude, -3][index % 4]
      }
      for bad in stride(from: 0, to: count, by: 5) {
        values[bad] = [Float.nan, .infinity, -.infinity][bad % 3]
      }
      let buffer = AlignedBuffer(values)
      let view = unsafe TensorView(
        base: buffer.pointer, elementType: .float32, shape: (1, 1, count))
      for engine in engines {
        #expect(view.notFiniteCount(engine: engine) == (count + 4) / 5, "\(engine), \(count)")
      }
      withExtendedLifetime(buffer) {}
    }
  }

  @Test func `half, bfloat16 and strided tensors are counted element by element`() {
    // [2][3][4] inside rows of 5: the gap holds NaN that belongs to nobody.
    var floats = [Float](repeating: 0.5, count: 2 * 3 * 5)
    for row in 0..<6 { floats[row * 5 + 4] = .nan }
    floats[7] = .infinity
    let buffer = AlignedBuffer(floats)
    let gapped = unsafe TensorView(
      base: buffer.pointer, elementType: .float32, shape: (2, 3, 4), strides: (15, 5, 1))
    let turned = unsafe TensorView(
      base: buffer.pointer, elementType: .float32, shape: (4, 2, 3), strides: (1, 15, 5))
    let halves = AlignedBuffer<UInt16>([0x3c00, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x0001])
    let bfloats = AlignedBuffer<UInt16>([0x3f80, 0x7f7f, 0x7f80, 0xff80, 0x7fc0, 0x0001])
    for engine in engines {
      #expect(gapped.notFiniteCount(engine: engine) == 1)
      #expect(turned.notFiniteCount(engine: engine) == 1)
      for (buffer, type) in [(halves, ElementType.float16), (bfloats, .bfloat16)] {
        let view = unsafe TensorView(base: buffer.pointer, elementType: type, shape: (1, 2, 3))
        #expect(view.notFiniteCount(engine: engine) == 3, "\(type)")
      }
    }
    withExtendedLifetime((buffer, halves, bfloats)) {}
  }
}
