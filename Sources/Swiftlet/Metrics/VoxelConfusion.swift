import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The confusion matrix of voxel labels, added up over any number of samples, and the intersection
/// over union of its classes: the mIoU of Occ3D.
///
/// A voxel is evaluated where the mask is not 0 and the truth is a class (255 and other labels of
/// no class are ignored).
public struct VoxelConfusion: Sendable, Equatable {
  public let classes: OccupancyClasses
  /// Voxels, [truth][prediction].
  public private(set) var counts: [Int64]
  public private(set) var sampleCount = 0

  public init(classes: OccupancyClasses) {
    self.classes = classes
    counts = [Int64](repeating: 0, count: classes.count * classes.count)
  }

  /// A histogram a thread, so that `add` allocates nothing.
  public final class Scratch {
    let histograms: AlignedBuffer<Int64>
    let stride: Int

    public init(classes: OccupancyClasses, pool: WorkerPool) {
      // One word more counts the predictions that are no class; threads share no cache line.
      stride = (classes.count * classes.count + 8) & ~7
      histograms = AlignedBuffer(count: stride * pool.threadCount)
    }
  }

  /// Adds one sample. The three arrays hold one byte a voxel, in the same order. The counts are
  /// integers: every engine and thread count gives the same.
  ///
  /// - Parameters:
  ///   - prediction: labels.
  ///   - truth: labels.
  ///   - mask: 1 where a voxel is evaluated; nil evaluates all.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  ///   - scratch: made for these classes and this pool; nil allocates one.
  /// - Throws: `InputError` when the sizes differ, or an evaluated voxel is predicted as a label of
  ///   no class; nothing is added then.
  public mutating func add(
    prediction: [UInt8], truth: [UInt8], mask: [UInt8]? = nil, engine: Engine, pool: WorkerPool,
    scratch: Scratch? = nil
  ) throws(InputError) {
    try Self.check("prediction", prediction.count, truth)
    if let mask { try Self.check("mask", mask.count, truth) }
    let scratch = scratch ?? Scratch(classes: classes, pool: pool)
    let size = classes.count * classes.count
    precondition(
      scratch.histograms.count >= pool.threadCount * scratch.stride && scratch.stride > size,
      "a scratch of \(scratch.histograms.count) counts for \(pool.threadCount) x \(size)")
    scratch.histograms.zero()
    let invalid = unsafe prediction.withUnsafeBufferPointer { prediction in
      unsafe truth.withUnsafeBufferPointer { truth in
        unsafe withOptionalBuffer(mask) { mask in
          unsafe run(prediction, truth, mask, into: scratch, engine: engine, pool: pool)
        }
      }
    }
    guard invalid == 0 else {
      throw InputError(
        input: "prediction", expected: "labels below \(classes.count) where voxels are evaluated",
        found: "\(invalid) voxels with other labels",
        remedy: "map the labels to the \(classes.setName) set or give the class count")
    }
    for part in 0..<pool.threadCount {
      for index in 0..<size { counts[index] += scratch.histograms[part * scratch.stride + index] }
    }
    sampleCount += 1
  }

  private static func check(
    _ name: String, _ count: Int, _ truth: [UInt8]
  ) throws(InputError) {
    guard count == truth.count else {
      throw InputError(
        input: name, expected: "\(truth.count) voxels as the truth has", found: "\(count)",
        remedy: "compare grids of one shape")
    }
  }

  private func run(
    _ prediction: UnsafeBufferPointer<UInt8>, _ truth: UnsafeBufferPointer<UInt8>,
    _ mask: UnsafeBufferPointer<UInt8>?, into scratch: Scratch, engine: Engine,
    pool: WorkerPool
  ) -> Int {
    guard let predicted = prediction.baseAddress, let expected = truth.baseAddress else { return 0 }
    let size = classes.count * classes.count
    unsafe pool.run(
      ConfusionJob(
        prediction: predicted, truth: expected, mask: mask?.baseAddress, count: truth.count,
        classCount: classes.count, freeClass: classes.freeClass, stride: scratch.stride,
        histograms: scratch.histograms.pointer, engine: engine))
    return (0..<pool.threadCount).reduce(0) { 
      $0 + Int(scratch.histograms[$1 * scratch.stride + size])
    }
  }
}

extension VoxelConfusion {
  private func row(_ label: Int) -> Int64 {
    (0..<classes.count).reduce(0) { $0 + counts[label * classes.count + $1] }
  }
  private func column(_ label: Int) -> Int64 {
    (0..<classes.count).reduce(0) { $0 + counts[$1 * classes.count + label] }
  }

  /// diagonal / (row + column − diagonal) by label; nil for an empty union.
  public var intersectionOverUnion: [Double?] {
    (0..<classes.count).map { label in
      let both = counts[label * classes.count + label]
      return ratio(both, row(label) + column(label) - both)
    }
  }
  /// The mean over the classes other than free that have a union; nil when none has.
  public var meanIntersectionOverUnion: Double? {
    let scores = intersectionOverUnion
    return mean(classes.occupiedClasses.map { scores[$0] })
  }
  /// Occupied (any class but free) against free; nil when nothing is occupied in either.
  public var occupiedIntersectionOverUnion: Double? {
    let free = classes.freeClass
    let total = counts.reduce(0, +)
    let bothFree = counts[free * classes.count + free]
    let bothOccupied = total - row(free) - column(free) + bothFree
    return ratio(bothOccupied, total - bothFree)
  }
  /// Voxels evaluated so far.
  public var evaluatedVoxelCount: Int64 { counts.reduce(0, +) }
}

/// a / b; nil for b = 0.
func ratio(_ a: Int64, _ b: Int64) -> Double? { b == 0 ? nil : Double(a) / Double(b) }

/// The mean of what is there; nil for nothing.
func mean(_ values: [Double?]) -> Double? {
  let present = values.compactMap { $0 }
  return present.isEmpty ? nil : present.reduce(0, +) / Double(present.count)
}

@unsafe
private func withOptionalBuffer<R>(
  _ array: [UInt8]?, _ body: (UnsafeBufferPointer<UInt8>?) -> R
) -> R {
  guard let array else { return body(nil) }
  return unsafe array.withUnsafeBufferPointer { unsafe body($0) }
}

/// Part by part of the voxels into a histogram of its own; the sums are of integers.
@safe
private struct ConfusionJob: PartitionedJob {
  let prediction: UnsafePointer<UInt8>
  let truth: UnsafePointer<UInt8>
  let mask: UnsafePointer<UInt8>?
  let count: Int
  let classCount: Int
  let freeClass: Int
  /// Elements from one part's histogram to the next; the word after a histogram counts the
  /// predictions that are no class.
  let stride: Int
  let histograms: UnsafeMutablePointer<Int64>
  let engine: Engine

  func run(part: Int, of parts: Int) {
    let range = partition(count, part: part, of: parts, grain: 4096)
    let histogram = unsafe histograms + part * stride
    let (p, t, m) = unsafe (prediction, truth, mask)
    let (a, b, c, f) = (range.lowerBound, range.upperBound, classCount, freeClass)
    let invalid =
      switch engine {
      case .reference: unsafe confusionReference(p, t, m, a, b, c, histogram)
      case .simd(.portable):
        unsafe SwiftletKernelsPortable.countConfusion(p, t, m, a, b, c, f, histogram)
      case .simd(.baseline): unsafe SwiftletKernels.countConfusion(p, t, m, a, b, c, f, histogram)
      case .simd(.avx2): unsafe SwiftletKernelsAVX2.countConfusion(p, t, m, a, b, c, f, histogram)
      case .simd(.avx512):
        unsafe SwiftletKernelsAVX512.countConfusion(p, t, m, a, b, c, f, histogram)
      }
    unsafe histogram[classCount * classCount] = Int64(invalid)
  }
}
