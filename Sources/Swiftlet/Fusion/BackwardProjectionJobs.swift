import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Between voxels and their map: the mean over z plus an embedding, or the map added at every z.
@unsafe struct HeightsJob: PartitionedJob {
  enum Step: BitwiseCopyable { case mean, add }
  var step: Step
  var voxels: UnsafePointer<Float>
  var heights: Int
  var mapCount: Int
  var map: UnsafePointer<Float>
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(mapCount, part: part, of: parts, grain: 16)
    guard case .simd(let set) = unsafe engine else {
      for index in range { unsafe indexReference(index) }
      return
    }
    if unsafe step == .mean { unsafe mean(range, set) } else { unsafe add(range, set) }
  }

  private func mean(_ range: Range<Int>, _ set: InstructionSet) {
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.meanOverHeight
      case .baseline: unsafe SwiftletKernels.meanOverHeight
      case .avx2: unsafe SwiftletKernelsAVX2.meanOverHeight
      case .avx512: unsafe SwiftletKernelsAVX512.meanOverHeight
      }
    unsafe run(voxels, heights, mapCount, map, range.lowerBound, range.upperBound, output)
  }

  private func add(_ range: Range<Int>, _ set: InstructionSet) {
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.addToHeights
      case .baseline: unsafe SwiftletKernels.addToHeights
      case .avx2: unsafe SwiftletKernelsAVX2.addToHeights
      case .avx512: unsafe SwiftletKernelsAVX512.addToHeights
      }
    // Larger than the caches: written past them.
    let isLarge = unsafe heights * mapCount >= 1 << 20
    let streams = unsafe isLarge && mapCount % 16 == 0 && UInt(bitPattern: output) % 64 == 0
    unsafe run(
      voxels, heights, mapCount, map, range.lowerBound, range.upperBound, output, streams)
  }

  private func indexReference(_ index: Int) {
    let column = unsafe (0..<heights).map { unsafe voxels[$0 * mapCount + index] }
    if unsafe step == .mean {
      unsafe output[index] = map[index] + column.reduce(0, +) / Float(heights)
    } else {
      for z in column.indices { unsafe output[z * mapCount + index] = column[z] + map[index] }
    }
  }
}

extension AnchorReferences {
  /// Depth weights of every active anchor from the predicted distributions [camera][bin][h][w].
  func weigh(
    depth: AlignedBuffer<Float>, shape: BackwardProjectionShape, engine: Engine, pool: WorkerPool
  ) {
    guard let weights, let depths else { return }
    unsafe pool.run(
      DepthWeightJob(
        depth: depth.pointer, bins: shape.depthBins, height: shape.featureHeight,
        width: shape.featureWidth, start: shape.depthStartMeters, step: shape.depthStepMeters,
        maps: maps, queryCount: queryCount, anchors: anchors, positions: positions.pointer,
        depths: depths.pointer, active: active.pointer, weights: weights.pointer, engine: engine))
  }

  /// FB-OCC's bin of a depth: floor((depth - start) / step), clipped to the bins.
  public static func depthBin(_ depth: Float, _ shape: BackwardProjectionShape) -> Int {
    let place = floor((depth - shape.depthStartMeters) / shape.depthStepMeters)
    return Int(max(0, min(place, Float(shape.depthBins - 1))))
  }

  /// FB-OCC's anchors of camera `camera`: cell centres in the ego frame, through the inverse of the
  /// BEV augmentation, the camera (pixel = inverse of R K⁻¹, divided by max(depth, 1e-5))
  /// and the image augmentation, as fractions of the image. Visible: depth above 1e-5 and at least
  /// 1e-5 inside.
  ///
  /// - Parameters:
  ///   - camera: position in the rig.
  ///   - intrinsics: of the image before its augmentation, pixels.
  ///   - egoFromCamera: pose of the camera in the key ego frame, metres.
  ///   - augmentation: from raw to network pixels (post_rots, post_trans).
  ///   - bevAugmentation: of the ego frame (bda).
  ///   - bounds: (lower, step) in metres along x, y and z; as many z cells as anchors.
  ///   - width: cells along x.
  ///   - imageWidth: of the network image, pixels.
  ///   - imageHeight: of the network image, pixels.
  public func setFBOCCCamera(
    _ camera: Int, intrinsics: Matrix3, egoFromCamera: (rotation: Matrix3, translation: SIMD3<Double>),
    augmentation: (rotation: Matrix3, translation: SIMD3<Double>), bevAugmentation: Matrix3,
    bounds: (x: (Double, Double), y: (Double, Double), z: (Double, Double)), width: Int,
    imageWidth: Int, imageHeight: Int
  ) {
    let pixelsFromEgo = (egoFromCamera.rotation * intrinsics.inverse).inverse
    let egoFromBEV = bevAugmentation.inverse
    for query in 0..<queryCount {
      for anchor in 0..<anchors {
        let center = SIMD3(
          bounds.x.0 + (Double(query % width) + 0.5) * bounds.x.1,
          bounds.y.0 + (Double(query / width) + 0.5) * bounds.y.1,
          bounds.z.0 + (Double(anchor) + 0.5) * bounds.z.1)
        let p = pixelsFromEgo * (egoFromBEV * center - egoFromCamera.translation)
        let divisor = max(p.z, 1e-5)
        let q = augmentation.rotation * SIMD3(p.x / divisor, p.y / divisor, 0)
        let u = (q.x + augmentation.translation.x) / Double(imageWidth)
        let v = (q.y + augmentation.translation.y) / Double(imageHeight)
        let isVisible = p.z > 1e-5 && u > 1e-5 && u < 1 - 1e-5 && v > 1e-5 && v < 1 - 1e-5
        set(map: camera, query: query, anchor: anchor, x: u, y: v, isVisible: isVisible)
        depths?[(camera * queryCount + query) * anchors + anchor] = Float(p.z)
      }
    }
  }
}

/// Queries of all cameras split over threads.
@unsafe private struct DepthWeightJob: PartitionedJob {
  var depth: UnsafePointer<Float>
  var bins: Int
  var height: Int
  var width: Int
  var start: Float
  var step: Float
  var maps: Int
  var queryCount: Int
  var anchors: Int
  var positions: UnsafePointer<Float>
  var depths: UnsafePointer<Float>
  var active: UnsafePointer<UInt8>
  var weights: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(queryCount, part: part, of: parts)
    for map in unsafe 0..<maps {
      if case .simd(let set) = unsafe engine {
        unsafe weigh(map, range, set)
      } else {
        for query in range where unsafe active[map * queryCount + query] != 0 {
          for anchor in unsafe 0..<anchors { unsafe anchorReference(map, query, anchor) }
        }
      }
    }
  }

  private func weigh(_ map: Int, _ range: Range<Int>, _ set: InstructionSet) {
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.anchorDepthWeights
      case .baseline: unsafe SwiftletKernels.anchorDepthWeights
      case .avx2: unsafe SwiftletKernelsAVX2.anchorDepthWeights
      case .avx512: unsafe SwiftletKernelsAVX512.anchorDepthWeights
      }
    let first = unsafe map * queryCount
    unsafe run(
      depth + map * bins * height * width, bins, height, width, positions + first * 32,
      depths + first * anchors, anchors, active + first, start, step, range.lowerBound,
      range.upperBound, weights + first * 16)
  }

  private func anchorReference(_ map: Int, _ query: Int, _ anchor: Int) {
    let item = unsafe map * queryCount + query
    let place = unsafe floor((depths[item * anchors + anchor] - start) / step)
    let bin = unsafe Int(max(0, min(place, Float(bins - 1))))
    let x = unsafe Double(positions[item * 32 + anchor]) * Double(width) - 0.5
    let y = unsafe Double(positions[item * 32 + 16 + anchor]) * Double(height) - 0.5
    var sum = 0.0
    for (row, rowShare) in [(floor(y), 1 - (y - floor(y))), (floor(y) + 1, y - floor(y))] {
      for (column, share) in [(floor(x), 1 - (x - floor(x))), (floor(x) + 1, x - floor(x))] {
        guard row >= 0, unsafe row < Double(height), column >= 0, unsafe column < Double(width)
        else { continue }
        let index = unsafe ((map * bins + bin) * height + Int(row)) * width + Int(column)
        sum += unsafe rowShare * share * Double(depth[index])
      }
    }
    unsafe weights[item * 16 + anchor] = Float(sum)
  }
}
