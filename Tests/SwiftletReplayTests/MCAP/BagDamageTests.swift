import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// ROS 2 bags with parts that are missing, surplus or damaged, `.db3` among them.
@Suite struct BagDamageTests {
  /// Times of the frames that can be loaded, in milliseconds since the first of the drive.
  private func frames(_ recording: any Recording) -> [Int64] {
    (0..<recording.frameCount).compactMap { index in
      guard (try? recording.loadFrame(index)) != nil else { return nil }
      return recording.frameTimestampNanoseconds(index) / 1_000_000
        - NuScenesBuilder.start / 1_000
    }
  }
  private func damage(_ recording: any Recording) -> [String] {
    recording.warnings.filter { $0.code == ReplayWarning.containerDamaged }.map(\.message)
  }

  /// The first three frames and what says how the rig is, and the rest.
  private func halves(_ bag: BagBuilder) -> (first: [StoredMessage], second: [StoredMessage]) {
    let cut = NuScenesBuilder.start * 1_000 + 250_000_000
    return (bag.messages.filter { $0.logTime < cut }, bag.messages.filter { $0.logTime >= cut })
  }
  private func write(_ part: [StoredMessage], _ name: String, in bag: BagBuilder) throws {
    guard name.hasSuffix(".db3") else { return try bag.writeMCAP(name, part) }
    try bag.writeSQLite(name, part)
  }

  @Test(arguments: ["mcap", "db3"])
  func `parts are read in order, and one that is missing or too many is named`(
    kind: String
  ) throws {
    let bag = try BagBuilder()
    let (first, second) = halves(bag)
    let names = ["z_0.\(kind)", "a_1.\(kind)"]
    try write(first, names[0], in: bag)
    try write(second, names[1], in: bag)
    try bag.writeMetadata(names)
    let whole = try bag.open()
    #expect(frames(whole) == [0, 100, 200, 300, 400, 500] && damage(whole).isEmpty)
    #expect(whole.warnings.allSatisfy { !$0.isDamage }, "\(whole.warnings)")

    try bag.writeMetadata([names[0]])
    let surplus = try bag.open()
    #expect(frames(surplus) == [0, 100, 200, 300, 400, 500])
    #expect(damage(surplus).count == 1 && damage(surplus)[0].contains("\(names[1]): expected only"))

    try bag.writeMetadata(names)
    try bag.folder.remove(names[1])
    let missing = try bag.open()
    #expect(frames(missing) == [0, 100, 200])
    let named = "\(names[1]): expected the part that metadata.yaml lists"
    #expect(damage(missing).count == 1 && damage(missing)[0].contains(named))
  }

  @Test(arguments: ["mcap", "db3"])
  func `a part that cannot be read costs its messages only, and is named`(kind: String) throws {
    let bag = try BagBuilder()
    let (first, _) = halves(bag)
    let names = ["0.\(kind)", "1.\(kind)"]
    try write(first, names[0], in: bag)
    try bag.writeMetadata(names)
    let text = Array("timestamp,topic\n0,/tf\n".utf8)
    for bytes in [[], text, [UInt8](repeating: 0xa5, count: 5_000)] {
      try bag.folder.write(names[1], bytes)
      let recording = try bag.open()
      #expect(frames(recording) == [0, 100, 200])
      #expect(damage(recording).count == 1, "\(bytes.count) bytes: \(damage(recording))")
      #expect(damage(recording).first?.contains(names[1]) == true)
      // By itself it is an error that says so.
      #expect(throws: RecordingError.self) { _ = try bag.open(names[1]) }
      let examination = RecordingDoctor().examine(bag.folder.path)
      #expect(examination.checks.first { $0.subject == .structure }?.state == .damaged)
    }
  }

  @Test func `a database that ends early yields the rows before, and says so`() throws {
    let bag = try BagBuilder(frames: 12)
    try bag.writeSQLite("0.db3", bag.messages)
    let whole = try bag.folder.read("0.db3")
    let opened = try bag.open("0.db3")
    #expect(frames(opened).count == 12 && opened.layout == "ROS 2 bag")
    var readable: [Int] = []
    for part in [95, 80, 60, 40] {
      try bag.folder.write("0.db3", Array(whole.prefix(whole.count * part / 100 / 512 * 512)))
      let recording = try bag.open("0.db3")
      let found = frames(recording)
      #expect(found == (0..<Int64(found.count)).map { $0 * 100 }, "\(part) %: \(found)")
      #expect(damage(recording).count == 1 && damage(recording)[0].contains("0.db3"))
      let bytes = "\(whole.count * part / 100 / 512 * 512) of \(whole.count) bytes"
      #expect(damage(recording).first?.contains(bytes) == true, "\(damage(recording))")
      readable.append(found.count)
    }
    let isFewer = readable == readable.sorted(by: >) && readable.last ?? 12 < 12
    #expect(isFewer && readable.last ?? 0 > 0, "\(readable)")
  }

  @Test func `a transform or calibration cut short is left out by name, the frames stay`() throws {
    let bag = try BagBuilder()
    var messages = bag.messages
    var names: [String] = []
    for type in ["tf2_msgs/msg/TFMessage", "sensor_msgs/msg/CameraInfo"] {
      let index = try #require(messages.lastIndex { $0.type == type })
      messages[index].data = messages[index].data.prefix(9)
      names.append("\(messages[index].topic) at \(messages[index].logTime) ns")
    }
    try bag.writeMCAP("0.mcap", messages)
    let recording = try bag.open("0.mcap")
    let invalid = recording.warnings.filter { $0.code == ReplayWarning.messageInvalid }
    #expect(invalid.count == 2 && invalid.allSatisfy { $0.isDamage }, "\(recording.warnings)")
    for name in names { #expect(invalid.contains { $0.message.contains(name) }, "\(name)") }
    #expect(frames(recording) == [0, 100, 200, 300, 400, 500])
    let examination = RecordingDoctor().examine(bag.folder.path + "/0.mcap")
    #expect(examination.checks.first { $0.subject == .payloads }?.state == .damaged)
  }

  @Test func `a damaged page costs the rows in it, which are named, and none behind`() throws {
    let bag = try BagBuilder(frames: 30)
    try bag.writeSQLite("0.db3", bag.messages)
    let whole = try bag.folder.read("0.db3")
    let path = bag.folder.path + "/0.db3"
    func scan() throws -> (times: [Int64], warnings: [ReplayWarning]) {
      var times: [Int64] = []
      let warnings = try SQLiteBag(path: path).scan { times.append($0.logTime) }
      return (times, warnings)
    }
    let all = try scan()
    #expect(all.times == bag.messages.map(\.logTime) && all.warnings.isEmpty)
    var damagedPages = 0
    for start in stride(from: 0, to: whole.count, by: 7 * 512) {
      // Leaves of a table: what is above them leads to many.
      guard whole[start] == 13, start > 6 * 512 else { continue }
      var bytes = whole
      for index in start..<start + 512 { bytes[index] = 0xa5 }
      try bag.folder.write("0.db3", bytes)
      let (times, warnings) = try scan()
      #expect(times.count >= all.times.count - 12, "page at \(start): \(times.count)")
      #expect(Set(times).isSubset(of: Set(all.times)) && times == times.sorted())
      if times.count < all.times.count {
        damagedPages += 1
        #expect(warnings.count == 1 && warnings[0].message.contains("lost"), "\(warnings)")
      }
      #expect(times.last == all.times.last || start > whole.count * 9 / 10, "page at \(start)")
    }
    #expect(damagedPages > 3)
  }

  @Test func `a database without the tables of a bag says which is missing`() throws {
    let bag = try BagBuilder(frames: 2)
    try bag.writeSQLite("0.db3", bag.messages)
    let bytes = try bag.folder.read("0.db3")
    let text = Array("CREATE TABLE messages".utf8)
    let at = try #require((0..<bytes.count).first { bytes[$0...].starts(with: text) })
    var changed = bytes
    // The name of the table in the schema's row too, a few bytes before.
    let name = Array("messages".utf8)
    for offset in at - 40..<at + text.count where changed[offset...].starts(with: name) {
      changed[offset] = UInt8(ascii: "n")
    }
    try bag.folder.write("0.db3", changed)
    #expect {
      _ = try bag.open("0.db3")
    } throws: { error in
      "\(error)".contains("at least one frame") || "\(error)".contains("no such table")
    }
    let examination = RecordingDoctor().examine(bag.folder.path + "/0.db3")
    let messages = examination.findings.map(\.message)
    #expect(messages.contains { $0.contains("no such table: messages") }, "\(messages)")
  }
}
