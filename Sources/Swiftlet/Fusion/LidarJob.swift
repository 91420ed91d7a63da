import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Points and map as the kernels take them: strides and offsets in floats.
@unsafe struct LidarLayout: BitwiseCopyable {
  var points: UnsafePointer<Float>?
  var count: Int
  var stride: Int
  var x: Int
  var y: Int
  var z: Int
  /// -1 without intensity.
  var intensity: Int
  var width: Int
  var height: Int
  var lowerX: Float
  var lowerY: Float
  var inverseSize: Float
  var binLower: Float
  var inverseBinSize: Float
  var channels: Int
  var channelOffset: Int

  init(_ cloud: PointCloudView, maximum: Int, _ map: LidarBEVConfiguration) {
    unsafe points = cloud.baseAddress?.assumingMemoryBound(to: Float.self)
    unsafe count = min(cloud.count, maximum)
    unsafe stride = cloud.byteStride / 4
    unsafe x = cloud.xByteOffset / 4
    unsafe y = cloud.yByteOffset / 4
    unsafe z = cloud.zByteOffset / 4
    unsafe intensity = cloud.intensityByteOffset < 0 ? -1 : cloud.intensityByteOffset / 4
    unsafe width = map.widthCells
    unsafe height = map.heightCells
    unsafe lowerX = map.lowerXMeters
    unsafe lowerY = map.lowerYMeters
    unsafe inverseSize = 1 / map.cellSizeMeters
    unsafe binLower = map.binLowerMeters
    unsafe inverseBinSize = 1 / map.binSizeMeters
    unsafe channels = map.channels
    unsafe channelOffset = map.channelOffset
  }
}

/// Two stages: points split over threads find their cells; then cells split over threads take their
/// points and write their rows.
@unsafe struct LidarJob: PartitionedJob {
  var layout: LidarLayout
  var cells: UnsafeMutablePointer<Int32>
  var statistics: UnsafeMutablePointer<Float>
  var occupied: UnsafePointer<Float>?
  var free: UnsafePointer<Float>?
  var lowest: UnsafePointer<Float>?
  var highest: UnsafePointer<Float>?
  var logarithms: UnsafePointer<Float>
  var logarithmCount: Int
  var output: UnsafeMutablePointer<Float>
  var validity: UnsafeMutablePointer<UInt8>
  var set: InstructionSet
  var isFirstStage: Bool

  init(
    layout: LidarLayout, cells: UnsafeMutablePointer<Int32>,
    statistics: UnsafeMutablePointer<Float>, columns: OccupancyColumns?,
    logarithms: UnsafePointer<Float>, logarithmCount: Int, output: UnsafeMutablePointer<Float>,
    validity: UnsafeMutablePointer<UInt8>, set: InstructionSet, isFirstStage: Bool
  ) {
    unsafe self.layout = layout
    unsafe self.cells = cells
    unsafe self.statistics = statistics
    unsafe occupied = columns?.occupied
    unsafe free = columns?.free
    unsafe lowest = columns?.lowest
    unsafe highest = columns?.highest
    unsafe self.logarithms = logarithms
    unsafe self.logarithmCount = logarithmCount
    unsafe self.output = output
    unsafe self.validity = validity
    unsafe self.set = set
    unsafe self.isFirstStage = isFirstStage
  }

  func run(part: Int, of parts: Int) {
    if unsafe isFirstStage {
      unsafe findCells(partition(layout.count, part: part, of: parts, grain: 16))
    } else {
      let cellCount = unsafe layout.width * layout.height
      unsafe writeCells(partition(cellCount, part: part, of: parts, grain: 16))
    }
  }

  private func findCells(_ range: Range<Int>) {
    let l = unsafe layout
    guard let points = unsafe l.points, !range.isEmpty else { return }
    let find =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.lidarCells
      case .baseline: unsafe SwiftletKernels.lidarCells
      case .avx2: unsafe SwiftletKernelsAVX2.lidarCells
      case .avx512: unsafe SwiftletKernelsAVX512.lidarCells
      }
    unsafe find(
      points, l.stride, l.x, l.y, l.z, range.lowerBound, range.upperBound, l.lowerX, l.lowerY,
      l.inverseSize, l.width, l.height, cells)
  }

  private func writeCells(_ range: Range<Int>) {
    let l = unsafe layout
    let (accumulate, write) =
      switch unsafe set {
      case .portable:
        unsafe (SwiftletKernelsPortable.lidarAccumulate, SwiftletKernelsPortable.lidarWrite)
      case .baseline: unsafe (SwiftletKernels.lidarAccumulate, SwiftletKernels.lidarWrite)
      case .avx2: unsafe (SwiftletKernelsAVX2.lidarAccumulate, SwiftletKernelsAVX2.lidarWrite)
      case .avx512:
        unsafe (SwiftletKernelsAVX512.lidarAccumulate, SwiftletKernelsAVX512.lidarWrite)
      }
    // An empty cloud still clears the statistics; its points are never read.
    unsafe accumulate(
      l.points ?? UnsafePointer(statistics), l.stride, l.z, l.intensity, cells, l.count,
      range.lowerBound, range.upperBound, l.binLower, l.inverseBinSize, statistics)
    unsafe write(
      statistics, range.lowerBound, range.upperBound, occupied, free, lowest, highest, logarithms,
      logarithmCount, l.channels, l.channelOffset, output, validity)
  }
}

/// ln(1 + count).
func naturalLogarithm(onePlus count: Int) -> Float { Float(log1p(Double(count))) }
