import CSwiftlet
import Swiftlet

extension RigidTransform {
  /// The rows of [R | t].
  init(_ v: Doubles12) {
    self.init(
      rotation: Matrix3(
        SIMD3(v.0, v.1, v.2), SIMD3(v.4, v.5, v.6), SIMD3(v.8, v.9, v.10)),
      translation: SIMD3(v.3, v.7, v.11))
  }
}

extension ElementType {
  init?(_ type: swiftlet_element_type) {
    switch Int(type) {
    case Int(SWIFTLET_FLOAT32): self = .float32
    case Int(SWIFTLET_FLOAT16): self = .float16
    case Int(SWIFTLET_BFLOAT16): self = .bfloat16
    default: return nil
    }
  }
}

extension BEVMapInput.Kind {
  init?(_ kind: swiftlet_bev_kind) {
    switch Int(kind) {
    case Int(SWIFTLET_BEV_RADAR): self = .radar
    case Int(SWIFTLET_BEV_PRIOR): self = .mapPrior
    default: return nil
    }
  }
}

/// The view of a tensor that may be read whatever its owner got wrong: nil when it is absent.
///
/// - Throws: unless it has `shape` and every element lies inside the buffer at its own address.
func view(
  _ tensor: swiftlet_tensor, shape: (Int, Int, Int), _ name: @autoclosure () -> String
) throws(Failure) -> TensorView? {
  guard let data = unsafe tensor.data else { return nil }
  guard let type = unsafe ElementType(tensor.element_type) else {
    throw .input(
      name(), expected: "element type 0 (float32), 1 (float16) or 2 (bfloat16)",
      found: "\(unsafe tensor.element_type)", "convert the tensor")
  }
  let found = unsafe (tensor.shape.0, tensor.shape.1, tensor.shape.2)
  guard found.0 == shape.0, found.1 == shape.1, found.2 == shape.2 else {
    throw .input(
      name(), expected: "shape \(shape)", found: "\(found)",
      "check the network's output sizes against the rig and the configuration")
  }
  guard UInt(bitPattern: data) % UInt(type.byteCount) == 0 else {
    throw .input(
      name(), expected: "an address that is a multiple of \(type.byteCount)",
      found: "one \(UInt(bitPattern: data) % UInt(type.byteCount)) bytes off", "align the buffer")
  }
  let strides = try unsafe strides(of: tensor, shape: shape, name())
  let last = try lastElement(shape, strides, name())
  let (end, overflow) = (last + 1).multipliedReportingOverflow(by: type.byteCount)
  guard !overflow, unsafe end <= tensor.byte_count else {
    throw .input(
      name(), expected: "elements within \(unsafe tensor.byte_count) bytes",
      found: "one that ends at byte \(overflow ? "2^63" : "\(end)")", "correct the strides or the size")
  }
  return unsafe TensorView(base: data, elementType: type, shape: shape, strides: strides)
}

/// The tensor's strides; those of a contiguous one where all are 0.
///
/// - Throws: unless each is 1 or more and no two elements share an address.
private func strides(
  of tensor: swiftlet_tensor, shape: (Int, Int, Int), _ name: @autoclosure () -> String
) throws(Failure) -> (Int, Int, Int) {
  let given = unsafe (tensor.strides.0, tensor.strides.1, tensor.strides.2)
  if given == (0, 0, 0) { return (shape.1 * shape.2, shape.2, 1) }
  guard given.0 > 0, given.1 > 0, given.2 > 0, given.0 < 1 << 40, given.1 < 1 << 40,
    given.2 < 1 << 40
  else {
    throw .input(
      name(), expected: "strides of 1 or more elements", found: "\(given)",
      "give positive strides, or all 0 for a contiguous tensor")
  }
  var (a, b, c) = ((Int(given.0), shape.0), (Int(given.1), shape.1), (Int(given.2), shape.2))
  // Ascending by stride: an axis must step over everything the finer ones span.
  if a.0 > b.0 { swap(&a, &b) }
  if b.0 > c.0 { swap(&b, &c) }
  if a.0 > b.0 { swap(&a, &b) }
  let spanA = (a.1 - 1) * a.0
  let spanB = spanA + (b.1 - 1) * b.0
  guard b.1 == 1 || b.0 > spanA, c.1 == 1 || c.0 > spanB else {
    throw .input(
      name(), expected: "strides that keep elements apart", found: "\(given) for shape \(shape)",
      "give the strides of the tensor as it lies in memory")
  }
  return (Int(given.0), Int(given.1), Int(given.2))
}

private func lastElement(
  _ shape: (Int, Int, Int), _ strides: (Int, Int, Int), _ name: @autoclosure () -> String
) throws(Failure) -> Int {
  // Sizes are at most 2^31 and strides at most 2^40, so only the products can overflow.
  let (x, overflowX) = (shape.0 - 1).multipliedReportingOverflow(by: strides.0)
  let (y, overflowY) = (shape.1 - 1).multipliedReportingOverflow(by: strides.1)
  let (z, overflowZ) = (shape.2 - 1).multipliedReportingOverflow(by: strides.2)
  let (xy, overflowXY) = x.addingReportingOverflow(y)
  let (sum, overflowSum) = xy.addingReportingOverflow(z)
  guard !overflowX, !overflowY, !overflowZ, !overflowXY, !overflowSum, sum < Int.max else {
    throw .input(
      name(), expected: "strides within memory", found: "\(strides) for shape \(shape)",
      "correct the strides")
  }
  return sum
}

/// The view of a LiDAR's points.
///
/// - Throws: unless every field of every record lies inside the buffer.
func view(
  _ lidar: swiftlet_lidar_frame, _ name: @autoclosure () -> String
) throws(Failure) -> PointCloudView {
  let count = unsafe Int(clamping: lidar.point_count)
  if count == 0 { return .empty }
  guard let points = unsafe lidar.points else { throw .null("\(name()).points") }
  let stride = unsafe Int(clamping: lidar.record_stride)
  let offsets = unsafe (lidar.x_offset, lidar.y_offset, lidar.z_offset, lidar.intensity_offset)
  let last = max(offsets.0, offsets.1, offsets.2, offsets.3)
  guard min(offsets.0, offsets.1, offsets.2) >= 0, offsets.3 >= -1, last < 4096,
    stride >= Int(last) + 4, stride <= 4096
  else {
    throw .input(
      name(), expected: "x, y, z (and intensity or -1) inside a record of at most 4096 bytes",
      found: "offsets \(offsets) in \(stride) bytes", "correct record_stride and the offsets")
  }
  let needed = (count - 1).multipliedReportingOverflow(by: stride)
  guard !needed.overflow,
    unsafe UInt(bitPattern: needed.partialValue) + UInt(last) + 4 <= lidar.byte_count
  else {
    throw .input(
      name(), expected: "\(count) records of \(stride) bytes",
      found: "\(unsafe lidar.byte_count) bytes", "correct point_count or byte_count")
  }
  var result = unsafe PointCloudView(base: points, count: count, byteStride: stride)
  result.xByteOffset = Int(offsets.0)
  result.yByteOffset = Int(offsets.1)
  result.zByteOffset = Int(offsets.2)
  result.intensityByteOffset = Int(offsets.3)
  return result
}

/// The view of an image; nil when it is absent.
func view(
  _ image: swiftlet_image, _ name: @autoclosure () -> String
) throws(Failure) -> ImageView? {
  guard let data = unsafe image.data else { return nil }
  let (width, height) = unsafe (Int(image.width), Int(image.height))
  let stride = unsafe image.row_stride == 0 ? 3 * width : Int(image.row_stride)
  guard (1...32_768).contains(width), (1...32_768).contains(height), stride >= 3 * width,
    stride <= 1 << 20
  else {
    throw .input(
      name(), expected: "1 to 32,768 pixels a side and rows of 3 bytes a pixel or more",
      found: "\(width) x \(height), rows \(stride) bytes apart", "correct the image's sizes")
  }
  guard unsafe (height - 1) * stride + 3 * width <= image.byte_count else {
    throw .input(
      name(), expected: "\((height - 1) * stride + 3 * width) bytes",
      found: "\(unsafe image.byte_count)", "correct byte_count or the sizes")
  }
  return unsafe ImageView(base: data, widthPixels: width, heightPixels: height, byteStride: stride)
}
