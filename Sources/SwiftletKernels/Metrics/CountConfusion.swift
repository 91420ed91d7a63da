import CVectorShims

/// Adds voxels `lower..<upper` to `histogram` [truth][prediction] and returns how many evaluated
/// voxels have a prediction that is no class.
///
/// A voxel counts where `mask` (if any) is not 0 and its truth is below `classCount`. Most voxels
/// are free in both grids, so 64 labels are compared at once, that pair is counted by a population
/// count, and only what differs from it is walked bit by bit; a histogram by vector scatter would
/// serialise on exactly this pair.
@inline(never)
public func countConfusion(
  _ prediction: UnsafePointer<UInt8>, _ truth: UnsafePointer<UInt8>, _ mask: UnsafePointer<UInt8>?,
  _ lower: Int, _ upper: Int, _ classCount: Int, _ freeClass: Int,
  _ histogram: UnsafeMutablePointer<Int64>
) -> Int {
  let classes = swl_splat_u8x64(UInt8(truncatingIfNeeded: classCount))
  let free = swl_splat_u8x64(UInt8(truncatingIfNeeded: freeClass))
  let zero = swl_splat_u8x64(0)
  var bothFree: Int64 = 0
  var invalid = 0
  var index = lower
  while index &+ 64 <= upper {
    let truthLabels = swl_load_u8x64(truth + index)
    var pending = swl_less_bits_u8x64(truthLabels, classes)
    if let mask { pending &= ~swl_equal_bits_u8x64(swl_load_u8x64(mask + index), zero) }
    if pending != 0 {
      let freeTruth = swl_equal_bits_u8x64(truthLabels, free)
      let freeBits =
        pending & freeTruth & swl_equal_bits_u8x64(swl_load_u8x64(prediction + index), free)
      bothFree &+= Int64(freeBits.nonzeroBitCount)
      pending &= ~freeBits
      while pending != 0 {
        let voxel = index &+ pending.trailingZeroBitCount
        let predicted = Int(prediction[voxel])
        if predicted < classCount {
          let row: Int = Int(truth[voxel]) &* classCount
          histogram[row &+ predicted] &+= 1
        } else {
          invalid &+= 1
        }
        pending &= pending &- 1
      }
    }
    index &+= 64
  }
  while index < upper {
    let expected = Int(truth[index])
    let predicted = Int(prediction[index])
    var counted = expected < classCount
    if let mask { counted = counted && mask[index] != 0 }
    if counted {
      if predicted < classCount {
        let row: Int = expected &* classCount
        histogram[row &+ predicted] &+= 1
      } else {
        invalid &+= 1
      }
    }
    index &+= 1
  }
  let freeCell: Int = freeClass &* classCount &+ freeClass
  histogram[freeCell] &+= bothFree
  return invalid
}
