import Foundation

/// The slowest frames with what stood beside them and what they looked like.
struct WorstFrames {
  var result: ReplayResult
  var pictures: [HTMLReport.Picture]
  private static let labels = ["worst", "second", "third"]

  init(result: ReplayResult, pictures: [HTMLReport.Picture]) {
    self.result = result
    self.pictures = pictures
  }

  var html: String {
    let worst = result.worstRecords(8)
    guard !worst.isEmpty else { return HTMLText.element("p", "No frame was measured.") }
    return cards + table(worst)
  }

  /// The first pass's three worst, which were drawn.
  private var cards: String {
    let drawn = result.records.filter { $0.pass == 0 }.sorted { a, b in
      (b.judgedNanoseconds, a.measuredIndex) < (a.judgedNanoseconds, b.measuredIndex)
    }
    return zip(drawn, Self.labels).map { record, label in
      let own = pictures.filter { $0.label.hasPrefix(label) }
      guard !own.isEmpty else { return "" }
      return """
        <div class="frame"><h3>\(HTMLText.escaped(heading(record)))</h3>\
        <p>\(HTMLText.escaped(facts(record)))</p>\
        <div class="pictures">\(own.map(figure).joined(separator: "\n"))</div></div>

        """
    }.joined()
  }

  private func heading(_ record: FrameRecord) -> String {
    let over = record.judgedNanoseconds - result.options.budgetNanoseconds
    let excess = over > 0 ? ", \(HTMLText.milliseconds(over)) ms over the budget" : ", in time"
    let cause = result.missCause(of: record).map { " (by \($0.rawValue))" } ?? ""
    return "Frame \(record.recordedIndex): \(HTMLText.milliseconds(record.judgedNanoseconds)) ms"
      + excess + cause
  }

  private func facts(_ record: FrameRecord) -> String {
    let stages = result.stages.indices.filter { result.stages[$0].isInBudget }.map {
      "\(result.stages[$0].name) \(HTMLText.milliseconds(record.stageNanoseconds[$0])) ms"
    }
    let host = record.host
    return (stages + [
      "thread CPU \(HTMLText.milliseconds(host.threadCPUNanoseconds)) ms",
      "\(host.involuntarySwitches) involuntary switches", "\(host.pageFaults) page faults",
      "steal \(HTMLText.milliseconds(host.stealNanoseconds)) ms",
    ]).joined(separator: " · ")
  }

  private func figure(_ picture: HTMLReport.Picture) -> String {
    let type = picture.bytes.first == 0x89 ? "png" : "jpeg"
    let data = Data(picture.bytes).base64EncodedString()
    let label = HTMLText.escaped(picture.label)
    return """
      <figure><img alt="\(label)" src="data:image/\(type);base64,\(data)">\
      <figcaption>\(label)</figcaption></figure>
      """
  }

  private func table(_ worst: [FrameRecord]) -> String {
    let inBudget = result.stages.indices.filter { result.stages[$0].isInBudget }
    var columns = ["frame", "measured as", "ms", "over budget", "cause"]
    columns += inBudget.map { result.stages[$0].name }
    columns += ["CPU ms", "switches", "page faults", "steal ms", "missing sensors"]
    let rows = worst.map { record in
      let over = record.judgedNanoseconds - result.options.budgetNanoseconds
      var cells = [
        "\(record.recordedIndex)", "\(record.measuredIndex)",
        HTMLText.milliseconds(record.judgedNanoseconds),
        over > 0 ? HTMLText.milliseconds(over) : "no",
        result.missCause(of: record)?.rawValue ?? "",
      ]
      cells += inBudget.map { HTMLText.milliseconds(record.stageNanoseconds[$0]) }
      cells.append(HTMLText.milliseconds(record.host.threadCPUNanoseconds))
      cells.append("\(record.host.involuntarySwitches)")
      cells.append("\(record.host.pageFaults)")
      cells.append(HTMLText.milliseconds(record.host.stealNanoseconds))
      let missing = record.sensors.filter { !$0.isValid }.map(\.name)
      cells.append(missing.isEmpty ? "none" : missing.joined(separator: ", "))
      return cells
    }
    return HTMLText.table(columns, rows)
  }
}
