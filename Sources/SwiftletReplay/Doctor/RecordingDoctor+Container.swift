import Swiftlet

/// What the files of messages say before any message is understood.
struct ContainerExamination {
  var examined = "files and tables"
  var structure: [RecordingExamination.Finding] = []
  var checksums: RecordingExamination.Check?
  /// True where the containers' own problems are in `structure` already.
  var isOfMessages = false
}

extension RecordingDoctor {
  /// Reads every record of MCAP files and every row of bags; of folders there is nothing to read.
  func examineContainer(
    _ path: String, _ examination: inout RecordingExamination
  ) -> ContainerExamination {
    var container = ContainerExamination()
    do throws(RecordingError) {
      guard let found = try MessageRecording.stores(path) else { return container }
      examination.layout = found.layout
      container.isOfMessages = true
      container.structure = found.warnings.map { finding($0, .structure) }
      var checksums = Checksums()
      var messages = 0
      var chunks = 0
      for store in found.stores {
        guard let reader = store as? MCAPReader else {
          container.structure += store.scan { _ in messages += 1 }.map { finding($0, .structure) }
          continue
        }
        chunks += reader.chunkCount
        messages += examine(reader, &container, &checksums)
      }
      examination.messages = messages
      container.examined =
        "\(found.stores.count) file\(found.stores.count == 1 ? "" : "s"), \(chunks) chunks, "
        + "\(messages) messages"
      container.checksums = checksums.check
    } catch {
      // Opening the recording says the same.
    }
    return container
  }

  /// What was found out about CRCs.
  private struct Checksums {
    var present = 0
    var absent = 0
    var findings: [RecordingExamination.Finding] = []

    mutating func fail(_ message: String) {
      findings.append(
        RecordingExamination.Finding(subject: .checksums, state: .damaged, message: message))
    }
    var check: RecordingExamination.Check {
      var examined = "\(present) CRCs of chunks, sections and attachments"
      if absent > 0 { examined += ", \(absent) not computed by the writer" }
      let state: RecordingExamination.State =
        !findings.isEmpty ? .damaged : present == 0 ? .absent : .good
      return RecordingExamination.Check(
        subject: .checksums, state: state, examined: examined, findings: findings)
    }
  }

  /// - Returns: the number of messages that can be read.
  private func examine(
    _ reader: MCAPReader, _ container: inout ContainerExamination, _ checksums: inout Checksums
  ) -> Int {
    var iterator = reader.messages(order: .file)
    var count = 0
    while iterator.next() != nil { count += 1 }
    let problems = reader.problems + iterator.problems
    for problem in problems where problem.kind == .crcMismatch {
      checksums.fail(problem.description)
    }
    container.structure += problems.filter { $0.kind != .crcMismatch }.map { problem in
      RecordingExamination.Finding(
        subject: .structure, state: problem.isDamage ? .damaged : .odd,
        message: problem.description)
    }
    if let statistics = reader.statistics, problems.allSatisfy({ !$0.isDamage }),
      statistics.messageCount != UInt64(count)
    {
      container.structure.append(
        RecordingExamination.Finding(
          subject: .structure, state: .damaged,
          message: "\(reader.path), Statistics: expected \(count) messages as there are, found "
            + "\(statistics.messageCount); write the file's index anew"))
    }
    countChecksums(reader, problems, &checksums)
    return count
  }

  private func countChecksums(
    _ reader: MCAPReader, _ problems: [MCAPProblem], _ checksums: inout Checksums
  ) {
    func note(_ isPresent: Bool) {
      if isPresent { checksums.present += 1 } else { checksums.absent += 1 }
    }
    var scanner = MCAPScanner(file: reader.file)
    for unit in reader.layout.units where unit.isChunk {
      if let chunk = try? scanner.chunkFields(unit.place) { note(chunk.uncompressedCRC != 0) }
    }
    if let footer = reader.layout.footer, footer.summaryStart > 0 { note(footer.summaryCRC != 0) }
    if let dataEnd = reader.layout.dataEnd {
      note(dataEnd.dataSectionCRC != 0)
      do throws(RecordingError) {
        try reader.checkDataSection()
      } catch { checksums.fail(error.description) }
    }
    for index in 0..<reader.attachmentCount {
      do throws(RecordingError) {
        note(try reader.attachment(index).crc != 0)
      } catch { checksums.fail(error.description) }
    }
  }

  // MARK: structure and payloads

  func examineStructure(
    _ recording: IndexedRecording, _ container: ContainerExamination,
    _ examination: inout RecordingExamination
  ) {
    var codes: Set<String> = [
      ReplayWarning.recordInvalid, ReplayWarning.fileMissing, ReplayWarning.sweepsAbsent,
      ReplayWarning.sensorMissing,
    ]
    if !container.isOfMessages { codes.insert(ReplayWarning.containerDamaged) }
    var structure = container.structure + findings(recording, .structure, codes)
    let samples = recording.index.sensors.reduce(0) { $0 + $1.samples.count }
    if samples == 0 {
      structure.append(
        Finding(subject: .structure, state: .damaged, message: "no image and no scan at all"))
    }
    examination.add(.structure, examined: container.examined, structure)
    if let checksums = container.checksums {
      examination.checks.append(checksums)
    } else {
      examination.addAbsent(.checksums, "\(recording.layout) has none")
    }
  }

  /// Decodes every image and scan once, one in memory at a time.
  func examinePayloads(
    _ recording: IndexedRecording, _ examination: inout RecordingExamination
  ) {
    var found = findings(recording, .payloads, [ReplayWarning.messageInvalid])
    guard readsPayloads else {
      examination.add(.payloads, examined: "not decoded", found)
      return
    }
    var count = 0
    for sensor in recording.index.sensors {
      var problems: [Finding] = []
      for sample in sensor.samples where sample.isPresent {
        count += 1
        if let problem = payloadProblem(recording, sensor, sample) { problems.append(problem) }
      }
      found += problems.prefix(5)
      if problems.count > 5 {
        found.append(
          Finding(
            subject: .payloads, state: problems[5].state, sensor: sensor.name,
            message: "\(problems.count - 5) more"))
      }
    }
    examination.add(.payloads, examined: "\(count) images and scans decoded", found)
  }

  private func payloadProblem(
    _ recording: IndexedRecording, _ sensor: IndexedSensor, _ sample: IndexedSample
  ) -> Finding? {
    func finding(_ state: RecordingExamination.State, _ message: String) -> Finding {
      Finding(subject: .payloads, state: state, sensor: sensor.name, message: message)
    }
    do throws(RecordingError) {
      guard sensor.kind == .camera else {
        let scan = try recording.reader.readScan(sensor, sample)
        if let problem = scan.problem { return finding(.damaged, problem.message) }
        if scan.count == 0 { return finding(.odd, "\(sample.file) has no points") }
        guard scan.notFiniteCount > 0 else { return nil }
        return finding(.odd, "\(sample.file) has \(scan.notFiniteCount) points that are not finite")
      }
      let bytes = try recording.reader.readImage(sensor, sample)
      do throws(CodecError) {
        let image = try ImageCodec.decode(bytes)
        guard let index = sample.calibration,
          let k = sensor.calibrations[index].intrinsics,
          (k.widthPixels, k.heightPixels) != (image.widthPixels, image.heightPixels)
        else { return nil }
        return finding(
          .damaged,
          "\(sample.file): expected \(k.widthPixels)×\(k.heightPixels) pixels as calibrated, found "
            + "\(image.widthPixels)×\(image.heightPixels)")
      } catch {
        return finding(.damaged, "\(sample.file): \(error.description)")
      }
    } catch {
      return finding(.damaged, error.description)
    }
  }
}
