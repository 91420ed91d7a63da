/// Foxglove's schemas as MCAP channels carry them: a serialised google.protobuf.FileDescriptorSet
/// (descriptor.proto), dependencies first. Only what is written here.
enum FoxgloveDefinitions {
  /// The schema's data for `foxglove.VoxelGrid`.
  static var voxelGrid: [UInt8] {
    var set = ProtobufWriter()
    for file in files { set.put(1, message: file.put) }
    return set.bytes
  }

  /// FieldDescriptorProto.Type.
  private enum Kind {
    case double, int64, int32, string, bytes, fixed32
    case message(String)
    case enumeration(String)

    var number: UInt64 {
      switch self {
      case .double: 1
      case .int64: 3
      case .int32: 5
      case .fixed32: 7
      case .string: 9
      case .message: 11
      case .bytes: 12
      case .enumeration: 14
      }
    }
    var typeName: String {
      switch self {
      case .message(let name), .enumeration(let name): name
      default: ""
      }
    }
  }

  private struct Field {
    var number: Int
    var name: String
    var kind: Kind
    var isRepeated = false

    init(_ number: Int, _ name: String, _ kind: Kind, repeated: Bool = false) {
      self.number = number
      self.name = name
      self.kind = kind
      isRepeated = repeated
    }

    func put(to w: inout ProtobufWriter) {
      w.put(1, name)
      w.put(3, varint: UInt64(number))
      w.put(4, varint: isRepeated ? 3 : 1)
      w.put(5, varint: kind.number)
      w.put(6, kind.typeName)
      w.put(10, jsonName)
    }

    /// `frame_id` → `frameId`.
    private var jsonName: String {
      let words = name.split(separator: "_")
      return words.dropFirst().reduce(String(words[0])) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }
  }

  private struct File {
    var name: String
    var package = "foxglove"
    var dependencies: [String] = []
    var message: String
    var fields: [Field]
    /// An enumeration inside the message, its values from 0 on.
    var enumeration: (name: String, values: [String])?

    func put(to w: inout ProtobufWriter) {
      w.put(1, name)
      w.put(2, package)
      for dependency in dependencies { w.put(3, dependency) }
      w.put(4) { m in
        m.put(1, message)
        for field in fields { m.put(2, message: field.put) }
        guard let enumeration else { return }
        m.put(4) { e in
          e.put(1, enumeration.name)
          for (value, name) in enumeration.values.enumerated() {
            e.put(2) { v in
              v.put(1, name)
              v.put(2, varint: UInt64(value))
            }
          }
        }
      }
      w.put(12, "proto3")
    }
  }

  private static let files = [
    File(
      name: "google/protobuf/timestamp.proto", package: "google.protobuf", message: "Timestamp",
      fields: [Field(1, "seconds", .int64), Field(2, "nanos", .int32)]),
    File(
      name: "foxglove/Vector3.proto", message: "Vector3",
      fields: [Field(1, "x", .double), Field(2, "y", .double), Field(3, "z", .double)]),
    File(
      name: "foxglove/Quaternion.proto", message: "Quaternion",
      fields: [
        Field(1, "x", .double), Field(2, "y", .double), Field(3, "z", .double),
        Field(4, "w", .double),
      ]),
    File(
      name: "foxglove/Pose.proto",
      dependencies: ["foxglove/Quaternion.proto", "foxglove/Vector3.proto"], message: "Pose",
      fields: [
        Field(1, "position", .message(".foxglove.Vector3")),
        Field(2, "orientation", .message(".foxglove.Quaternion")),
      ]),
    File(
      name: "foxglove/PackedElementField.proto", message: "PackedElementField",
      fields: [
        Field(1, "name", .string), Field(2, "offset", .fixed32),
        Field(3, "type", .enumeration(".foxglove.PackedElementField.NumericType")),
      ],
      enumeration: (
        "NumericType",
        ["UNKNOWN", "UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "FLOAT32", "FLOAT64"]
      )),
    File(
      name: "foxglove/VoxelGrid.proto",
      dependencies: [
        "foxglove/PackedElementField.proto", "foxglove/Pose.proto", "foxglove/Vector3.proto",
        "google/protobuf/timestamp.proto",
      ], message: "VoxelGrid",
      fields: [
        Field(1, "timestamp", .message(".google.protobuf.Timestamp")),
        Field(2, "frame_id", .string), Field(3, "pose", .message(".foxglove.Pose")),
        Field(4, "row_count", .fixed32), Field(5, "column_count", .fixed32),
        Field(6, "cell_size", .message(".foxglove.Vector3")),
        Field(7, "slice_stride", .fixed32), Field(8, "row_stride", .fixed32),
        Field(9, "cell_stride", .fixed32),
        Field(10, "fields", .message(".foxglove.PackedElementField"), repeated: true),
        Field(11, "data", .bytes),
      ]),
  ]
}
