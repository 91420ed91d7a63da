import CBlas

/// A linear layer through OpenBLAS: fixed blocks of 96 rows, one OpenBLAS thread each, so that the
/// thread count does not change what one call computes. Bias first, activation and residual after.
@unsafe struct OpenBLASJob: PartitionedJob {
  var linear: LinearJob

  /// OpenBLAS's own threads would fight the pool's.
  init(linear: LinearJob) {
    unsafe self.linear = linear
    openblas_set_num_threads(1)
  }

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(linear.rows, part: part, of: parts, grain: openBLASBlockRows)
    var lower = range.lowerBound
    while lower < range.upperBound {
      let upper = min(lower + openBLASBlockRows, range.upperBound)
      unsafe runBlock(lower..<upper)
      lower = upper
    }
  }

  private func runBlock(_ rows: Range<Int>) {
    let l = unsafe linear
    for row in rows {
      unsafe (l.output + row * l.outputStride).update(from: l.bias, count: l.outputs)
    }
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows.count), Int32(l.outputs),
      Int32(l.inputs), 1, l.input + rows.lowerBound * l.inputStride, Int32(l.inputStride), l.weights.rows,
      Int32(l.inputs), 1, l.output + rows.lowerBound * l.outputStride, Int32(l.outputStride))
    unsafe finish(rows)
  }

  private func finish(_ rows: Range<Int>) {
    let l = unsafe linear
    guard unsafe l.activation != .none || l.residual != nil || l.norm != nil else { return }
    for row in rows {
      let target = unsafe l.output + row * l.outputStride
      unsafe activateRow(target, count: l.outputs, l.activation, l.engine)
      guard let residual = unsafe l.residual else { continue }
      for column in unsafe 0..<l.outputs {
        unsafe target[column] += residual[row * l.residualStride + column]
      }
    }
    unsafe l.norm?.apply(
      l.output, rows: rows, width: l.outputs, into: l.output, engine: l.engine)
  }
}

private let openBLASBlockRows = 96
