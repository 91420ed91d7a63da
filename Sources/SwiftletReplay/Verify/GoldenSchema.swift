import Swiftlet

/// What a golden operation reads, as a table: its tensors with element types and shapes, its
/// attributes, and its limits. A runner may index what its schema has checked.
///
/// Lines, in order:
/// - `in.x float32 M 3*K`: a tensor; a shape is made of numbers, products and symbols. A symbol's
///   first use binds it. `in.x?` may be absent; `...` allows any shape.
/// - `attribute heads M`: a positive integer attribute, bound to M.
/// - `sizes ZYX Z Y X`: an attribute of positive integers.
/// - `positive M K`: these symbols are not 0.
/// - `most 16 N`: more is unsupported. `product 1000 P X Y` binds P = X·Y; more is unsupported.
/// - `levels in.spatial_shapes in.level_start S`: levels [height, width] that lie in S tokens.
struct GoldenSchema: Sendable {
  private let lines: [[String]]

  init(_ text: String) {
    lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }

  /// - Throws: `GoldenError.damaged` naming the first tensor or attribute that does not fit, or
  ///   `.unsupported` for a size beyond what the operation can do.
  func check(_ test: GoldenCase) throws(GoldenError) {
    var check = GoldenSchemaCheck(test: test)
    for words in lines { try check.line(words) }
  }
}

/// One pass over a schema: the symbols bound so far.
private struct GoldenSchemaCheck {
  let test: GoldenCase
  var symbols: [String: Int] = [:]

  mutating func line(_ words: [String]) throws(GoldenError) {
    switch words[0] {
    case "attribute": symbols[words[2]] = try positive(test.attributes[words[1]], words[1])
    case "sizes": try sizes(words[1], Array(words.dropFirst(2)))
    case "positive": for symbol in words.dropFirst() { try above(0, symbol) }
    case "most": for symbol in words.dropFirst(2) { try below(Int(words[1])!, symbol) }
    case "product": try product(Int(words[1])!, words[2], Array(words.dropFirst(3)))
    case "levels": try levels(words[1], words[2], value(words[3]))
    default: try tensor(words[0], type: words[1], shape: Array(words.dropFirst(2)))
    }
  }

  private func value(_ symbol: String) -> Int {
    guard let value = symbols[symbol] else { preconditionFailure("a schema uses \(symbol) unbound") }
    return value
  }

  private func positive(_ number: JSONValue?, _ name: String) throws(GoldenError) -> Int {
    guard let size = number?.intValue, size > 0, size < 1 << 31 else {
      throw .damaged(
        tensor: "attribute \(name)", expected: "an integer of 1 or more",
        found: number?.text ?? "none")
    }
    return size
  }

  private mutating func sizes(_ name: String, _ names: [String]) throws(GoldenError) {
    guard let values = test.attributes[name]?.arrayValue, values.count == names.count else {
      throw .damaged(
        tensor: "attribute \(name)", expected: "\(names.count) integers",
        found: test.attributes[name]?.text ?? "none")
    }
    for (symbol, number) in zip(names, values) { symbols[symbol] = try positive(number, name) }
  }

  private func above(_ low: Int, _ symbol: String) throws(GoldenError) {
    guard value(symbol) > low else {
      throw .damaged(tensor: "size \(symbol)", expected: "above \(low)", found: "\(value(symbol))")
    }
  }

  private func below(_ most: Int, _ symbol: String) throws(GoldenError) {
    guard value(symbol) <= most else {
      throw .unsupported("\(symbol) = \(value(symbol)); up to \(most) are possible")
    }
  }

  private mutating func product(
    _ most: Int, _ symbol: String, _ factors: [String]
  ) throws(GoldenError) {
    var result = 1
    for factor in factors {
      let (next, overflow) = result.multipliedReportingOverflow(by: value(factor))
      guard !overflow, next <= most else {
        throw .unsupported("\(factors.joined(separator: "·")) above \(most)")
      }
      result = next
    }
    symbols[symbol] = result
  }

  private func levels(_ name: String, _ start: String, _ tokens: Int) throws(GoldenError) {
    let sizes = try test.int32s(name).map(Int.init)
    let starts = test.has(start) ? try test.int32s(start).map(Int.init) : nil
    var first = 0
    for level in 0..<sizes.count / 2 {
      let (height, width) = (sizes[2 * level], sizes[2 * level + 1])
      let begin = starts?[level] ?? first
      let fits = height > 0 && width > 0 && begin >= 0 && begin <= tokens
        && height <= (tokens - begin) / width
      guard fits else {
        throw .damaged(
          tensor: name, expected: "levels within \(tokens) tokens",
          found: "\(height) x \(width) from token \(begin)")
      }
      first = begin + height * width
    }
  }
}

extension GoldenSchemaCheck {
  private mutating func tensor(
    _ marked: String, type: String, shape: [String]
  ) throws(GoldenError) {
    let isOptional = marked.hasSuffix("?")
    let name = isOptional ? String(marked.dropLast()) : marked
    guard let tensor = test.tensors[name] else {
      if isOptional { return }
      throw .damaged(tensor: name, expected: wanted(type, shape), found: "no such tensor")
    }
    let before = symbols
    guard isOf(type, tensor), shape == ["..."] || fits(tensor.shape, shape) else {
      symbols = before
      throw .damaged(
        tensor: name, expected: wanted(type, shape),
        found: "\(tensor.elementType.name) \(tensor.shape)")
    }
    // A tensor without elements can claim any size; results of such sizes would fill the memory.
    if tensor.elementCount == 0, let large = tensor.shape.first(where: { $0 > 4096 }) {
      throw .damaged(
        tensor: name, expected: "up to 4096 along an empty tensor", found: "\(large)")
    }
  }

  private func isOf(_ type: String, _ tensor: HostTensor) -> Bool {
    // Half floats widen exactly.
    type == tensor.elementType.name
      || type == "float32" && [.float16, .bfloat16].contains(tensor.elementType)
      || type == "uint8" && tensor.elementType == .bool
  }

  private mutating func fits(_ sizes: [Int], _ shape: [String]) -> Bool {
    sizes.count == shape.count && zip(shape, sizes).allSatisfy { matches($0, $1) }
  }

  /// Whether a size is a product; binds the one symbol that has no value yet.
  private mutating func matches(_ text: String, _ size: Int) -> Bool {
    var known = 1
    var unknown: String?
    for factor in text.split(separator: "*").map(String.init) {
      if let number = Int(factor) ?? symbols[factor] {
        let (next, overflow) = known.multipliedReportingOverflow(by: number)
        if overflow { return false }
        known = next
      } else {
        precondition(unknown == nil, "a schema leaves \(text) open")
        unknown = factor
      }
    }
    guard let unknown else { return known == size }
    guard known > 0, size % known == 0 else { return false }
    symbols[unknown] = size / known
    return true
  }

  /// `float32 [M, 3*K] where M = 4`.
  private func wanted(_ type: String, _ shape: [String]) -> String {
    let used = Set(shape.flatMap { $0.split(separator: "*").map(String.init) })
    let values = used.sorted().compactMap { name in symbols[name].map { "\(name) = \($0)" } }
    return "\(type) [\(shape.joined(separator: ", "))]"
      + (values.isEmpty ? "" : " where " + values.joined(separator: ", "))
  }
}

extension SafeTensorType {
  /// The name index.json has for the type: `float32`.
  var name: String { self == .bool ? "bool" : "\(self)" }
}
