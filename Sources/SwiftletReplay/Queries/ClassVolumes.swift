import Swiftlet

/// Classes of an Occ3D volume beside a recording's frames.
///
///     <recording>/network_outputs/OCCUPANCY/<nanoseconds>.safetensors or .npz
///
/// `semantics` integers [x][y][z] (Occ3D's labels, 17 = free), or in `.safetensors` `class_logits`
/// float [x][y][z][class] with 17 classes, or 18 with free as the last.
struct ClassVolumes {
  private let folder: EvidenceFolder
  /// Where the volume lies in the ego's axes, and its cells.
  let grid = NetworkOccupancyModel()

  init(recording: String) { folder = EvidenceFolder(recording: recording, name: "OCCUPANCY") }

  /// One label a cell, [x][y][z], 17 and above for none; nil where no file near in time has classes.
  func labels(at time: Int64) throws(RecordingError) -> [UInt8]? {
    guard let file = folder.file(at: time) else { return nil }
    if file.hasSuffix(".npz") { return try semantics(file) }
    let tensors = try EvidenceFolder.tensors(file)
    if tensors["semantics"] != nil { return try semantics(file) }
    guard let logits = tensors["class_logits"] else { return nil }
    let n = grid.cellCounts
    guard let values = logits.floats(), logits.shape.count == 4,
      Array(logits.shape.prefix(3)) == [n.x, n.y, n.z], [17, 18].contains(logits.shape[3])
    else {
      throw RecordingError(
        file: file, record: "class_logits",
        expected: "F32 or F16 of shape [\(n.x), \(n.y), \(n.z), 17 or 18]",
        found: "\(logits.elementType.rawValue) of shape \(logits.shape)",
        remedy: "export [x, y, z, class] in ego axes as Occ3D does")
    }
    return Self.likeliest(values, classCount: logits.shape[3])
  }

  private func semantics(_ file: String) throws(RecordingError) -> [UInt8] {
    let n = grid.cellCounts
    let found: OccupancyLabels
    do throws(ExchangeError) {
      found = try OccupancyLabels.read(file)
    } catch {
      throw RecordingError(
        file: error.file, expected: error.expected, found: error.found, remedy: error.remedy)
    }
    guard found.sizes == n else {
      throw RecordingError(
        file: file, record: "semantics", expected: "[\(n.x), \(n.y), \(n.z)] cells",
        found: "\(found.sizes)", remedy: "export [x, y, z] in ego axes as Occ3D does")
    }
    return found.labels
  }

  /// The class of the largest logit, of equal ones the lowest; 255 where none is a number.
  static func likeliest(_ logits: [Float], classCount: Int) -> [UInt8] {
    stride(from: 0, to: logits.count, by: classCount).map { start in
      var best: UInt8 = 255
      var highest = -Float.infinity
      for label in 0..<classCount where logits[start + label] > highest {
        (best, highest) = (UInt8(label), logits[start + label])
      }
      return best
    }
  }

  /// The label of a place in ego axes, metres; 255 outside the volume.
  func label(at place: SIMD3<Double>, in labels: [UInt8]) -> UInt8 {
    let cell = ((place - grid.lowerMeters) / grid.cellSizeMeters).rounded(.down)
    let n = grid.cellCounts
    guard cell.x >= 0, cell.y >= 0, cell.z >= 0, cell.x < Double(n.x), cell.y < Double(n.y),
      cell.z < Double(n.z)
    else { return 255 }
    return labels[(Int(cell.x) * n.y + Int(cell.y)) * n.z + Int(cell.z)]
  }
}
