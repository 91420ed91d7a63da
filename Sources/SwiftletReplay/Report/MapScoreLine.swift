/// A map's score as `report.json` has it; ratios without a denominator are null.
struct MapScoreLine: Encodable {
  private let score: MapScore

  init(_ score: MapScore) { self.score = score }

  private enum CodingKeys: String, CodingKey {
    case occupied = "iou_occupied"
    case free = "iou_free"
    case recall = "surface_recall"
    case ghosts = "ghost_rate"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(score.intersectionOverUnion, forKey: .occupied)
    try container.encode(score.freeIntersectionOverUnion, forKey: .free)
    try container.encode(score.surfaceRecall, forKey: .recall)
    try container.encode(score.ghostRate, forKey: .ghosts)
  }
}
