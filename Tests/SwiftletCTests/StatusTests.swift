import CSwiftlet
import SwiftletC
import Testing

@Suite struct StatusTests {
  @Test func `every status has its own name and a sentence`() {
    var names: Set<String> = []
    for status in 0...13 {
      names.insert(String(cString: swiftlet_status_name(Int32(status))))
      #expect(!String(cString: swiftlet_status_text(Int32(status))).isEmpty)
    }
    #expect(names.count == 14 && !names.contains("unknown status"))
    #expect(String(cString: swiftlet_status_name(99)) == "unknown status")
  }
}
