/// Where each camera's features and depths lie in the flat arrays of a rig: cameras one after
/// another, features [y][x][channel], depths [bin][y][x]. Cameras may differ in size.
public struct FrustumLayout: Sendable, Equatable {
  /// The feature map of one camera.
  public struct Camera: Sendable, Equatable {
    public var featureWidth: Int
    public var featureHeight: Int
    public init(featureWidth: Int, featureHeight: Int) {
      precondition(
        featureWidth > 0 && featureHeight > 0,
        "a feature map of \(featureWidth)×\(featureHeight) is empty")
      self.featureWidth = featureWidth
      self.featureHeight = featureHeight
    }
    public var pixelCount: Int { featureWidth * featureHeight }
  }

  public let cameras: [Camera]
  public let binCount: Int
  /// First feature token of each camera, and the end of the last.
  public let featureStarts: [Int]
  /// First depth of each camera, and the end of the last.
  public let depthStarts: [Int]

  public init(cameras: [Camera], binCount: Int) {
    precondition(binCount > 0, "\(binCount) depth bins; at least 1 is needed")
    self.cameras = cameras
    self.binCount = binCount
    var starts = [0]
    for camera in cameras { starts.append(starts[starts.count - 1] + camera.pixelCount) }
    featureStarts = starts
    depthStarts = starts.map { $0 * binCount }
    precondition(
      depthStarts[cameras.count] < 1 << 31,
      "\(depthStarts[cameras.count]) points exceed the 32-bit tables")
  }

  public var featureCount: Int { featureStarts[cameras.count] }
  public var pointCount: Int { depthStarts[cameras.count] }

  /// The column of every feature token, counted through all cameras.
  var tokenColumns: [UInt16] {
    var columns: [UInt16] = []
    columns.reserveCapacity(featureCount)
    var first = 0
    for camera in cameras {
      for pixel in 0..<camera.pixelCount {
        columns.append(UInt16(first + pixel % camera.featureWidth))
      }
      first += camera.featureWidth
    }
    return columns
  }
}

/// A run of points in one depth plane of one camera.
struct PlaneRun {
  var camera: Int
  var bin: Int
  /// First flat depth index, first feature token, points.
  var depthIndex: Int
  var featureIndex: Int
  var count: Int
}

extension FrustumLayout {
  /// Calls `body` for every piece of a depth plane inside the points `range`, in order.
  @inline(__always)
  func forEachPlaneRun(in range: Range<Int>, _ body: (PlaneRun) -> Void) {
    var camera = 0
    var point = range.lowerBound
    while point < range.upperBound {
      while point >= depthStarts[camera + 1] { camera += 1 }
      let pixels = cameras[camera].pixelCount
      let inCamera = point - depthStarts[camera]
      let pixel = inCamera % pixels
      let count = min(pixels - pixel, range.upperBound - point)
      body(
        PlaneRun(
          camera: camera, bin: inCamera / pixels, depthIndex: point,
          featureIndex: featureStarts[camera] + pixel, count: count))
      point += count
    }
  }
}
