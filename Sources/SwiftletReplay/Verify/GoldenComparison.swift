import Swiftlet

/// What comparing one result with its expectation showed.
struct TensorComparison {
  var passed: Bool
  var maxAbs = 0.0
  var maxRel = 0.0
  /// The expectation itself cannot be used.
  var isDamage = false
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

/// Compares `got` with `expected` element by element. +0 equals −0; NaN never passes, and an infinite
/// expectation only its own.
///
/// - Parameter skip: a mask with the leading dimensions of `expected`; elements where it is not 0
///   are left out, missing trailing dimensions broadcast.
func compare(
  _ got: GoldenOutput, with expected: HostTensor, maxAbs: Double, maxRel: Double,
  skip mask: HostTensor?
) -> TensorComparison {
  guard let expectedValues = expected.doublesOfAnyType else {
    return TensorComparison(
      passed: false, isDamage: true, detail: "cannot compare \(expected.elementType.name)")
  }
  let gotValues = got.doubles
  guard gotValues.count == expectedValues.count else {
    return TensorComparison(
      passed: false,
      detail: "\(gotValues.count) elements, expected \(expectedValues.count) \(expected.shape)")
  }
  if let mask, mask.uint8s() == nil || !expected.shape.starts(with: mask.shape) {
    return TensorComparison(
      passed: false, isDamage: true,
      detail: "the skip mask is \(mask.elementType.name) \(mask.shape), "
        + "expected uint8 of leading dimensions of \(expected.shape)")
  }
  let skip = mask?.uint8s()
  let skipRun = mask.map { expected.shape.dropFirst($0.shape.count).reduce(1, *) } ?? 1
  var result = TensorComparison(passed: true)
  for index in 0..<expectedValues.count where skip.map({ $0[index / skipRun] == 0 }) ?? true {
    let (a, b) = (gotValues[index], expectedValues[index])
    if a == b { continue }
    let difference = a.isFinite && b.isFinite ? abs(a - b) : .infinity
    result.maxAbs = max(result.maxAbs, difference)
    if b != 0 { result.maxRel = max(result.maxRel, b.isFinite ? difference / abs(b) : .infinity) }
    if !(difference <= maxAbs + maxRel * abs(b)) || difference == .infinity, result.passed {
      result.passed = false
      result.detail = "element \(index): got \(a), expected \(b)"
    }
  }
  return result
}
