import CVectorShims

/// The camera that paints a point and the feature cell it falls on, as the index of the cell among
/// all cameras' cells; -1 where no camera of the frame sees it. The first camera in the rig's order
/// wins. Scalar: a handful of multiplications a camera, most cameras drop out at the depth.
///
/// - points: records of `stride` floats, x y z first, key ego frame.
/// - cameras: 16 floats a camera: rows of [R t] camera from ego, then fx fy cx cy.
/// - images: 8 floats a camera: a00 a01 tx a10 a11 ty network from raw pixels, columns and rows of
///   the network image per feature cell.
/// - sizes: 3 integers a camera: feature columns, rows, first cell; columns 0 for a missing camera.
@inline(never)
public func findPaint(
  _ points: UnsafePointer<Float>, _ stride: Int, _ pointLower: Int, _ pointUpper: Int,
  _ cameras: UnsafePointer<Float>, _ images: UnsafePointer<Float>, _ sizes: UnsafePointer<Int32>,
  _ cameraCount: Int, _ paint: UnsafeMutablePointer<Int32>
) {
  var point = pointLower
  while point < pointUpper {
    let p = points + point &* stride
    paint[point] = -1
    var camera = 0
    while camera < cameraCount {
      let c = cameras + camera &* 16
      let z = c[8] * p[0] + c[9] * p[1] + c[10] * p[2] + c[11]
      if z > 0.1 && sizes[3 &* camera] > 0 {
        let u = (c[0] * p[0] + c[1] * p[1] + c[2] * p[2] + c[3]) / z * c[12] + c[14]
        let v = (c[4] * p[0] + c[5] * p[1] + c[6] * p[2] + c[7]) / z * c[13] + c[15]
        let a = images + camera &* 8
        // Pixel centres are whole numbers; a feature cell spans pixels [i s - 1/2, (i + 1) s - 1/2).
        let x = (a[0] * u + a[1] * v + a[2] + 0.5) / a[6]
        let y = (a[3] * u + a[4] * v + a[5] + 0.5) / a[7]
        let columns = sizes[3 &* camera]
        if x >= 0 && y >= 0 && x < Float(columns) && y < Float(sizes[3 &* camera &+ 1]) {
          let cell = Int32(y) &* columns &+ Int32(x)
          paint[point] = sizes[3 &* camera &+ 2] &+ cell
          break
        }
      }
      camera &+= 1
    }
    point &+= 1
  }
}

/// Adds every painted point's features to its map cell and divides by how many there were, for
/// cells `cellLower ..< cellUpper`, in the order of the cloud: channels 0 ..< `painted` of a map of
/// `channels`. Cells without a painted point keep what they hold.
///
/// - cells: the map cell of each point or -1; paint: its feature cell or -1.
/// - counts: one float a cell, scratch.
@inline(never)
public func paintCells(
  _ cells: UnsafePointer<Int32>, _ paint: UnsafePointer<Int32>, _ pointCount: Int,
  _ features: UnsafePointer<Float>, _ featureChannels: Int, _ painted: Int, _ cellLower: Int,
  _ cellUpper: Int, _ channels: Int, _ counts: UnsafeMutablePointer<Float>,
  _ output: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var cell = cellLower
  while cell < cellUpper {
    counts[cell] = 0
    cell &+= 1
  }
  let span = UInt(bitPattern: cellUpper &- cellLower)
  var point = 0
  while point < pointCount {
    let cell = Int(cells[point])
    let token = Int(paint[point])
    if token >= 0 && UInt(bitPattern: cell &- cellLower) < span {
      let source = features + token &* featureChannels
      let target = output + cell &* channels
      let isFirst = counts[cell] == 0
      var channel = 0
      while channel < painted {
        let rest = painted &- channel
        let sum = isFirst ? zero : loadOr(target + channel, rest, zero)
        storeSome(target + channel, sum + loadOr(source + channel, rest, zero), rest)
        channel &+= 16
      }
      counts[cell] += 1
    }
    point &+= 1
  }
  cell = cellLower
  while cell < cellUpper {
    if counts[cell] > 1 {
      let share = SIMD16<Float>(repeating: 1 / counts[cell])
      var channel = 0
      while channel < painted {
        let rest = painted &- channel
        let target = output + cell &* channels + channel
        storeSome(target, loadOr(target, rest, zero) * share, rest)
        channel &+= 16
      }
    }
    cell &+= 1
  }
}
