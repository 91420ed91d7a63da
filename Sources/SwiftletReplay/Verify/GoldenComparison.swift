import Swiftlet

/// What comparing one result with its expectation showed.
struct TensorComparison {
  var passed: Bool
  var maxAbs = 0.0
  var maxRel = 0.0
  /// The first difference, or why nothing could be compared.
  var detail = ""
}

extension GoldenOutput {
  /// The values as Double, exact for every type here.
  var doubles: [Double] {
    switch self {
    case .float32(let values): values.map(Double.init)
    case .float64(let values): values
    case .int32(let values): values.map(Double.init)
    case .int8(let values): values.map(Double.init)
    case .uint8(let values): values.map(Double.init)
    case .uint16(let values): values.map(Double.init)
    }
  }
}

extension HostTensor {
  /// The values as Double; nil for 64-bit integers, which Double cannot hold.
  var doublesOfAnyType: [Double]? {
    switch elementType {
    case .float32, .float16, .bfloat16: floats()?.map(Double.init)
    case .float64: doubles()
    case .int32: int32s()?.map(Double.init)
    case .int8: int8s()?.map(Double.init)
    case .uint8, .bool: uint8s()?.map(Double.init)
    case .uint16: uint16s()?.map(Double.init)
    default: nil
    }
  }
}

/// Compares `got` with `expected` element by element. NaN equals NaN only; +0 equals −0.
///
/// - Parameters:
///   - skip: left-out elements by the tensor's leading dimensions; each covers
///     `expected.elementCount / skip.count` elements.
func compare(
  _ got: GoldenOutput, with expected: HostTensor, maxAbs: Double, maxRel: Double, skip: [UInt8]?
) -> TensorComparison {
  guard let expectedValues = expected.doublesOfAnyType else {
    return TensorComparison(passed: false, detail: "cannot compare \(expected.elementType)")
  }
  let gotValues = got.doubles
  guard gotValues.count == expectedValues.count else {
    return TensorComparison(
      passed: false,
      detail: "\(gotValues.count) elements, expected \(expectedValues.count) \(expected.shape)")
  }
  var skipRun = 1
  if let skip {
    guard !skip.isEmpty || expectedValues.isEmpty, expectedValues.count % max(skip.count, 1) == 0
    else { return TensorComparison(passed: false, detail: "the skip mask has another shape") }
    skipRun = max(expectedValues.count / max(skip.count, 1), 1)
  }
  var result = TensorComparison(passed: true)
  for index in 0..<expectedValues.count where skip.map({ $0[index / skipRun] == 0 }) ?? true {
    let (a, b) = (gotValues[index], expectedValues[index])
    if a == b || (a.isNaN && b.isNaN) { continue }
    let difference = abs(a - b)
    result.maxAbs = max(result.maxAbs, difference.isNaN ? .infinity : difference)
    if b != 0 { result.maxRel = max(result.maxRel, difference / abs(b)) }
    if !(difference <= maxAbs + maxRel * abs(b)), result.passed {
      result.passed = false
      result.detail = "element \(index): got \(a), expected \(b)"
    }
  }
  return result
}
