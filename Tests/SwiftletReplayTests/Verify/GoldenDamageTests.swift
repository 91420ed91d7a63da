import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// A case that cannot be used says which file and tensor, and hides no other case.
@Suite struct GoldenDamageTests {
  /// The first case is damaged and says `words`; the second still passes.
  private func expectDamage(
    _ folder: GoldenFolder, says words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let cases = try folder.verified()
    #expect(cases.map(\.status) == [.fail, .pass], sourceLocation: sourceLocation)
    #expect(cases.first?.isDamaged == true, sourceLocation: sourceLocation)
    for word in words {
      #expect(cases[0].detail.contains(word), "\(cases[0].detail)", sourceLocation: sourceLocation)
    }
    let statuses = VerifiedCase.exitStatuses(of: cases, allowsUnsupported: false)
    #expect(statuses == [.recordingDamaged], sourceLocation: sourceLocation)
  }

  @Test func `the sound set passes`() throws {
    let cases = try GoldenFolder().verified()
    #expect(cases.map(\.status) == [.pass, .pass])
    #expect(VerifiedCase.exitStatuses(of: cases, allowsUnsupported: false).isEmpty)
  }

  @Test func `a missing, an empty and a truncated file are named`() throws {
    var folder = GoldenFolder()
    let whole = try #require(folder.files["first.safetensors"])
    folder.files["first.safetensors"] = nil
    try expectDamage(folder, says: ["first.safetensors", "found none"])
    for count in 0..<whole.count {
      folder.files["first.safetensors"] = Array(whole.prefix(count))
      try expectDamage(folder, says: ["first.safetensors", "expected"])
    }
  }

  @Test func `a header longer than the file is refused`() throws {
    var folder = GoldenFolder()
    for byte in 1..<8 {
      folder.files["first.safetensors"]?[byte] = 0xff
      try expectDamage(folder, says: ["first.safetensors", "header"])
    }
  }

  @Test func `overlapping tensors are named`() throws {
    var folder = GoldenFolder()
    let header = """
      {"in.x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},\
      "param.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}}
      """
    let length = header.utf8.count
    folder.files["first.safetensors"] =
      [UInt8(length & 255), UInt8(length >> 8), 0, 0, 0, 0, 0, 0] + Array(header.utf8)
      + [UInt8](repeating: 0, count: 12)
    try expectDamage(folder, says: ["first.safetensors", "param.weight", "in.x"])
  }

  @Test func `a tensor that is missing or unlike the index is named`() throws {
    for name in GoldenFolder.linear.keys {
      var folder = GoldenFolder()
      var tensors = GoldenFolder.linear
      tensors[name] = nil
      folder.files["first.safetensors"] = SafeTensors(tensors: tensors).serialized()
      try expectDamage(folder, says: ["first.safetensors", name, "no such tensor"])
      tensors[name] = HostTensor([1, 2, 3] as [Int32], shape: [3])
      folder.files["first.safetensors"] = SafeTensors(tensors: tensors).serialized()
      try expectDamage(folder, says: ["first.safetensors", name, "int32 [3]", "index.json"])
    }
  }

  @Test func `a shape the operation cannot have is named though file and index agree`() throws {
    for (name, shape) in [("in.x", [2, 1]), ("in.x", [2]), ("param.weight", [2, 1]), ("param.bias", [])] {
      var folder = GoldenFolder()
      var tensors = GoldenFolder.linear
      let old = try #require(tensors[name]?.floats())
      tensors[name] = HostTensor(old, shape: shape)
      folder.set("first", tensors)
      try expectDamage(folder, says: ["first.safetensors", "float32"])
    }
  }

  @Test func `an entry without a name, file or operation is one damaged case`() throws {
    for key in ["name", "file", "operation"] {
      var folder = GoldenFolder()
      folder.change("first", key, nil)
      try expectDamage(folder, says: ["index.json case 0", key])
    }
  }

  @Test func `an unknown comparison, a negative tolerance and a missing mask are named`() throws {
    var folder = GoldenFolder()
    folder.change("first", tensor: "out.y", "compare", .string("roughly"))
    try expectDamage(folder, says: ["out.y", "roughly"])
    folder = GoldenFolder()
    folder.change("first", tensor: "out.y", "max_abs", .number(-1))
    try expectDamage(folder, says: ["out.y", "-1"])
    folder = GoldenFolder()
    folder.change("first", tensor: "out.y", "skip", .string("aux.other"))
    try expectDamage(folder, says: ["aux.other"])
    folder = GoldenFolder()
    folder.change("first", "tensors", nil)
    try expectDamage(folder, says: ["expects nothing"])
  }
}

@Suite struct GoldenVerdictTests {
  @Test func `a wrong value is a mismatch, skipped it is not`() throws {
    var folder = GoldenFolder()
    var tensors = GoldenFolder.linear
    tensors["out.y"] = HostTensor([17] as [Float], shape: [1, 1])
    tensors["aux.mask"] = HostTensor([1] as [UInt8], shape: [1])
    folder.set("first", tensors)
    let wrong = try folder.verified()
    #expect(wrong.map(\.status) == [.fail, .pass])
    #expect(VerifiedCase.exitStatuses(of: wrong, allowsUnsupported: false) == [.outputMismatch])
    folder.change("first", tensor: "out.y", "skip", .string("aux.mask"))
    #expect(try folder.verified().map(\.status) == [.pass, .pass])
  }

  @Test func `NaN inputs give NaN outputs, which fail as a mismatch`() throws {
    var folder = GoldenFolder()
    var tensors = GoldenFolder.linear
    tensors["in.x"] = HostTensor([.nan, 2] as [Float], shape: [1, 2])
    folder.set("first", tensors)
    let cases = try folder.verified()
    #expect(cases.map(\.status) == [.fail, .pass])
    #expect(!cases[0].isDamaged)
  }

  @Test func `an unknown operation is unsupported and worth 6, and worse outcomes win`() throws {
    var folder = GoldenFolder()
    folder.change("first", "operation", .string("perfect_perception"))
    let cases = try folder.verified()
    #expect(cases.map(\.status) == [.unsupported, .pass])
    #expect(VerifiedCase.exitStatuses(of: cases, allowsUnsupported: false) == [.inconclusive])
    #expect(VerifiedCase.exitStatuses(of: cases, allowsUnsupported: true).isEmpty)
    #expect(VerifiedCase.exitStatuses(of: [], allowsUnsupported: true) == [.baselineMissing])
    let all: Set<ExitStatus> = [.inconclusive, .outputMismatch, .recordingDamaged]
    #expect(ExitStatus.worst(of: all) == .recordingDamaged)
  }

  @Test func `an index that is missing and one that is damaged differ`() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("golden-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      _ = try GoldenSet(path: folder.path)
      Issue.record("an absent index was read")
    } catch {
      #expect(error.isMissing)
    }
    for text in ["", "{", "[]", "{}", #"{"cases":[]}"#, #"{"cases":3}"#, "\u{0}"] {
      try Data(text.utf8).write(to: folder.appendingPathComponent("index.json"))
      do {
        _ = try GoldenSet(path: folder.path)
        Issue.record("\(text) was read")
      } catch {
        #expect(!error.isMissing && error.description.contains("index.json"))
      }
    }
  }

  @Test func `depth bins of an unknown name follow the layout text`() throws {
    let runner = try #require(GoldenOperations.runners["frustum_template"])
    let context = VerifyContext(engine: .reference, pool: WorkerPool(threadCount: 1))
    var test = GoldenCase(
      name: "own", operation: "frustum_template", attributes: .object([:]),
      tensors: ["out.depth_own": HostTensor([0, 0, 0] as [Float], shape: [3])])
    #expect(throws: GoldenError.self) { try runner(test, context) }
    for (layout, expected) in [
      ("[3] depth bins for d0,d1,dd = (2, 5, 1)", [2, 3, 4] as [Float]),
      ("[3] SID depth bins for d0,d1,dd = (2, 9, 2.5)", [2, 4, 8] as [Float]),
    ] {
      test.layouts["out.depth_own"] = layout
      guard case .float32(let bins)? = try runner(test, context)["out.depth_own"] else {
        Issue.record("no bins")
        return
      }
      #expect(zip(bins, expected).allSatisfy { abs($0 - $1) < 1e-5 } && bins.count == 3)
    }
    test.layouts["out.depth_own"] = "(2, 5, 0)"
    #expect(throws: GoldenError.self) { try runner(test, context) }
  }
}
