/// Versions of what this project writes.
public enum SwiftletVersion {
  public static let package = "0.1.0"
  public static let reportSchema = 1
}
