import Foundation

/// Which prediction file belongs to which truth file.
///
/// A sample's name is its file's name without extension, or the folder's name where the file is
/// called `labels` (Occ3D: scene/token/labels.npz).
public struct SamplePairing: Sendable, Equatable {
  public struct Pair: Sendable, Equatable {
    public var sample: String
    public var prediction: String
    public var truth: String
  }
  public var pairs: [Pair]
  /// Truths without a prediction, and predictions without a truth.
  public var missing: [String]
  public var unused: [String]

  /// Pairs two files, or the files of two folders, folders below them included.
  ///
  /// - Throws: `ExchangeError` when a path is not there, a folder holds no labels, or two files of
  ///   one set name the same sample.
  public init(prediction: String, truth: String) throws(ExchangeError) {
    let predictions = try Self.samples(prediction)
    let truths = try Self.samples(truth)
    if let a = predictions.single, let b = truths.single {
      pairs = [Pair(sample: Self.sampleName(b), prediction: a, truth: b)]
      missing = []
      unused = []
      return
    }
    pairs = truths.byName.keys.sorted().compactMap { name in
      guard let truth = truths.byName[name], let found = predictions.byName[name] else { return nil }
      return Pair(sample: name, prediction: found, truth: truth)
    }
    missing = truths.byName.keys.filter { predictions.byName[$0] == nil }.sorted()
    unused = predictions.byName.keys.filter { truths.byName[$0] == nil }.sorted()
  }

  private struct Samples {
    var single: String?
    var byName: [String: String] = [:]
  }

  private static func samples(_ path: String) throws(ExchangeError) -> Samples {
    guard RecordingFile.exists(path) else {
      throw ExchangeError(
        file: path, expected: "a label file or a folder of them", found: "nothing there",
        remedy: "give an existing path")
    }
    guard RecordingFile.isFolder(path) else {
      return Samples(single: path, byName: [sampleName(path): path])
    }
    var samples = Samples()
    let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    for name in names.sorted() where isLabelFile(name) {
      let file = path + "/" + name
      let sample = sampleName(file)
      if let other = samples.byName.updateValue(file, forKey: sample) {
        throw ExchangeError(
          file: file, expected: "one file a sample", found: "\(other) for \(sample) as well",
          remedy: "leave one of them out")
      }
    }
    guard !samples.byName.isEmpty else {
      throw ExchangeError(
        file: path,
        expected: "files \(OccupancyLabels.fileExtensions.map { "." + $0 }.joined(separator: ", "))",
        found: "none", remedy: "give the folder that holds the labels")
    }
    return samples
  }

  private static func isLabelFile(_ name: String) -> Bool {
    OccupancyLabels.fileExtensions.contains(name.split(separator: ".").last?.lowercased() ?? "")
  }

  static func sampleName(_ path: String) -> String {
    let parts = path.split(separator: "/").map(String.init)
    let name = parts.last ?? path
    let stem = name.split(separator: ".").dropLast().joined(separator: ".")
    return stem == "labels" && parts.count > 1 ? parts[parts.count - 2] : stem
  }
}
