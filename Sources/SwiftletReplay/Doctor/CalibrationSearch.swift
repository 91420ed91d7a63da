import Foundation
import Swiftlet

/// The search for the change of one camera under which edges fit best.
struct CalibrationSearch {
  var views: [CalibrationView]
  var seconds: Double

  typealias Result = (error: CalibrationError6, score: Double)

  private func score(
    _ error: CalibrationError6, _ sharpness: CalibrationView.Sharpness
  ) -> Double {
    EdgeAgreement(views, error, seconds: seconds, sharpness).mean
  }

  /// The best of ±0.25, 0.5, 1, 2° about and ±5, 10, 20 cm along every axis, one at a time.
  func bestPerturbation() -> Result {
    var best: Result = (CalibrationError6(), -1)
    for axis in 0..<6 {
      for amount in axis < 3 ? [0.25, 0.5, 1, 2] : [0.05, 0.1, 0.2] {
        for sign in [-1.0, 1.0] {
          var tried = CalibrationError6()
          tried[axis] = sign * amount
          let value = score(tried, .fine)
          if value > best.score { best = (tried, value) }
        }
      }
    }
    return best
  }

  /// Turns only, at most 2.5° about an axis: coarse maps have wide basins, fine ones sharp peaks.
  func climbedTurns() -> Result {
    var best = CalibrationError6()
    for step in [1.0, 0.5, 0.25] {
      best = climbed(from: best, axes: 0..<3, step: step, limit: 2.5, .coarse).error
    }
    for step in [0.2, 0.1, 0.05] {
      best = climbed(from: best, axes: 0..<3, step: step, limit: 2.5, .fine).error
    }
    return (best, score(best, .fine))
  }

  /// Shifts only, at most 30 cm along an axis.
  func climbedShifts() -> Result {
    var best = CalibrationError6()
    for step in [0.1, 0.05] {
      best = climbed(from: best, axes: 3..<6, step: step, limit: 0.3, .coarse).error
    }
    for step in [0.05, 0.02] {
      best = climbed(from: best, axes: 3..<6, step: step, limit: 0.3, .fine).error
    }
    return (best, score(best, .fine))
  }

  /// Climbs along the axes while the agreement grows.
  private func climbed(
    from start: CalibrationError6, axes: Range<Int>, step: Double, limit: Double,
    _ sharpness: CalibrationView.Sharpness
  ) -> Result {
    var best: Result = (start, score(start, sharpness))
    for _ in 0..<8 {
      var improved = false
      for axis in axes {
        for sign in [-1.0, 1.0] {
          var tried = best.error
          tried[axis] += sign * step
          guard abs(tried[axis]) <= limit + 1e-9 else { continue }
          let value = score(tried, sharpness)
          guard value > best.score else { continue }
          best = (tried, value)
          improved = true
        }
      }
      if !improved { break }
    }
    return best
  }

  // MARK: Gauss–Newton

  /// Refines turns and shifts together: Gauss–Newton on the residuals 1 − strength of all edges,
  /// numeric derivatives, normal steps by LAPACKE's least squares. Weak knowledge that mounts are
  /// right to 0.5° and 4 cm holds directions that edges do not show. Stops where a step gains
  /// nothing.
  func refined(from start: CalibrationError6) -> Result {
    var best: Result = (start, score(start, .fine))
    var damping = 1.0
    for _ in 0..<25 {
      guard let step = gaussNewtonStep(best.error, start, damping) else { break }
      var tried = best.error
      for axis in 0..<6 { tried[axis] += step[axis] }
      let value = score(tried, .fine)
      if value > best.score {
        let gain = value - best.score
        best = (tried, value)
        damping = max(0.05, damping / 3)
        if gain < 1e-5 { break }
      } else {
        damping *= 4
        if damping > 1000 { break }
      }
    }
    return best
  }

  /// What a turn of 1° or a shift of 1 m is differenced over.
  private static let differences = [0.05, 0.05, 0.05, 0.01, 0.01, 0.01]
  private static let spreads = [0.5, 0.5, 0.5, 0.04, 0.04, 0.04]

  private func gaussNewtonStep(
    _ at: CalibrationError6, _ start: CalibrationError6, _ damping: Double
  ) -> [Double]? {
    let middle = at.transform.inverse
    var shifted: [(RigidTransform, RigidTransform)] = []
    for axis in 0..<6 {
      var (low, high) = (at, at)
      low[axis] -= Self.differences[axis]
      high[axis] += Self.differences[axis]
      shifted.append((low.transform.inverse, high.transform.inverse))
    }
    var matrix: [Double] = []
    var right: [Double] = []
    for view in views {
      for edge in view.edges {
        let p = view.moved(edge.position, seconds: seconds)
        guard let here = strength(view, edge, middle * p) else { continue }
        let weight = Double(edge.weight).squareRoot()
        var row = [Double](repeating: 0, count: 6)
        var isWhole = true
        for axis in 0..<6 {
          guard let low = strength(view, edge, shifted[axis].0 * p),
            let high = strength(view, edge, shifted[axis].1 * p)
          else { isWhole = false; break }
          row[axis] = weight * (high - low) / (2 * Self.differences[axis])
        }
        guard isWhole else { continue }
        matrix += row
        right.append(weight * (1 - here))
      }
    }
    guard right.count > 50 else { return nil }
    // Residuals scatter by about 0.4; the priors and the damping are in the same unit.
    for axis in 0..<6 {
      for (strength, target) in [(1.0, start[axis] - at[axis]), (damping, 0)] {
        var row = [Double](repeating: 0, count: 6)
        row[axis] = 0.4 * strength.squareRoot() * 4 / Self.spreads[axis]
        matrix += row
        right.append(row[axis] * target)
      }
    }
    return LeastSquares.solve(matrix, columns: 6, rightSide: right)
  }

  private func strength(
    _ view: CalibrationView, _ edge: DepthEdges.Edge, _ p: SIMD3<Double>
  ) -> Double? {
    view.pixel(p).flatMap { view.value($0, edge.kind, .fine) }.map(Double.init)
  }
}

extension CalibrationDoctor {
  /// The change of a camera that fits best near what was found, turns and shifts together.
  public func refined(_ finding: Finding, seconds: Double) -> (error: CalibrationError6, score: Double) {
    CalibrationSearch(views: views[finding.camera] ?? [], seconds: seconds).refined(
      from: finding.best)
  }
}
