/// RayIoU (SparseOcc) and mAVE (the CVPR 2024 occupancy and flow challenge), added up over any
/// number of samples.
///
/// A ray counts where its *truth* is not free. It is a true positive of its class where both labels
/// agree and the distances differ by less than the threshold (strict, in float32 as the public
/// code). IoU = true positives / (truth + prediction − true positives).
public struct RayIoU: Sendable, Equatable {
  public let classes: OccupancyClasses
  public let thresholdsMeters: [Float]
  /// Which threshold's true positives mAVE averages over: 2 m, or nil without it.
  public let flowThreshold: Int?
  /// Rays by class.
  public private(set) var truthCounts: [Int64]
  public private(set) var predictionCounts: [Int64]
  /// [threshold][class].
  public private(set) var truePositiveCounts: [Int64]
  /// By class: the sum of |flow difference|, m/s, and over how many rays.
  public private(set) var flowErrorSums: [Double]
  public private(set) var flowErrorCounts: [Int64]
  public private(set) var rayCount: Int64 = 0

  public init(classes: OccupancyClasses, thresholdsMeters: [Float] = [1, 2, 4]) {
    self.classes = classes
    self.thresholdsMeters = thresholdsMeters
    flowThreshold = thresholdsMeters.firstIndex(of: 2)
    truthCounts = [Int64](repeating: 0, count: classes.count)
    predictionCounts = truthCounts
    truePositiveCounts = [Int64](repeating: 0, count: classes.count * thresholdsMeters.count)
    flowErrorSums = [Double](repeating: 0, count: classes.count)
    flowErrorCounts = truthCounts
  }

  /// Adds the same rays cast in the prediction and in the truth.
  ///
  /// - Parameters:
  ///   - prediction: the rays cast in the predicted grid.
  ///   - truth: the same rays cast in the true grid.
  ///   - predictedFlow: [x][y][z][2] velocities in m/s of the prediction's grid; nil without flow.
  ///   - trueFlow: the same of the truth's grid.
  /// - Throws: `InputError` when the ray counts differ or a flow does not cover its grid.
  public mutating func add(
    prediction: CastRays, truth: CastRays, predictedFlow: [Float]? = nil, trueFlow: [Float]? = nil
  ) throws(InputError) {
    guard prediction.labels.count == truth.labels.count else {
      throw InputError(
        input: "rays", expected: "\(truth.labels.count) as in the truth",
        found: "\(prediction.labels.count)", remedy: "cast the same rays in both grids")
    }
    try Self.check(predictedFlow, prediction, "predicted flow")
    try Self.check(trueFlow, truth, "true flow")
    for ray in truth.labels.indices where Int(truth.labels[ray]) != classes.freeClass {
      let (expected, predicted) = (Int(truth.labels[ray]), Int(prediction.labels[ray]))
      rayCount += 1
      if expected < classes.count { truthCounts[expected] += 1 }
      if predicted < classes.count { predictionCounts[predicted] += 1 }
      guard expected == predicted, expected < classes.count else { continue }
      let error = abs(prediction.distancesMeters[ray] - truth.distancesMeters[ray])
      for (threshold, limit) in thresholdsMeters.enumerated() where error < limit {
        truePositiveCounts[threshold * classes.count + expected] += 1
        guard threshold == flowThreshold, let predictedFlow, let trueFlow else { continue }
        addFlow(
          expected, velocity(predictedFlow, prediction.voxels[ray]),
          velocity(trueFlow, truth.voxels[ray]))
      }
    }
  }

  private static func check(
    _ flow: [Float]?, _ rays: CastRays, _ name: String
  ) throws(InputError) {
    guard let flow, let last = rays.voxels.max(), 2 * Int(last) + 1 >= flow.count else { return }
    throw InputError(
      input: name, expected: "two values a voxel, more than \(2 * Int(last) + 1)",
      found: "\(flow.count)", remedy: "give [x][y][z][2] of the labels' grid")
  }

  private func velocity(_ flow: [Float], _ voxel: Int64) -> SIMD2<Float> {
    SIMD2(flow[2 * Int(voxel)], flow[2 * Int(voxel) + 1])
  }

  private mutating func addFlow(_ label: Int, _ a: SIMD2<Float>, _ b: SIMD2<Float>) {
    let difference = SIMD2<Double>(a - b)
    flowErrorSums[label] += (difference * difference).sum().squareRoot()
    flowErrorCounts[label] += 1
  }
}

extension RayIoU {
  /// [threshold][class], free included; nil where nothing was there to find or found.
  public var intersectionOverUnion: [[Double?]] {
    thresholdsMeters.indices.map { threshold in
      (0..<classes.count).map { label in
        let hits = truePositiveCounts[threshold * classes.count + label]
        return ratio(hits, truthCounts[label] + predictionCounts[label] - hits)
      }
    }
  }
  /// RayIoU@threshold: the mean over the classes other than free.
  public var atThreshold: [Double?] {
    intersectionOverUnion.map { scores in mean(classes.occupiedClasses.map { scores[$0] }) }
  }
  /// RayIoU: the mean over thresholds and classes other than free.
  public var overall: Double? {
    mean(intersectionOverUnion.flatMap { scores in classes.occupiedClasses.map { scores[$0] } })
  }
  /// By class, m/s: the mean flow error of the true positives at 2 m; nil for classes that do not
  /// move and where there are none.
  public var velocityErrors: [Double?] {
    (0..<classes.count).map { label in
      guard classes.movingClasses.contains(label), flowErrorCounts[label] > 0 else { return nil }
      return flowErrorSums[label] / Double(flowErrorCounts[label])
    }
  }
  /// mAVE: the mean over the moving classes that have true positives.
  public var meanVelocityError: Double? { mean(velocityErrors) }
  /// The challenge's score: 0.9 · RayIoU + 0.1 · max(1 − mAVE, 0); nil without flow.
  public var occupancyScore: Double? {
    guard let overall, let meanVelocityError else { return nil }
    return 0.9 * overall + 0.1 * max(1 - meanVelocityError, 0)
  }
}
