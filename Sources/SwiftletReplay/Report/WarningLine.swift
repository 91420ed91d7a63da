/// A warning in JSON: every field is written, absent ones as null, so that readers need no defaults.
struct WarningLine: Encodable {
  var warning: ReplayWarning

  enum CodingKeys: String, CodingKey {
    case code, frame, sensor, message
    case isDamage = "damage"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(warning.code, forKey: .code)
    try container.encode(warning.frame, forKey: .frame)
    try container.encode(warning.sensor, forKey: .sensor)
    try container.encode(warning.message, forKey: .message)
    try container.encode(warning.isDamage, forKey: .isDamage)
  }
}
