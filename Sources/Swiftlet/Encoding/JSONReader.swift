/// A JSON reader over borrowed bytes. Large tables are read record by record with
/// `nextArrayElement`, so that memory stays bounded by one record.
///
/// Own code because the compute library reads its configuration and weight headers without
/// Foundation, and because the errors must say where.
@safe
public struct JSONReader {
  private let bytes: UnsafeRawBufferPointer
  private let allowsComments: Bool
  /// The next byte to read.
  public private(set) var byteOffset = 0
  /// Deeper nesting than any real file has; the reader recurses, so the stack must be bounded.
  private static let maximumDepth = 128

  /// - Parameters:
  ///   - bytes: stays alive and unchanged while the reader is used.
  ///   - allowsComments: skip `// …` to the end of a line, as configuration files may have.
  @unsafe
  public init(_ bytes: UnsafeRawBufferPointer, allowsComments: Bool = false) {
    unsafe self.bytes = bytes
    self.allowsComments = allowsComments
  }

  /// Parses a whole document.
  public static func parse(
    _ bytes: [UInt8], allowsComments: Bool = false
  ) throws(JSONError) -> JSONValue {
    let result: Result<JSONValue, JSONError> = unsafe bytes.withUnsafeBytes { raw in
      var reader = unsafe JSONReader(raw, allowsComments: allowsComments)
      do throws(JSONError) {
        let value = try reader.readValue()
        try reader.expectEnd()
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  // MARK: records of a top-level array

  /// Reads the opening bracket of an array whose elements follow by `nextArrayElement`.
  public mutating func beginArray() throws(JSONError) {
    skipSpace()
    try expect(UInt8(ascii: "["), "an array")
    elementsRead = 0
  }
  private var elementsRead = 0

  /// The next element of the array begun last, or nil at its end.
  public mutating func nextArrayElement() throws(JSONError) -> JSONValue? {
    skipSpace()
    if peek() == UInt8(ascii: "]") {
      byteOffset += 1
      return nil
    }
    if elementsRead > 0 { try expect(UInt8(ascii: ","), "',' or ']'") }
    elementsRead += 1
    return try readValue()
  }

  /// Fails unless only white space is left.
  public mutating func expectEnd() throws(JSONError) {
    skipSpace()
    guard unsafe byteOffset == bytes.count else { throw error("the end of the text") }
  }

  /// Reads one value of any kind.
  public mutating func readValue() throws(JSONError) -> JSONValue { try readValue(depth: 0) }

  private mutating func readValue(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.maximumDepth else {
      throw error("nesting below \(Self.maximumDepth) levels")
    }
    skipSpace()
    switch peek() {
    case UInt8(ascii: "{"): return try readObject(depth: depth)
    case UInt8(ascii: "["): return try readArray(depth: depth)
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    default: return try readNumber()
    }
  }

  private mutating func readObject(depth: Int) throws(JSONError) -> JSONValue {
    byteOffset += 1
    var members: [String: JSONValue] = [:]
    skipSpace()
    if peek() == UInt8(ascii: "}") {
      byteOffset += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard peek() == UInt8(ascii: "\"") else { throw error("a key in quotes") }
      let keyOffset = byteOffset
      let key = try readString()
      skipSpace()
      try expect(UInt8(ascii: ":"), "':'")
      guard members.updateValue(try readValue(depth: depth + 1), forKey: key) == nil else {
        throw JSONError(byteOffset: keyOffset, expected: "each key once", found: "\(key) again")
      }
      skipSpace()
      if peek() == UInt8(ascii: "}") {
        byteOffset += 1
        return .object(members)
      }
      try expect(UInt8(ascii: ","), "',' or '}'")
    }
  }

  private mutating func readArray(depth: Int) throws(JSONError) -> JSONValue {
    byteOffset += 1
    var elements: [JSONValue] = []
    skipSpace()
    if peek() == UInt8(ascii: "]") {
      byteOffset += 1
      return .array(elements)
    }
    while true {
      elements.append(try readValue(depth: depth + 1))
      skipSpace()
      if peek() == UInt8(ascii: "]") {
        byteOffset += 1
        return .array(elements)
      }
      try expect(UInt8(ascii: ","), "',' or ']'")
    }
  }

  private mutating func readString() throws(JSONError) -> String {
    let start = byteOffset
    byteOffset += 1
    var text: [UInt8] = []
    while let byte = peek() {
      byteOffset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw JSONError(byteOffset: start, expected: "UTF-8", found: "other bytes")
        }
        return string
      case UInt8(ascii: "\\"): try readEscape(into: &text)
      case 0..<0x20:
        byteOffset -= 1
        throw error("no control character inside a string")
      default: text.append(byte)
      }
    }
    throw JSONError(byteOffset: start, expected: "a closing quote", found: "the end of the text")
  }

  private mutating func readEscape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = peek() else { throw error("an escape") }
    byteOffset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      var code = try readHex4()
      if (0xd800..<0xdc00).contains(code) {
        try expect(UInt8(ascii: "\\"), "the second half of a surrogate pair")
        try expect(UInt8(ascii: "u"), "the second half of a surrogate pair")
        let low = try readHex4()
        guard (0xdc00..<0xe000).contains(low) else { throw error("a low surrogate") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw error("a Unicode scalar") }
      text.append(contentsOf: Array(String(Character(scalar)).utf8))
    default:
      byteOffset -= 1
      throw error("one of \" \\ / b f n r t u")
    }
  }

  private mutating func readHex4() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("four hexadecimal digits")
      }
      byteOffset += 1
      code = code << 4 | UInt32(digit)
    }
    return code
  }

  private mutating func readWord(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    for byte in "\(word)".utf8 {
      guard peek() == byte else { throw error("\(word)") }
      byteOffset += 1
    }
    return value
  }

  private mutating func readNumber() throws(JSONError) -> JSONValue {
    let start = byteOffset
    var isInteger = true
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
      case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        isInteger = false
      default:
        return try makeNumber(start, isInteger)
      }
      byteOffset += 1
    }
    return try makeNumber(start, isInteger)
  }

  private func makeNumber(_ start: Int, _ isInteger: Bool) throws(JSONError) -> JSONValue {
    let text = unsafe String(decoding: bytes[start..<byteOffset], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard !text.isEmpty, let value = Double(text) else {
      throw JSONError(
        byteOffset: start, expected: "a value", found: text.isEmpty ? foundHere : "'\(text)'")
    }
    return .number(value)
  }

  // MARK: bytes

  private func peek() -> UInt8? {
    unsafe byteOffset < bytes.count ? bytes[byteOffset] : nil
  }

  private mutating func skipSpace() {
    while let byte = peek() {
      switch byte {
      case 0x20, 0x09, 0x0a, 0x0d: byteOffset += 1
      case UInt8(ascii: "/") where allowsComments: skipComment()
      default: return
      }
    }
  }
  private mutating func skipComment() {
    while let byte = peek(), byte != 0x0a { byteOffset += 1 }
  }

  private mutating func expect(_ byte: UInt8, _ what: String) throws(JSONError) {
    guard peek() == byte else { throw error(what) }
    byteOffset += 1
  }

  private var foundHere: String {
    guard let byte = peek() else { return "the end of the text" }
    return (0x21...0x7e).contains(byte)
      ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
  }
  private func error(_ expected: String) -> JSONError {
    JSONError(byteOffset: byteOffset, expected: expected, found: foundHere)
  }
}
