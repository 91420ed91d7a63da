extension DistanceField {
  /// Everything afresh, in the definition's order: along z, then x, then y, each the minimum over all
  /// voxels within reach.
  func updateReference(_ view: WindowView) -> DistanceFieldUpdate {
    var update = DistanceFieldUpdate()
    let (nx, ny, nz) = (cells.x, cells.y, cells.z)
    let far = 4 * reach * reach
    func index(_ x: Int, _ y: Int, _ z: Int) -> Int { (y * nx + x) * nz + z }
    var along = [Int](repeating: far, count: nx * ny * nz)
    for y in 0..<ny {
      for x in 0..<nx {
        let column = view.line(x, y) / words
        for word in 0..<words {
          let line = column * words + word
          let unknown = unsafe obstacles == .occupied ? 0 : ~view.known[line] & masks[word]
          let now = unsafe view.occupied[line] | unknown
          if now != seen[line] { changed[column] = 1 }
          seen[line] = now
        }
        update.changedColumnCount += Int(changed[column])
        changed[column] = 0
        dirty[column] = 0
        for z in 0..<nz where seen[column * words + z / 64] >> UInt64(z % 64) & 1 == 1 {
          for other in max(0, z - reach)...min(nz - 1, z + reach) {
            along[index(x, y, other)] = min(
              along[index(x, y, other)], (other - z) * (other - z))
          }
        }
      }
    }
    var across = along
    for y in 0..<ny {
      for x in 0..<nx {
        for near in max(0, x - reach)...min(nx - 1, x + reach) {
          for z in 0..<nz {
            let sum = along[index(near, y, z)] + (near - x) * (near - x)
            across[index(x, y, z)] = min(across[index(x, y, z)], sum)
          }
        }
      }
    }
    for y in 0..<ny {
      for x in 0..<nx {
        for z in 0..<nz {
          var nearest = far
          for near in max(0, y - reach)...min(ny - 1, y + reach) {
            nearest = min(nearest, across[index(x, near, z)] + (near - y) * (near - y))
          }
          let column = view.line(x, y) / words
          let place = column / nx * rowStride + column % nx * words * 64 + z
          field[place] = nearest <= reach * reach ? Int16(nearest) : .max
        }
      }
    }
    update.updatedColumnCount = nx * ny
    return update
  }
}
