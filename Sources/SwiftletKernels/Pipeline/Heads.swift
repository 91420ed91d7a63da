import CVectorShims

/// labels[row] = the class of the largest of `classes` logits, the first among equals; `none` where
/// `validity` [row / group] is 0. Scalar: a few logits a cell.
@inline(never)
public func largestClasses(
  _ logits: UnsafePointer<Float>, _ validity: UnsafePointer<UInt8>, _ group: Int, _ classes: Int,
  _ none: UInt8, _ rowLower: Int, _ rowUpper: Int, _ labels: UnsafeMutablePointer<UInt8>
) {
  var row = rowLower
  while row < rowUpper {
    let own = logits + row &* classes
    var best = 0
    var index = 1
    while index < classes {
      if own[index] > own[best] { best = index }
      index &+= 1
    }
    labels[row] = validity[row / group] == 0 ? none : UInt8(truncatingIfNeeded: best)
    row &+= 1
  }
}

/// sums[row] = sums[row] + logits[row] where `validity` [row / group] is not 0: the product of the
/// experts' distributions up to a factor per row, which no softmax and no order of classes sees.
@inline(never)
public func addValidRows(
  _ logits: UnsafePointer<Float>, _ validity: UnsafePointer<UInt8>, _ group: Int, _ classes: Int,
  _ rowLower: Int, _ rowUpper: Int, _ sums: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var row = rowLower
  while row < rowUpper {
    if validity[row / group] != 0 {
      let own = logits + row &* classes
      let target = sums + row &* classes
      var index = 0
      while index < classes {
        let rest = classes &- index
        let sum = loadOr(target + index, rest, zero) + loadOr(own + index, rest, zero)
        storeSome(target + index, sum, rest)
        index &+= 16
      }
    }
    row &+= 1
  }
}

/// Rows of cells that are not valid become 0: `values` [cell][width].
@inline(never)
public func zeroInvalidRows(
  _ validity: UnsafePointer<UInt8>, _ width: Int, _ lower: Int, _ upper: Int,
  _ values: UnsafeMutablePointer<Float>
) {
  var cell = lower
  while cell < upper {
    if validity[cell] == 0 { zeroRow(values + cell &* width, width) }
    cell &+= 1
  }
}
