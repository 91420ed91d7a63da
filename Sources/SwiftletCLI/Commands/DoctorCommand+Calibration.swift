import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

extension DoctorCommand {
  /// Judges the calibration, prints what was found, and exits with what it means.
  func runCalibration() throws {
    let recording: any Recording
    do throws(RecordingError) {
      recording = try RecordingOpener.open(
        path: path, options: RecordingOptions(posesFile: poses, scene: scene))
    } catch {
      printError(error.description)
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    let override = try rig.map(loadRig)
    let check: CalibrationCheck
    do {
      check = try reportingProblems {
        try CalibrationCheck(recording, frameLimit: frames, override: override) { done, all in
          printError("frame \(done) of \(all)")
        }
      }
    } catch let error as RecordingError {
      printError(error.description)
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    var changes: [String: CalibrationError6] = [:]
    if let refine {
      let corrected = check.refined()
      changes = corrected.changes
      try writeFile(Array(corrected.rig.json.utf8), to: refine)
    }
    if let out { try writeOverlays(check, recording, override, changes, out) }
    let status = Self.status(check)
    print(json ? jsonText(check, changes, status) : text(check, changes, status))
    if status != .pass { throw ExitCode(status.rawValue) }
  }

  private static func status(_ check: CalibrationCheck) -> ExitStatus {
    if check.diagnosis.hasFault { return .outputMismatch }
    return check.diagnosis.isUndecided ? .inconclusive : .pass
  }

  /// For every camera the LiDAR as calibrated; for one with a fault also as it fits best.
  private func writeOverlays(
    _ check: CalibrationCheck, _ recording: any Recording, _ override: CalibrationRig?,
    _ changes: [String: CalibrationError6], _ folder: String
  ) throws {
    guard let recorded = try? recording.loadFrame(0) else { return }
    try withExtendedLifetime(recorded) {
      var frame = recorded.sensorFrame
      try override?.apply(to: &frame)
      for camera in frame.cameras {
        let name = String(camera.name.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "-" })
        guard
          let given = CalibrationCheck.overlay(camera, of: frame, changedBy: CalibrationError6())
        else { continue }
        try writePicture(given, to: "\(folder)/\(name)_given.png")
        let finding = check.diagnosis.findings.first { $0.camera == camera.name }
        guard let finding, [.turned, .shifted].contains(finding.state),
          let better = CalibrationCheck.overlay(
            camera, of: frame, changedBy: changes[camera.name] ?? finding.best)
        else { continue }
        try writePicture(better, to: "\(folder)/\(name)_better.png")
      }
    }
  }

  // MARK: what is printed

  private func text(
    _ check: CalibrationCheck, _ changes: [String: CalibrationError6], _ status: ExitStatus
  ) -> String {
    let header = ["camera", "state", "edges", "agreement", "best", "turn x y z (deg)", "shift x y z (m)"]
    let rows = check.diagnosis.findings.map { finding in
      [
        finding.camera, finding.state.rawValue + (finding.looksLike.map { " with \($0)" } ?? ""),
        "\(finding.edgeCount)", String(format: "%.3f", finding.score),
        String(format: "%.3f", finding.bestScore), triple(finding.best.turnDegrees, "%+.2f"),
        triple(finding.best.shiftMeters, "%+.2f"),
      ]
    }
    var lines = ["\(path): \(check.frameCount) frames"]
    lines += ColumnLayout.lines([header] + rows)
    lines.append(timeLine(check.diagnosis.timeOffset))
    if let fault = check.diagnosis.rigFault { lines.append(rigLine(fault)) }
    for (camera, change) in changes.sorted(by: { $0.key < $1.key }) {
      lines.append(
        "refined \(camera): turn \(triple(change.turnDegrees, "%+.3f")) degrees, shift "
          + "\(triple(change.shiftMeters, "%+.3f")) m")
    }
    if let refine { lines.append("\(refine): the rig, \(changes.count) cameras corrected") }
    lines.append(verdict(check, status))
    return lines.joined(separator: "\n")
  }

  private func verdict(_ check: CalibrationCheck, _ status: ExitStatus) -> String {
    switch status {
    case .pass: return "PASS: the calibration fits its own images best"
    case .inconclusive: return "INCONCLUSIVE: too few edges to decide, exit \(status.rawValue)"
    default:
      var faults = check.diagnosis.findings.filter { $0.state != .good && $0.state != .undecided }
        .map { "\($0.camera) \($0.state.rawValue)" }
      if check.diagnosis.timeOffset.isFault { faults.insert("time offset", at: 0) }
      switch check.diagnosis.rigFault {
      case .mirrored: faults.insert("rig mirrored", at: 0)
      case .turned(let degrees): faults.insert("rig turned by \(Int(degrees))°", at: 0)
      case nil: break
      }
      return "FAULT: \(faults.joined(separator: ", ")), exit \(status.rawValue)"
    }
  }

  private func timeLine(_ offset: CalibrationDoctor.TimeOffset) -> String {
    guard offset.isJudged else { return "time offset: not judged (no motion known)" }
    let line = String(
      format: "time offset: %+.0f ms added to the cameras' times fits best (agreement %+.1f %%)",
      offset.seconds * 1e3, offset.scoreGain * 100)
    return offset.isFault ? line + ": a fault" : line
  }

  private func rigLine(_ fault: CalibrationDoctor.RigFault) -> String {
    switch fault {
    case .mirrored: "rig: left and right are exchanged in every mount"
    case .turned(let degrees): "rig: fits when all cameras are turned by \(Int(degrees))° about the vertical"
    }
  }

  private func triple(_ v: SIMD3<Double>, _ format: String) -> String {
    (0..<3).map { String(format: format, v[$0]) }.joined(separator: " ")
  }

  private func jsonText(
    _ check: CalibrationCheck, _ changes: [String: CalibrationError6], _ status: ExitStatus
  ) -> String {
    func member(_ error: CalibrationError6?) -> JSONValue {
      guard let error else { return .null }
      return .object([
        "turn_degrees": .vector(error.turnDegrees), "shift_meters": .vector(error.shiftMeters),
      ])
    }
    var cameras: [JSONValue] = []
    for finding in check.diagnosis.findings {
      var camera: [String: JSONValue] = [:]
      camera["name"] = .string(finding.camera)
      camera["state"] = .string(finding.state.rawValue)
      camera["looks_like"] = .optional(finding.looksLike)
      camera["edges"] = .count(finding.edgeCount)
      camera["agreement"] = .number(finding.score)
      camera["best_agreement"] = .number(finding.bestScore)
      camera["best_change"] = member(finding.best)
      camera["best_perturbation"] = member(finding.bestPerturbation)
      camera["better_than_every_perturbation"] = .bool(finding.isBestAsGiven)
      camera["refined_change"] = member(changes[finding.camera])
      cameras.append(.object(camera))
    }
    let offset = check.diagnosis.timeOffset
    var report: [String: JSONValue] = ["schema_version": .integer(1), "path": .string(path)]
    report["frames"] = .count(check.frameCount)
    report["cameras"] = .array(cameras)
    report["time_offset"] = .object([
      "judged": .bool(offset.isJudged), "fault": .bool(offset.isFault),
      "seconds": .number(offset.seconds), "agreement_gain": .number(offset.scoreGain),
    ])
    report["rig_fault"] = .null
    switch check.diagnosis.rigFault {
    case .mirrored: report["rig_fault"] = .object(["kind": .string("mirrored")])
    case .turned(let degrees):
      report["rig_fault"] = .object(["kind": .string("turned"), "degrees": .number(degrees)])
    case nil: break
    }
    report["fault"] = .bool(check.diagnosis.hasFault)
    report["exit_code"] = .integer(Int64(status.rawValue))
    return JSONValue.object(report).text
  }
}
