import Foundation
import Swiftlet

/// One JSON table, read record by record: tables of a whole data set hold millions.
struct NuScenesTable: Sendable {
  let file: String

  /// Calls `body` with each record. Text that stops being JSON ends the table with a warning: the
  /// records before it are used.
  func forEach(
    _ warnings: inout [ReplayWarning], _ body: (NuScenesRecord) throws(RecordingError) -> Void
  ) throws(RecordingError) {
    let data = try RecordingFile.map(file)
    unsafe data.withUnsafeBytes { bytes in
      var reader = unsafe JSONReader(bytes)
      var number = 0
      do throws(JSONError) {
        try reader.beginArray()
        while let value = try reader.nextArrayElement() {
          do throws(RecordingError) {
            try body(NuScenesRecord(file: file, number: number, value: value))
          } catch {
            warn(error, &warnings)
          }
          number += 1
        }
      } catch {
        warn(
          RecordingError(
            file: file, record: "record \(number)", byteOffset: error.byteOffset,
            expected: error.expected, found: error.found,
            remedy: "copy the table again; the \(number) records before are used"), &warnings)
      }
    }
  }

  private func warn(_ error: RecordingError, _ warnings: inout [ReplayWarning]) {
    warnings.append(ReplayWarning(code: ReplayWarning.recordInvalid, message: error.description))
  }
}

/// One record of a table, with errors that name it.
struct NuScenesRecord {
  let file: String
  let number: Int
  let value: JSONValue

  private func error(_ key: String, _ expected: String) -> RecordingError {
    let found = value[key].map { "\($0.text.prefix(60))" } ?? "no \(key)"
    let token = value["token"]?.stringValue.map { ", token \($0)" } ?? ""
    return RecordingError(
      file: file, record: "record \(number)\(token)", expected: "\(key) as \(expected)",
      found: found, remedy: "repair the record or copy the table again")
  }

  func string(_ key: String) throws(RecordingError) -> String {
    guard let text = value[key]?.stringValue else { throw error(key, "a string") }
    return text
  }
  func token(_ key: String = "token") throws(RecordingError) -> String {
    let text = try string(key)
    guard !text.isEmpty else { throw error(key, "a token") }
    return text
  }
  /// Microseconds in the table, nanoseconds here.
  func timestamp() throws(RecordingError) -> Int64 {
    guard let microseconds = value["timestamp"]?.intValue else {
      throw error("timestamp", "whole microseconds")
    }
    let product = Int64(microseconds).multipliedReportingOverflow(by: 1_000)
    guard !product.overflow else { throw error("timestamp", "microseconds below 2⁶³ / 1000") }
    return product.partialValue
  }
  func size(_ key: String) -> Int {
    guard let size = value[key]?.intValue, (0...65_535).contains(size) else { return 0 }
    return size
  }
  /// Rotation (w x y z, within 10⁻³ of unit length) and translation (metres).
  func transform() throws(RecordingError) -> RigidTransform {
    guard let q = value["rotation"]?.doublesValue, q.count == 4 else {
      throw error("rotation", "four numbers w x y z")
    }
    let quaternion = Quaternion(w: q[0], x: q[1], y: q[2], z: q[3])
    guard abs(quaternion.norm - 1) <= 1e-3 else {
      throw error("rotation", "a unit quaternion (its length is \(quaternion.norm))")
    }
    guard let t = value["translation"]?.doublesValue, t.count == 3, t.allSatisfy(\.isFinite) else {
      throw error("translation", "three finite numbers")
    }
    return RigidTransform(
      rotation: quaternion.normalized, translation: SIMD3(t[0], t[1], t[2]))
  }
  /// Row-major K of a camera; nil for other sensors.
  func intrinsicMatrix() throws(RecordingError) -> [Double]? {
    guard let rows = value["camera_intrinsic"]?.arrayValue, !rows.isEmpty else { return nil }
    let values = rows.compactMap(\.doublesValue).flatMap { $0 }
    guard rows.count == 3, values.count == 9, values.allSatisfy(\.isFinite) else {
      throw error("camera_intrinsic", "3×3 finite numbers")
    }
    return values
  }
}
