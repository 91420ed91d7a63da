import Swiftlet

/// nuScenes-lidarseg: where each scan's classes are, and what their numbers mean.
struct NuScenesLabels {
  /// By sample_data token.
  var files: [String: String] = [:]
  var format: PointLabelFormat?

  init() {}

  /// Reads `lidarseg.json` and the `index` of `category.json`; without the first there are no classes.
  init(
    tables: String, root: String, _ warnings: inout [ReplayWarning]
  ) throws(RecordingError) {
    let table = NuScenesTable(file: "\(tables)/lidarseg.json")
    let categories = NuScenesTable(file: "\(tables)/category.json")
    guard RecordingFile.exists(table.file) else { return }
    var names: [Int: String] = [:]
    try categories.forEach(&warnings) { (record) throws(RecordingError) in
      if let index = record.value["index"]?.intValue { names[index] = try record.string("name") }
    }
    guard !names.isEmpty else {
      let error = RecordingError(
        file: categories.file, expected: "categories with an index, as lidarseg has them",
        found: "none", remedy: "copy the table of the lidarseg package")
      warnings.append(
        ReplayWarning(code: ReplayWarning.pointLabelsInvalid, message: error.description))
      return
    }
    format = PointLabelFormat(nuScenes: names)
    var files: [String: String] = [:]
    try table.forEach(&warnings) { (record) throws(RecordingError) in
      files[try record.token("sample_data_token")] = "\(root)/\(try record.token("filename"))"
    }
    self.files = files
  }
}
