/// How often a stage took how long, as inline SVG.
struct StageHistogram {
  var name: String
  var samples: [Int64]
  /// Where the limit lies; nil for rows that have none.
  var budgetNanoseconds: Int64?
  private let width = 260.0
  private let height = 140.0

  init(name: String, samples: [Int64], budgetNanoseconds: Int64? = nil) {
    self.name = name
    self.samples = samples
    self.budgetNanoseconds = budgetNanoseconds
  }

  /// A value's place between the least and the greatest sample; nil outside.
  private func place(_ value: Int64?) -> Double? {
    guard let value, let least = samples.min(), let greatest = samples.max(), greatest > least,
      (least...greatest).contains(value)
    else { return nil }
    return 10 + (width - 20) * Double(value - least) / Double(greatest - least)
  }

  /// Lines at the percentiles the sample supports and at the budget.
  private func marks(floor: Double) -> String {
    let c = HTMLText.coordinate
    let sorted = samples.sorted()
    let lines: [(String, Int64?, String)] = [
      ("p50", Percentile.p50.value(ofSorted: sorted), "var(--ink)"),
      ("p99", Percentile.p99.value(ofSorted: sorted), "var(--ink)"),
      ("budget", budgetNanoseconds, "var(--bad)"),
    ]
    let marks = lines.compactMap { label, value, color in
      place(value).map { (label: label, x: $0, color: color) }
    }
    let places = Self.labelPlaces(marks.map { ($0.label, $0.x) }, width: width)
    return zip(marks, places).map { mark, place in
      """
      <line x1="\(c(mark.x))" x2="\(c(mark.x))" y1="24" y2="\(c(floor))" stroke="\(mark.color)" \
      stroke-dasharray="3 3"/><text x="\(c(place.left))" y="\(32 + 10 * place.row)" \
      style="fill:\(mark.color);font-size:9px">\(mark.label)</text>
      """
    }.joined()
  }

  /// Where the label of a line stands: beside it, in a row where no other label is.
  struct LabelPlace: Equatable {
    var left: Double
    var right: Double
    var row: Int

    func overlaps(_ other: LabelPlace) -> Bool {
      row == other.row && left < other.right && other.left < right
    }
  }

  /// Places labels (9 pixels high, at most 5.5 wide a letter) beside their lines within `width`.
  ///
  /// - Parameter marks: names and their lines' x, in the order in which they choose.
  static func labelPlaces(_ marks: [(name: String, x: Double)], width: Double) -> [LabelPlace] {
    var places: [LabelPlace] = []
    for mark in marks {
      let wide = 5.5 * Double(mark.name.count)
      let candidates = (0...marks.count).flatMap { row in
        [
          LabelPlace(left: mark.x + 3, right: mark.x + 3 + wide, row: row),
          LabelPlace(left: mark.x - 3 - wide, right: mark.x - 3, row: row),
        ]
      }
      let free = candidates.first { candidate in
        candidate.left >= 0 && candidate.right <= width
          && !places.contains { $0.overlaps(candidate) }
      }
      places.append(free ?? candidates[0])
    }
    return places
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
      let tall = max(1.5, (Double(bin) / highest).squareRoot() * (floor - 46))
      body += """
        <rect x="\(c(10 + Double(index) * step))" y="\(c(floor - tall))" \
        width="\(c(step - 0.8))" height="\(c(tall))" fill="var(--mark)"/>
        """
    }
    body += marks(floor: floor)
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
