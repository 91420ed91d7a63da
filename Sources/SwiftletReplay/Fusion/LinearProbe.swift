import Foundation

/// A linear classifier fitted in closed form: ridge regression of ±1 with both classes weighing the
/// same, then a logistic curve through the scores, so that logits of several can be added.
struct LinearProbe: Sendable {
  /// Logit of class 0 against class 1: weight · x + bias.
  var weight: [Double]
  var bias: Double

  /// - Parameters:
  ///   - rows: [sample][width].
  ///   - labels: 0, 1, or anything else for a sample that is left out.
  /// - Returns: nil unless both classes occur.
  init?(rows: [Float], width: Int, labels: [UInt8]) {
    let used = labels.indices.filter { labels[$0] < 2 }
    let positives = used.count { labels[$0] == 0 }
    guard positives > 0, positives < used.count else { return nil }
    let shares = (
      0.5 / Double(positives), 0.5 / Double(used.count - positives)
    )
    let size = width + 1
    var normal = [Double](repeating: 0, count: size * size)
    var right = [Double](repeating: 0, count: size)
    var row = [Double](repeating: 1, count: size)
    for sample in used {
      let isPositive = labels[sample] == 0
      let share = isPositive ? shares.0 : shares.1
      for column in 0..<width { row[column] = Double(rows[sample * width + column]) }
      for i in 0..<size where row[i] != 0 {
        let scaled = row[i] * share
        right[i] += isPositive ? scaled : -scaled
        for j in 0...i { normal[i * size + j] += scaled * row[j] }
      }
    }
    let trace = (0..<size).reduce(0) { $0 + normal[$1 * size + $1] }
    for i in 0..<size { normal[i * size + i] += 1e-6 * trace / Double(size) + 1e-12 }
    guard let solution = Self.solve(normal, right, size) else { return nil }
    weight = Array(solution[0..<width])
    bias = solution[width]
    calibrate(rows, width, labels, used, shares)
  }

  func score(_ rows: [Float], _ sample: Int) -> Double {
    var sum = bias
    let start = sample * weight.count
    for column in weight.indices { sum += weight[column] * Double(rows[start + column]) }
    return sum
  }

  /// Newton's method on the weighted log loss of σ(a s + c), then a and c go into the weights.
  private mutating func calibrate(
    _ rows: [Float], _ width: Int, _ labels: [UInt8], _ used: [Int], _ shares: (Double, Double)
  ) {
    let scores = used.map { score(rows, $0) }
    var (slope, offset) = (1.0, 0.0)
    for _ in 0..<25 {
      var (g0, g1, h00, h01, h11) = (0.0, 0.0, 1e-9, 0.0, 1e-9)
      for (index, sample) in used.enumerated() {
        let s = scores[index]
        let p = 1 / (1 + exp(-(slope * s + offset)))
        let share = labels[sample] == 0 ? shares.0 : shares.1
        let error = (p - (labels[sample] == 0 ? 1 : 0)) * share
        let curve = max(p * (1 - p), 1e-9) * share
        g0 += error * s
        g1 += error
        h00 += curve * s * s
        h01 += curve * s
        h11 += curve
      }
      let determinant = h00 * h11 - h01 * h01
      guard determinant > 1e-18 else { break }
      slope -= (h11 * g0 - h01 * g1) / determinant
      offset -= (h00 * g1 - h01 * g0) / determinant
    }
    guard slope.isFinite, offset.isFinite, slope > 0, slope < 1e3 else { return }
    weight = weight.map { $0 * slope }
    bias = bias * slope + offset
  }

  /// Cholesky's method; nil where the matrix is not positive definite. Lower triangle, row-major.
  private static func solve(_ matrix: [Double], _ right: [Double], _ size: Int) -> [Double]? {
    var l = matrix
    var x = right
    for i in 0..<size {
      for j in 0...i {
        var sum = l[i * size + j]
        for k in 0..<j { sum -= l[i * size + k] * l[j * size + k] }
        if i == j {
          guard sum > 0 else { return nil }
          l[i * size + i] = sum.squareRoot()
        } else {
          l[i * size + j] = sum / l[j * size + j]
        }
      }
    }
    for i in 0..<size {
      for k in 0..<i { x[i] -= l[i * size + k] * x[k] }
      x[i] /= l[i * size + i]
    }
    for i in (0..<size).reversed() {
      for k in i + 1..<size where i + 1 < size { x[i] -= l[k * size + i] * x[k] }
      x[i] /= l[i * size + i]
    }
    return x
  }
}

/// Scores of labelled cells, judged.
struct ScoredCells: Sendable {
  var scores: [Float] = []
  /// 0 is the class that is looked for.
  var labels: [UInt8] = []

  /// The threshold with the largest IoU of class 0.
  func bestThreshold() -> Float {
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    let positives = labels.count { $0 == 0 }
    var (hits, alarms) = (0, 0)
    var best = (overlap: -1.0, threshold: Float.infinity)
    for (place, index) in order.enumerated() {
      if labels[index] == 0 { hits += 1 } else { alarms += 1 }
      let isLast = place + 1 == order.count || scores[order[place + 1]] < scores[index]
      guard isLast, scores[index] > -.infinity else { continue }
      let overlap = Double(hits) / Double(max(positives + alarms, 1))
      if overlap > best.overlap { best = (overlap, scores[index]) }
    }
    return best.threshold
  }

  /// Intersection over union of class 0 at a threshold; nil without cells of it.
  func overlap(at threshold: Float) -> Double? {
    var (hits, alarms, misses) = (0, 0, 0)
    for (score, label) in zip(scores, labels) {
      switch (score >= threshold, label == 0) {
      case (true, true): hits += 1
      case (true, false): alarms += 1
      case (false, true): misses += 1
      case (false, false): break
      }
    }
    let union = hits + alarms + misses
    return union == 0 ? nil : Double(hits) / Double(union)
  }

  /// The area under precision over recall (every threshold); nil without cells of class 0.
  var averagePrecision: Double? {
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    let positives = labels.count { $0 == 0 }
    guard positives > 0 else { return nil }
    var (hits, sum) = (0, 0.0)
    for (place, index) in order.enumerated() where labels[index] == 0 && scores[index] > -.infinity {
      hits += 1
      sum += Double(hits) / Double(place + 1)
    }
    return sum / Double(positives)
  }
}
