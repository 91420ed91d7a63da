import Foundation
import Swiftlet

/// The search for the change of one camera under which edges fit best.
struct CalibrationSearch {
  let views: [CalibrationView]
  let seconds: Double
  let profiles: EdgeProfiles

  typealias Result = (error: CalibrationError6, score: Double)

  /// - Parameter seconds: how late the camera is taken to be.
  init(views: [CalibrationView], seconds: Double) {
    self.views = views
    self.seconds = seconds
    profiles = EdgeProfiles(views, seconds: seconds)
  }

  /// Agreement under a change, at most 1; 0 is chance.
  func score(_ error: CalibrationError6) -> Double {
    profiles.agreement(for: EdgeProfiles.Change(error))
  }

  /// The best of ±0.25, 0.5, 1, 2° about and ±5, 10, 20 cm along every axis, one at a time.
  func bestPerturbation() -> Result {
    var best: Result = (CalibrationError6(), -1)
    for axis in 0..<6 {
      for amount in axis < 3 ? [0.25, 0.5, 1, 2] : [0.05, 0.1, 0.2] {
        for sign in [-1.0, 1.0] {
          var tried = CalibrationError6()
          tried[axis] = sign * amount
          let value = score(tried)
          if value > best.score { best = (tried, value) }
        }
      }
    }
    return best
  }

  /// Turns only, at most 2.5° about an axis: a grid over all of them on some of the edges, then
  /// uphill on all from its best places and from the calibration as given.
  func climbedTurns() -> Result {
    let every = max(1, profiles.count / 1500)
    var places: [(error: CalibrationError6, evidence: Double)] = []
    for roll in stride(from: -2.0, through: 2, by: 1) {
      var best = (error: CalibrationError6(turnDegrees: SIMD3(0, 0, roll)), evidence: -1.0)
      // Panning moves edges to a side, nodding up and down: one after the other, then again.
      for axis in [1, 0, 1] {
        let start = best.error
        for amount in stride(from: -2.4, through: 2.4, by: 0.15) {
          var tried = start
          tried[axis] = amount
          let value = profiles.evidence(for: EdgeProfiles.Change(tried), every: every)
          if value > best.evidence { best = (tried, value) }
        }
      }
      places.append(best)
    }
    places.sort { $0.evidence > $1.evidence }
    let starts = [CalibrationError6()] + places.prefix(2).map(\.error)
    let climbs = starts.map { start in
      climbed(from: start, axes: 0..<3, steps: [0.25, 0.1, 0.05, 0.02], limit: 2.5)
    }
    return best(of: climbs)
  }

  /// Shifts only, at most 40 cm along an axis.
  func climbedShifts() -> Result {
    var starts = [CalibrationError6()]
    for axis in 3..<6 {
      for sign in [-1.0, 1.0] {
        var start = CalibrationError6()
        start[axis] = 0.15 * sign
        starts.append(start)
      }
    }
    let climbs = starts.map { start in
      climbed(from: start, axes: 3..<6, steps: [0.05, 0.02, 0.01], limit: 0.4)
    }
    return best(of: climbs)
  }

  private func best(of results: [Result]) -> Result {
    results.reduce((CalibrationError6(), -1)) { $1.score > $0.score ? $1 : $0 }
  }

  /// Climbs along the axes while the agreement grows.
  private func climbed(
    from start: CalibrationError6, axes: Range<Int>, steps: [Double], limit: Double
  ) -> Result {
    var best: Result = (start, score(start))
    for step in steps {
      for _ in 0..<20 {
        var improved = false
        for axis in axes {
          for sign in [-1.0, 1.0] {
            var tried = best.error
            tried[axis] += sign * step
            guard abs(tried[axis]) <= limit + 1e-9 else { continue }
            let value = score(tried)
            guard value > best.score else { continue }
            best = (tried, value)
            improved = true
          }
        }
        if !improved { break }
      }
    }
    return best
  }

  // MARK: Gauss–Newton

  /// Refines turns and shifts together: Gauss–Newton on the residuals of all edges, the profiles
  /// made anew around each result, normal steps by LAPACKE's least squares. Weak knowledge that
  /// mounts are right to 0.5° and 4 cm holds directions that edges do not show. Ends where a step
  /// gains nothing.
  func refined(from start: CalibrationError6) -> Result {
    var result: Result = (start, 0)
    for _ in 0..<3 {
      let near = EdgeProfiles(views, at: result.error, seconds: seconds)
      let before = result.error
      result = Self.descended(near, around: before, start)
      if (0..<6).allSatisfy({ abs(result.error[$0] - before[$0]) < 1e-3 }) { break }
    }
    return result
  }

  private static func descended(
    _ profiles: EdgeProfiles, around middle: CalibrationError6, _ start: CalibrationError6
  ) -> Result {
    var change = CalibrationError6()
    var value = profiles.agreement(for: EdgeProfiles.Change(change))
    var damping = 1.0
    for _ in 0..<25 {
      guard let step = gaussNewtonStep(profiles, change, middle, start, damping) else { break }
      var tried = change
      for axis in 0..<6 { tried[axis] += step[axis] }
      let found = profiles.agreement(for: EdgeProfiles.Change(tried))
      if found > value {
        let gain = found - value
        (change, value) = (tried, found)
        damping = max(0.05, damping / 3)
        if gain < 1e-5 { break }
      } else {
        damping *= 4
        if damping > 1000 { break }
      }
    }
    var error = middle
    for axis in 0..<6 { error[axis] += change[axis] }
    return (error, value)
  }

  private static let spreads = [0.5, 0.5, 0.5, 0.04, 0.04, 0.04]

  private static func gaussNewtonStep(
    _ profiles: EdgeProfiles, _ change: CalibrationError6, _ middle: CalibrationError6,
    _ start: CalibrationError6, _ damping: Double
  ) -> [Double]? {
    guard profiles.count > 50 else { return nil }
    var matrix: [Double] = []
    var right: [Double] = []
    for edge in 0..<profiles.count {
      let row = profiles.residual(edge, EdgeProfiles.Change(change))
      let weight = row.weight.squareRoot()
      matrix += row.derivatives.map { weight * $0 }
      right.append(-weight * row.value)
    }
    // Residuals scatter by about 0.4; the priors and the damping are in the same unit.
    for axis in 0..<6 {
      let target = start[axis] - middle[axis] - change[axis]
      for (strength, target) in [(1.0, target), (damping, 0)] {
        var row = [Double](repeating: 0, count: 6)
        row[axis] = 0.4 * strength.squareRoot() * 4 / spreads[axis]
        matrix += row
        right.append(row[axis] * target)
      }
    }
    return LeastSquares.solve(matrix, columns: 6, rightSide: right)
  }
}

extension CalibrationDoctor {
  /// The change of a camera that fits best near what was found, turns and shifts together.
  public func refined(_ finding: Finding, seconds: Double) -> (error: CalibrationError6, score: Double) {
    CalibrationSearch(views: views[finding.camera] ?? [], seconds: seconds).refined(
      from: finding.best)
  }
}
