/// Latency of every frame in order of measurement with the budget line, as inline SVG.
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
      style="fill:var(--bad)">\(label)</text>
      """
    body += misses
    return """
      <svg viewBox="0 0 \(Int(width)) \(Int(height))" role="img" \
      aria-label="Latency of every frame against the budget">\(body)</svg>

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
      text += """
        <text x="\(c(x(index)))" y="\(c(height - 8))" text-anchor="middle">\(index)</text>
        """
    }
    text += "<text x=\"4\" y=\"\(c(top + 2))\">ms</text>"
    return text
  }

  /// One line through all frames, or, where there are more frames than pixels, the band between the
  /// fastest and the slowest of each pixel's frames: no miss is averaged away.
  private var trace: String {
    let c = HTMLText.coordinate
    let values = values
    let columns = Int(width - left)
    guard values.count > columns else {
      let points = values.indices.map { "\(c(x($0))),\(c(y(values[$0])))" }
      return """
        <polyline fill="none" stroke="var(--mark)" stroke-width="1.3" \
        points="\(points.joined(separator: " "))"/>
        """
    }
    var upper: [String] = []
    var lower: [String] = []
    for column in 0..<columns {
      let range = (values.count * column / columns)..<(values.count * (column + 1) / columns)
      let part = values[range]
      let place = c(x((range.lowerBound + range.upperBound) / 2))
      upper.append("\(place),\(c(y(part.max() ?? 0)))")
      lower.append("\(place),\(c(y(part.min() ?? 0)))")
    }
    return """
      <polygon fill="var(--mark)" stroke="var(--mark)" stroke-width="0.8" \
      points="\((upper + lower.reversed()).joined(separator: " "))"/>
      """
  }

  private var misses: String {
    let c = HTMLText.coordinate
    var text = ""
    for (index, record) in report.result.records.enumerated() where record.isMissed {
      let value = values[index]
      text += """
        <circle cx="\(c(x(index)))" cy="\(c(y(value)))" r="3" fill="var(--bad)"><title>frame \
        \(record.recordedIndex): \(c(value)) ms</title></circle>
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
