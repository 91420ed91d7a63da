import Swiftlet
import Testing

@Suite struct PipelineConfigurationTests {
  @Test func `the commented default reads back equal`() throws {
    let text = PipelineConfiguration().commentedJSON
    #expect(try PipelineConfiguration(json: Array(text.utf8)) == PipelineConfiguration())
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
    (#"{"schema_version": 2}"#, "schema_version"), (#"{"association": "newest"}"#, "association"),
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
