import Testing

@testable import SwiftletReplay

/// Forward must be up and left must be left, in every picture from above.
struct TopDownPictureTests {
  /// Centre of the pixels of a colour, relative to the ego's place: x right, y down.
  private func place(
    _ image: RGBImage, ego: SIMD2<Float>, where isMarked: (PictureColor) -> Bool
  ) -> SIMD2<Float>? {
    let canvas = Canvas(image)
    var sum = SIMD2<Float>.zero
    var count: Float = 0
    for y in 40..<(canvas.heightPixels - 44) {
      for x in 12..<(canvas.widthPixels - 12) where isMarked(canvas.color(x: x, y: y)) {
        sum += SIMD2(Float(x), Float(y))
        count += 1
      }
    }
    return count < 4 ? nil : sum / count - ego
  }
  /// Pictures of ±40 m at 400 pixels: 5 pixels a metre, ego in the middle.
  private let ego = SIMD2<Float>(12 + 200, 40 + 200)

  @Test(
    "A marked BEV cell lands where the ego would see it",
    arguments: [(1, 1), (1, -1), (-1, 1), (-1, -1)])
  func bevMarker(forward: Int, left: Int) throws {
    let count = 100
    var features = [Float](repeating: 0, count: count * count * 3)
    let cellX = Int((20 * Float(forward) + 40) / 0.8)
    let cellY = Int((10 * Float(left) + 40) / 0.8)
    for y in (cellY - 3)...(cellY + 3) {
      for x in (cellX - 3)...(cellX + 3) { features[(y * count + x) * 3 + 2] = 1 }
    }
    // A ramp of luma, so that contrast is about luma, and red chroma marks.
    for cell in 0..<(count * count) { features[cell * 3] = Float(cell % 7) * 0.02 }
    let picture = BEVPicture(
      features: features, cellCountX: count, cellCountY: count, channelCount: 3,
      lowerBoundsMeters: SIMD2(-40, -40), cellSizeMeters: SIMD2(0.8, 0.8))
    let marked = try #require(
      place(picture.draw(targetPixels: 400), ego: ego) { $0.red > 200 && $0.green < 60 && $0.blue < 90 })
    // 20 m forward is 100 pixels up, 10 m to the left is 50 pixels to the left.
    #expect(abs(marked.x + 50 * Float(left)) < 6, "\(marked)")
    #expect(abs(marked.y + 100 * Float(forward)) < 6, "\(marked)")
  }

  @Test("Cells without data are dark grey, also where features are NaN")
  func invalidCells() {
    var features = [Float](repeating: 0.5, count: 4 * 4)
    features[5] = .nan
    let picture = BEVPicture(
      features: features, cellCountX: 4, cellCountY: 4, channelCount: 1,
      lowerBoundsMeters: SIMD2(-40, -40), cellSizeMeters: SIMD2(20, 20),
      validity: (0..<16).map { $0 == 15 ? 0 : 1 })
    let canvas = Canvas(picture.draw(targetPixels: 400))
    // Cell 15 is the front left corner: upper left in the picture. Cell 5 is (x 1, y 1).
    #expect(canvas.color(x: 30, y: 60) == .invalid)
    #expect(canvas.color(x: 12 + 250, y: 40 + 290) == .invalid)
    #expect(canvas.color(x: 12 + 350, y: 40 + 350) != .invalid)
  }

  @Test(
    "An occupied voxel lands where the ego would see it, coloured by height",
    arguments: [(1, 1), (1, -1), (-1, 1), (-1, -1)])
  func occupancyMarker(forward: Int, left: Int) throws {
    var picture = OccupancyPicture(
      minimum: SIMD2(-40, -40), maximum: SIMD2(40, 40), cellSizeMeters: 0.2)
    picture.addOccupied(
      [SIMD3(20 * Float(forward), 10 * Float(left), 6)], voxelSizeMeters: 2,
      voxelYawRadians: 0.3)
    let high = ColorMap.viridis.color(1)
    let image = picture.draw(targetPixels: 400)
    let marked = try #require(place(image, ego: ego) { $0 == high })
    #expect(abs(marked.x + 50 * Float(left)) < 2, "\(marked)")
    #expect(abs(marked.y + 100 * Float(forward)) < 2, "\(marked)")
  }

  @Test("Turned voxels side by side leave no holes and cover nothing twice as large")
  func turnedVoxels() {
    var picture = OccupancyPicture(
      minimum: SIMD2(-8, -8), maximum: SIMD2(8, 8), cellSizeMeters: 0.1)
    let yaw: Float = 0.4
    let axis = unitCircle(yaw / (2 * .pi))
    var centers: [SIMD3<Float>] = []
    for x in -5...4 {
      for y in -5...4 {
        let (u, v) = (Float(x) * 0.4 + 0.2, Float(y) * 0.4 + 0.2)
        centers.append(SIMD3(u * axis.x - v * axis.y, u * axis.y + v * axis.x, 0))
      }
    }
    picture.addOccupied(centers, voxelSizeMeters: 0.4, voxelYawRadians: yaw)
    let image = Canvas(picture.draw(targetPixels: 160))
    var covered = 0
    let color = ColorMap.viridis.color(1 / 7)
    for y in 0..<160 {
      for x in 0..<160 where image.color(x: 12 + x, y: 40 + y) == color { covered += 1 }
    }
    // 4 m by 4 m at 10 pixels a metre, less what the car and the rings hide.
    #expect(covered > 900 && covered <= 1640, "\(covered)")
  }

  @Test("Unknown, free and occupied columns differ; occupied wins over free, higher over lower")
  func columnStates() {
    var picture = OccupancyPicture(
      minimum: SIMD2(-40, -40), maximum: SIMD2(40, 40), cellSizeMeters: 0.4)
    picture.addOccupied([SIMD3(20.2, 20.2, 0), SIMD3(20.2, 20.2, 6)], voxelSizeMeters: 4)
    picture.addOccupied([SIMD3(20.2, 20.2, -1)], voxelSizeMeters: 4)
    picture.addFree([SIMD3(20.2, 20.2, 1), SIMD3(20.2, -20.2, 1)], voxelSizeMeters: 4)
    let canvas = Canvas(picture.draw(targetPixels: 400))
    let at = { (x: Float, y: Float) in
      canvas.color(x: 12 + Int((40 - y) * 5), y: 40 + Int((40 - x) * 5))
    }
    #expect(at(20.2, 20.2) == ColorMap.viridis.color(1))
    #expect(at(20.2, -20.2) == OccupancyPicture.free)
    #expect(at(-20.2, -30) == OccupancyPicture.unknown)
  }
}
