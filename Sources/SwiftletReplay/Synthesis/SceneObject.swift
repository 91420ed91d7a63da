/// What an object of the street is called; the names are nuScenes categories.
public enum SyntheticCategory: String, Sendable, CaseIterable {
  case car = "vehicle.car"
  case van = "vehicle.truck"
  case pedestrian = "human.pedestrian.adult"
}

/// A thing with a box of its own in the annotations.
struct SceneObject {
  /// The same number in every frame.
  var identity: UInt64
  var category: SyntheticCategory
  /// Middle of the box at the frame's time, street frame relative to the snapshot's origin.
  var center: SIMD3<Float>
  /// Length, width, height, metres.
  var size: SIMD3<Float>
  /// Street frame, counter-clockwise from x, radians.
  var heading: Float
  /// Street frame, metres per second.
  var velocity: SIMD3<Float>
  var isMoving: Bool
}

/// The street around the ego at one frame: primitives and objects, as `Float` offsets from a
/// whole-metre origin near the ego, so that kilometres of street lose no digits.
struct SceneSnapshot {
  /// Street x of the snapshot's origin, metres.
  var originX: Double
  var primitives: [ScenePrimitive] = []
  var objects: [SceneObject] = []

  init(originX: Double) { self.originX = originX }

  mutating func add(_ primitive: ScenePrimitive) { primitives.append(primitive) }

  /// Adds an object built in its own axes (x forward, origin on the ground below its middle).
  mutating func add(_ object: SceneObject, parts: [ScenePrimitive]) {
    let index = Int32(objects.count)
    objects.append(object)
    let ground = object.center - SIMD3(0, 0, object.size.z / 2)
    let (c, s) = headingCosines(object.heading)
    for part in parts {
      var placed = part
      placed.object = index
      placed.cosHeading = c
      placed.sinHeading = s
      placed.velocity = object.velocity
      placed.center = ground + placed.rotatedOut(part.center)
      primitives.append(placed)
    }
  }
}
