/// hist[truth, prediction] += 1 over voxels `lower..<upper` with mask ≠ 0 and truth < classes (the
/// `hist_info` of Occ3D's metrics). Returns how many of them are predicted as no class.
@unsafe
func confusionReference(
  _ prediction: UnsafePointer<UInt8>, _ truth: UnsafePointer<UInt8>, _ mask: UnsafePointer<UInt8>?,
  _ lower: Int, _ upper: Int, _ classCount: Int, _ histogram: UnsafeMutablePointer<Int64>
) -> Int {
  var invalid = 0
  for voxel in lower..<upper {
    if let mask = unsafe mask, unsafe mask[voxel] == 0 { continue }
    let expected = unsafe Int(truth[voxel])
    let predicted = unsafe Int(prediction[voxel])
    if expected >= classCount { continue }
    if predicted >= classCount {
      invalid += 1
      continue
    }
    unsafe histogram[expected * classCount + predicted] += 1
  }
  return invalid
}
