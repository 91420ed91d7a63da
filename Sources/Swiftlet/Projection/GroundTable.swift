/// The taps of a ground warp: for every block of sixteen cells the cameras that see any of them,
/// with sixteen packed pixels and fractions each.
struct GroundTable {
  var blocksPerRow = 0
  /// First entry of every block, and the end of the last.
  var starts = AlignedBuffer<Int32>(count: 1)
  var cameras = AlignedBuffer<Int32>(count: 0)
  /// x + 65536 y of the upper left tap, -1 where the camera does not see the cell.
  var pixels = AlignedBuffer<Int32>(count: 0)
  var fractionsX = AlignedBuffer<Float>(count: 0)
  var fractionsY = AlignedBuffer<Float>(count: 0)
  /// What the camera weighs in each cell; empty for a mean.
  var weights = AlignedBuffer<Float>(count: 0)

  init() {}

  init(_ warp: GroundWarp) {
    blocksPerRow = (warp.width + 15) / 16
    var entryStarts: [Int32] = [0]
    var entryCameras: [Int32] = []
    var words: [Int32] = []
    var x: [Float] = []
    var y: [Float] = []
    var shares: [Float] = []
    for row in 0..<warp.height {
      for block in 0..<blocksPerRow {
        for camera in warp.cameras.indices {
          let taps = Self.taps(warp, camera, row, block)
          if taps.allSatisfy({ $0.word < 0 }) { continue }
          entryCameras.append(Int32(camera))
          words += taps.map(\.word)
          x += taps.map(\.x)
          y += taps.map(\.y)
          if warp.blend == .feathered { shares += taps.map(\.weight) }
        }
        entryStarts.append(Int32(entryCameras.count))
      }
    }
    starts = AlignedBuffer(entryStarts)
    cameras = AlignedBuffer(entryCameras)
    pixels = AlignedBuffer(words)
    fractionsX = AlignedBuffer(x)
    fractionsY = AlignedBuffer(y)
    weights = AlignedBuffer(shares)
  }

  /// Sixteen taps; the last pixel of a row or column is read as its neighbour with fraction 1, so
  /// that all four taps lie inside the image.
  private static func taps(
    _ warp: GroundWarp, _ camera: Int, _ row: Int, _ block: Int
  ) -> [(word: Int32, x: Float, y: Float, weight: Float)] {
    let size = warp.cameras[camera].intrinsics
    return (0..<16).map { lane in
      let column = 16 * block + lane
      let cell = (camera * warp.height + row) * warp.width + column
      guard column < warp.width, warp.pixelsU[cell] >= 0 else { return (-1, 0, 0, 1) }
      let (u, v) = (warp.pixelsU[cell], warp.pixelsV[cell])
      let left = min(Int(u), size.widthPixels - 2)
      let top = min(Int(v), size.heightPixels - 2)
      return (
        Int32(left | top << 16), Float(u - Double(left)), Float(v - Double(top)),
        warp.weight(camera, u, v)
      )
    }
  }
}
