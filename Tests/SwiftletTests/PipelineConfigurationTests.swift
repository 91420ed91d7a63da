import Swiftlet
import Testing

@Suite struct PipelineConfigurationTests {
  @Test func `the commented default reads back equal`() throws {
    let text = PipelineConfiguration().commentedJSON
    #expect(try PipelineConfiguration(json: Array(text.utf8)) == PipelineConfiguration())
  }

  @Test func `a file of version 1 is read, with the defaults of what it did not have`() throws {
    let text = #"{"schema_version": 1, "channels": 32, "fusion": {"history": false}}"#
    var expected = PipelineConfiguration()
    expected.channelCount = 32
    expected.fusion.history = false
    #expect(try PipelineConfiguration(json: Array(text.utf8)) == expected)
  }

  @Test func `every field of fusion and heads reads back`() throws {
    var configuration = PipelineConfiguration()
    configuration.fusion.mode = .late
    configuration.fusion.maximumCellAgeMilliseconds = 750
    configuration.fusion.neighborPointCount = 3
    configuration.heads.occupancyClassCount = 18
    configuration.heads.occupancyHeightCount = 8
    configuration.heads.semanticClassCount = 5
    configuration.notFiniteFeatures = .keep
    let text = configuration.commentedJSON
    #expect(try PipelineConfiguration(json: Array(text.utf8)) == configuration)
  }

  @Test func `the default grid has the cells and bins of BEVDet-R50`() {
    let configuration = PipelineConfiguration()
    #expect(configuration.grid.cellCounts == SIMD3(128, 128, 1))
    #expect(configuration.depth.binCount == 59)
  }

  @Test(arguments: [
    (#"{"chanels": 64}"#, "chanels"), (#"{"channels": 60}"#, "fusion.heads"),
    (#"{"occupancy": {"voxel_size_meters": 0}}"#, "occupancy.voxel_size_meters"),
    (#"{"occupancy": {"voxel_size_meters": "0.2"}}"#, "occupancy.voxel_size_meters"),
    (#"{"occupancy": {"extent_meters": [1e9, 1e9, 10]}}"#, "occupancy.extent_meters"),
    (#"{"grid": {"step_meters": [0, 1, 1]}}"#, "grid.step_meters"),
    (#"{"schema_version": 3}"#, "schema_version"), (#"{"schema_version": 0}"#, "schema_version"),
    (#"{"fusion": {"mode": "both"}}"#, "fusion.mode"),
    (#"{"fusion": {"mode": "late"}}"#, "heads.semantic_classes"),
    (#"{"fusion": {"neighbor_points": 17}}"#, "fusion.neighbor_points"),
    (#"{"heads": {"occupancy_classes": 65}}"#, "heads.occupancy_classes"),
    (#"{"not_finite_features": "drop"}"#, "not_finite_features"),
    (#"{"association": "newest"}"#, "association"),
    (#"{"depth": {"lower_meters": 5, "upper_meters": 2}}"#, "depth.step_meters"),
    ("[]", "pipeline"), ("{", "byte 1"),
  ])
  func `a wrong value is an error that names its field`(text: String, field: String) {
    let changed = text == #"{"channels": 60}"# ? #"{"channels": 60, "fusion": {"heads": 8}}"# : text
    let error = #expect(throws: ConfigurationError.self) {
      try PipelineConfiguration(json: Array(changed.utf8))
    }
    #expect(error?.field == field)
  }
}
