/// When which sensor was missing: a strip per sensor over the frames of the run.
struct SensorStrips {
  var records: [FrameRecord]
  private let width = 600.0

  init(records: [FrameRecord]) { self.records = records }

  var html: String {
    let names = records.first?.sensors.map(\.name) ?? []
    guard !names.isEmpty else { return HTMLText.element("p", "No sensors were recorded.") }
    let summaries = SensorSummary.all(of: records)
    var rows = HTMLText.row(
      ["sensor", "missing", "largest age", "output age p50", "max", "frames in order"], header: true)
    for (name, summary) in zip(names, summaries) {
      let states = records.map { record in record.sensors.first { $0.name == name } }
      let missing = states.count { !($0?.isValid ?? false) }
      let oldest = states.compactMap { $0.flatMap { $0.isValid ? abs($0.ageNanoseconds) : nil } }
        .max()
      rows += """
        <tr><td>\(HTMLText.escaped(name))</td><td>\(missing) of \(records.count)</td>\
        <td>\(HTMLText.milliseconds(oldest)) ms</td>\
        <td>\(HTMLText.milliseconds(summary.medianOutputAgeNanoseconds)) ms</td>\
        <td>\(HTMLText.milliseconds(summary.maximumOutputAgeNanoseconds)) ms</td>\
        <td>\(strip(states))</td></tr>

        """
    }
    let note =
      "Output age: from the sample's exposure to the frame's result. Red: frames without the sensor."
    return "<table>\(rows)</table>\n" + HTMLText.element("p", note, "note")
  }

  private func strip(_ states: [SensorState?]) -> String {
    let c = HTMLText.coordinate
    var body = "<rect width=\"\(Int(width))\" height=\"10\" rx=\"3\" fill=\"var(--good)\"/>"
    var start: Int?
    for index in 0...states.count {
      let isMissing = index < states.count && !(states[index]?.isValid ?? false)
      if isMissing && start == nil { start = index }
      if !isMissing, let first = start {
        let from = width * Double(first) / Double(states.count)
        let wide = max(1.5, width * Double(index - first) / Double(states.count))
        body += """
          <rect x="\(c(from))" width="\(c(wide))" height="10" fill="var(--bad)"><title>missing \
          in \(index - first) frames from \(first)</title></rect>
          """
        start = nil
      }
    }
    return "<svg viewBox=\"0 0 \(Int(width)) 10\" preserveAspectRatio=\"none\">\(body)</svg>"
  }
}
