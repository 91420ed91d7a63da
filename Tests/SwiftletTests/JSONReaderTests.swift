import Swiftlet
import Testing

@Suite struct JSONReaderTests {
  @Test func `a document of every kind reads back`() throws {
    let text = #"{"a":[1,-2.5e3,true,null],"b":"x\n\"\u00e9\ud83d\ude97","c":{}}"#
    let value = try JSONReader.parse(Array(text.utf8))
    #expect(value["a"]?.arrayValue == [.integer(1), .number(-2500), .bool(true), .null])
    #expect(value["b"]?.stringValue == "x\n\"é🚗")
    #expect(try JSONReader.parse(Array(value.text.utf8)) == value)
  }

  @Test(arguments: [
    ("", 0), ("{", 1), ("[1 2]", 3), ("{\"a\":1,\"a\":2}", 7), ("\"\u{1}\"", 1), ("[1]x", 3),
    ("nul", 3), ("\"\\q\"", 2), ("\"abc", 0), ("-", 0), ("[1,]", 3), ("\"\\ud800x\"", 7),
  ])
  func `broken text names the byte where it breaks`(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSONReader.parse(Array(text.utf8)) }
    #expect(error?.byteOffset == offset)
  }

  @Test func `deep nesting is an error, not a stack overflow`() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.self) { try JSONReader.parse(Array(text.utf8)) }
  }

  @Test func `comments are read only where they are allowed`() throws {
    let bytes = Array("// one\n{\"a\": 1 // two\n}".utf8)
    #expect(try JSONReader.parse(bytes, allowsComments: true)["a"] == .integer(1))
    #expect(throws: JSONError.self) { try JSONReader.parse(bytes) }
  }

  @Test func `records of a table are read one by one`() throws {
    let bytes = Array(" [ {\"t\":1} , {\"t\":2} ] ".utf8)
    try bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw)
      try reader.beginArray()
      var seen: [Int] = []
      while let record = try reader.nextArrayElement() {
        seen.append(record["t"]?.intValue ?? -1)
      }
      try reader.expectEnd()
      #expect(seen == [1, 2])
    }
  }
}
