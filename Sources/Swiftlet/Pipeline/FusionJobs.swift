import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

extension Engine {
  /// The build that runs kernels of one scalar source; the reference takes the one without vector
  /// flags.
  var scalarSet: InstructionSet {
    switch self {
    case .reference: .portable
    case .simd(let set): set
    }
  }
}

/// Rows of invalid cells become 0.
@unsafe struct ZeroInvalidJob: PartitionedJob {
  var set: InstructionSet
  var validity: UnsafePointer<UInt8>
  var width: Int
  var cellCount: Int
  var values: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(cellCount, part: part, of: parts)
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.zeroInvalidRows
      case .baseline: unsafe SwiftletKernels.zeroInvalidRows
      case .avx2: unsafe SwiftletKernelsAVX2.zeroInvalidRows
      case .avx512: unsafe SwiftletKernelsAVX512.zeroInvalidRows
      }
    unsafe run(validity, width, range.lowerBound, range.upperBound, values)
  }
}

/// sums[row] += logits[row] where the row's cell is valid.
@unsafe struct AddValidJob: PartitionedJob {
  var set: InstructionSet
  var logits: UnsafePointer<Float>
  var validity: UnsafePointer<UInt8>
  var group: Int
  var classes: Int
  var rowCount: Int
  var sums: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rowCount, part: part, of: parts)
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.addValidRows
      case .baseline: unsafe SwiftletKernels.addValidRows
      case .avx2: unsafe SwiftletKernelsAVX2.addValidRows
      case .avx512: unsafe SwiftletKernelsAVX512.addValidRows
      }
    unsafe run(logits, validity, group, classes, range.lowerBound, range.upperBound, sums)
  }
}

/// The class of the largest logit of every row.
@unsafe struct LargestClassJob: PartitionedJob {
  var set: InstructionSet
  var logits: UnsafePointer<Float>
  var validity: UnsafePointer<UInt8>
  var group: Int
  var classes: Int
  var rowCount: Int
  var labels: UnsafeMutablePointer<UInt8>

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rowCount, part: part, of: parts)
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.largestClasses
      case .baseline: unsafe SwiftletKernels.largestClasses
      case .avx2: unsafe SwiftletKernelsAVX2.largestClasses
      case .avx512: unsafe SwiftletKernelsAVX512.largestClasses
      }
    unsafe run(
      logits, validity, group, classes, 255, range.lowerBound, range.upperBound, labels)
  }
}

/// Points find their paint; then cells take it.
@unsafe struct PaintJob: PartitionedJob {
  var set: InstructionSet
  var points: UnsafePointer<Float>
  var pointCount: Int
  var cameras: UnsafePointer<Float>
  var images: UnsafePointer<Float>
  var sizes: UnsafePointer<Int32>
  var cameraCount: Int
  var paint: UnsafeMutablePointer<Int32>
  var cells: UnsafePointer<Int32>
  var features: UnsafePointer<Float>
  var channels: Int
  var painted: Int
  var cellCount: Int
  var counts: UnsafeMutablePointer<Float>
  var output: UnsafeMutablePointer<Float>
  var isFirstStage = true

  func run(part: Int, of parts: Int) {
    if unsafe isFirstStage {
      unsafe find(partition(pointCount, part: part, of: parts, grain: 64))
    } else {
      unsafe take(partition(cellCount, part: part, of: parts, grain: 16))
    }
  }

  private func find(_ range: Range<Int>) {
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.findPaint
      case .baseline: unsafe SwiftletKernels.findPaint
      case .avx2: unsafe SwiftletKernelsAVX2.findPaint
      case .avx512: unsafe SwiftletKernelsAVX512.findPaint
      }
    unsafe run(
      points, 4, range.lowerBound, range.upperBound, cameras, images, sizes, cameraCount, paint)
  }

  private func take(_ range: Range<Int>) {
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.paintCells
      case .baseline: unsafe SwiftletKernels.paintCells
      case .avx2: unsafe SwiftletKernelsAVX2.paintCells
      case .avx512: unsafe SwiftletKernelsAVX512.paintCells
      }
    unsafe run(
      cells, paint, pointCount, features, channels, painted, range.lowerBound, range.upperBound,
      channels, counts, output)
  }
}
