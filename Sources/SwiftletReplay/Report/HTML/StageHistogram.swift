/// How often a stage took how long, as inline SVG.
struct StageHistogram {
  var name: String
  var samples: [Int64]
  private let width = 260.0
  private let height = 130.0

  init(name: String, samples: [Int64]) {
    self.name = name
    self.samples = samples
  }

  /// Counts in equal bins from the least to the greatest sample.
  static func bins(_ samples: [Int64], count: Int) -> [Int] {
    guard let least = samples.min(), let greatest = samples.max() else { return [] }
    var bins = [Int](repeating: 0, count: count)
    let span = Double(greatest - least)
    for sample in samples {
      let place = span == 0 ? 0 : Double(sample - least) / span * Double(count)
      bins[min(count - 1, Int(place))] += 1
    }
    return bins
  }

  var svg: String {
    let c = HTMLText.coordinate
    let bins = Self.bins(samples, count: 40)
    let highest = Double(bins.max() ?? 1)
    let floor = height - 24
    var body = "<text x=\"10\" y=\"18\" style=\"fill:var(--ink);font-size:13px\">"
    body += "\(HTMLText.escaped(name))</text>"
    let step = (width - 20) / 40
    for (index, bin) in bins.enumerated() where bin > 0 {
      // Square roots, so that a single slow frame stays visible beside thousands of usual ones.
      let tall = max(1.5, (Double(bin) / highest).squareRoot() * (floor - 30))
      body += """
        <rect x="\(c(10 + Double(index) * step))" y="\(c(floor - tall))" \
        width="\(c(step - 0.8))" height="\(c(tall))" fill="var(--mark)"/>
        """
    }
    let least = HTMLText.milliseconds(samples.min())
    let greatest = HTMLText.milliseconds(samples.max())
    body += """
      <text x="10" y="\(c(height - 8))">\(least) ms</text>\
      <text x="\(c(width - 10))" y="\(c(height - 8))" text-anchor="end">\(greatest) ms</text>
      """
    return """
      <svg viewBox="0 0 \(Int(width)) \(Int(height))" role="img" \
      aria-label="Histogram of \(HTMLText.escaped(name)), square root scale">\(body)</svg>

      """
  }
}
