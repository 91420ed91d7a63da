/// Latency of every frame in order of measurement, stage upon stage, with the budget line, as inline
/// SVG.
struct LatencyChart {
  var report: ReplayReport
  private let width = 1140.0
  private let height = 260.0
  private let left = 52.0
  private let bottom = 28.0
  private let top = 12.0

  init(report: ReplayReport) { self.report = report }

  private var values: [Double] {
    report.result.records.map { Double($0.judgedNanoseconds) / 1e6 }
  }
  private var budget: Double { Double(report.result.options.budgetNanoseconds) / 1e6 }
  private var highest: Double { max(budget * 1.15, (values.max() ?? 0) * 1.05, 1e-6) }

  private func y(_ value: Double) -> Double {
    top + (height - top - bottom) * (1 - value / highest)
  }
  private func x(_ index: Int) -> Double {
    left + (width - left - 8) * (Double(index) + 0.5) / Double(max(1, values.count))
  }

  var svg: String {
    guard !values.isEmpty else { return HTMLText.element("p", "No frame was measured.") }
    let c = HTMLText.coordinate
    var body = axis
    body += trace
    let line = c(y(budget))
    let label = HTMLText.escaped("budget \(HTMLText.coordinate(budget)) ms")
    body += """
      <line x1="\(c(left))" x2="\(c(width - 8))" y1="\(line)" y2="\(line)" stroke="var(--bad)" \
      stroke-dasharray="6 4"/><text x="\(c(left + 4))" y="\(c(y(budget) - 5))" \
      style="fill:var(--bad);paint-order:stroke;stroke:var(--paper);stroke-width:3px">\(label)</text>
      """
    body += misses
    return """
      <svg viewBox="0 0 \(Int(width)) \(Int(height))" role="img" \
      aria-label="Latency of every frame against the budget">\(body)</svg>
      \(legend)
      """
  }

  private var axis: String {
    let c = HTMLText.coordinate
    var text = ""
    for tick in Self.ticks(upTo: highest) {
      let place = y(tick)
      text += """
        <line x1="\(c(left))" x2="\(c(width - 8))" y1="\(c(place))" y2="\(c(place))" \
        stroke="var(--line)"/><text x="\(c(left - 6))" y="\(c(place + 4))" \
        text-anchor="end">\(Self.label(tick))</text>
        """
    }
    let count = values.count
    for part in 0...4 {
      let index = (count - 1) * part / 4
      // The last label ends at its frame: centred it would reach beyond the picture.
      let anchor = part == 4 && count > 1 ? "end" : "middle"
      text += """
        <text x="\(c(x(index)))" y="\(c(height - 8))" text-anchor="\(anchor)">\(index)</text>
        """
    }
    text += "<text x=\"4\" y=\"\(c(top + 2))\">ms</text>"
    return text
  }

  /// The frame drawn at each place: all of them, or, where there are more frames than pixels, the
  /// slowest of each pixel's frames: no miss is averaged away.
  private var drawn: [FrameRecord] {
    let records = report.result.records
    let columns = Int(width - left)
    guard records.count > columns else { return records }
    return (0..<columns).compactMap { column in
      let range = (records.count * column / columns)..<(records.count * (column + 1) / columns)
      return records[range].max { $0.judgedNanoseconds < $1.judgedNanoseconds }
    }
  }

  /// What adds up to the judged time, from below: in-budget stages, then waiting.
  private func parts(_ record: FrameRecord) -> [Double] {
    let stages = report.result.stages
    var parts = stages.indices.filter { stages[$0].isInBudget }.map {
      Double(record.stageNanoseconds[$0]) / 1e6
    }
    parts.append(max(0, Double(record.judgedNanoseconds) / 1e6 - parts.reduce(0, +)))
    return parts
  }

  private var partNames: [String] {
    report.result.stages.filter(\.isInBudget).map(\.name)
      + (report.result.options.rate.isOpenLoop ? ["waiting"] : [])
  }

  static func color(_ index: Int) -> String {
    let colors = ["#3f7fe8", "#22a699", "#f2a03d", "#a66fd6", "#8a94a0"]
    return colors[min(index, colors.count - 1)]
  }

  /// Stacked areas, one for each stage; each frame is as wide as its share of the run.
  private var trace: String {
    let c = HTMLText.coordinate
    let frames = drawn
    let stacks = frames.map(parts)
    let step = (width - left - 8) / Double(frames.count)
    var body = ""
    var floors = [Double](repeating: 0, count: frames.count)
    for part in partNames.indices {
      var upper: [String] = []
      var lower: [String] = []
      for (index, stack) in stacks.enumerated() {
        let (from, to) = (left + step * Double(index), left + step * Double(index + 1))
        upper += ["\(c(from)),\(c(y(floors[index] + stack[part])))", "\(c(to)),\(c(y(floors[index] + stack[part])))"]
        lower += ["\(c(from)),\(c(y(floors[index])))", "\(c(to)),\(c(y(floors[index])))"]
        floors[index] += stack[part]
      }
      body += """
        <polygon fill="\(Self.color(part))" fill-opacity="0.85" \
        points="\((upper + lower.reversed()).joined(separator: " "))"/>
        """
    }
    return body
  }

  /// Which colour is which stage, and what the marks say.
  var legend: String {
    guard !report.result.records.isEmpty else { return "" }
    let items = partNames.enumerated().map { index, name in
      "<span><i style=\"background:\(Self.color(index))\"></i>\(HTMLText.escaped(name))</span>"
    }
    let marks = report.result.missCount > 0
      ? "<span><i style=\"background:var(--bad);border-radius:6px\"></i>late frame</span>" : ""
    return "<div class=\"legend\">\(items.joined())\(marks)<span>frames in the order of measurement</span></div>\n"
  }

  private var misses: String {
    let c = HTMLText.coordinate
    var text = ""
    for (index, record) in report.result.records.enumerated() where record.isMissed {
      let value = values[index]
      text += """
        <circle cx="\(c(x(index)))" cy="\(c(y(value)))" r="\(values.count > 300 ? 2 : 3)" fill="var(--bad)"><title>frame \
        \(record.recordedIndex): \(c(value)) ms, by \
        \(report.result.missCause(of: record)?.rawValue ?? "code")</title></circle>
        """
    }
    return text
  }

  /// Three to seven round values from 0.
  static func ticks(upTo highest: Double) -> [Double] {
    var step = 1e-4
    let factors = [2.0, 2.5, 2.0]
    var turn = 0
    while highest / step > 6 {
      step *= factors[turn % 3]
      turn += 1
    }
    return (0...Int(highest / step)).map { Double($0) * step }
  }
  static func label(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : "\((value * 1000).rounded() / 1000)"
  }
}
