import CVectorShims

/// Squared distance along x to the nearest lethal cell (state 2) of the same row, 32767 beyond
/// `reach`, for rows `first ..< last`; rows of the result are `stride` int16 apart.
@inline(never)
public func costDistanceAlongRows(
  _ states: UnsafePointer<UInt8>, _ columns: Int, _ first: Int, _ last: Int, _ reach: Int,
  _ stride: Int, _ field: UnsafeMutablePointer<Int16>
) {
  var y = first
  while y < last {
    let row = field + y &* stride
    let source = states + y &* columns
    var away = reach &+ 1
    var x = 0
    while x < columns {
      away = source[x] == 2 ? 0 : away &+ 1
      row[x] = away > reach ? Int16.max : Int16(truncatingIfNeeded: away &* away)
      x &+= 1
    }
    away = reach &+ 1
    x = columns &- 1
    while x >= 0 {
      away = source[x] == 2 ? 0 : away &+ 1
      let square = away > reach ? Int16.max : Int16(truncatingIfNeeded: away &* away)
      if square < row[x] { row[x] = square }
      x &-= 1
    }
    y &+= 1
  }
}

/// Costs of rows `first ..< last` from the squared distances along rows: the exact planar distance,
/// looked up in `table`.
///
/// - table: costs by squared distance 0 ... reach². line: `stride` int16 of scratch.
/// - out costs [y][x]: lethal 100; free by the table; unknown −1, unless the table says `solid` or
///   more.
@inline(never)
public func inflateCosts(
  _ states: UnsafePointer<UInt8>, _ columns: Int, _ rows: Int, _ first: Int, _ last: Int,
  _ reach: Int, _ stride: Int, _ field: UnsafePointer<Int16>, _ table: UnsafePointer<Int8>,
  _ solid: Int8, _ line: UnsafeMutablePointer<Int16>, _ costs: UnsafeMutablePointer<Int8>
) {
  let limit = reach &* reach
  var y = first
  while y < last {
    let low = y &- reach < 0 ? 0 : y &- reach
    let high = y &+ reach < rows ? y &+ reach : rows &- 1
    var x = 0
    while x < columns {
      var nearest = swl_field_splat_i16x32(Int16.max)
      var row = low
      while row <= high {
        let away = row &- y
        let cost = swl_field_splat_i16x32(Int16(truncatingIfNeeded: away &* away))
        let source = swl_field_load_i16x32(field + (row &* stride &+ x))
        nearest = swl_field_min_i16x32(nearest, swl_field_adds_i16x32(source, cost))
        row &+= 1
      }
      swl_field_store_i16x32(line + x, nearest)
      x &+= 32
    }
    x = 0
    while x < columns {
      let cell = y &* columns &+ x
      let square = Int(line[x])
      let cost = square <= limit ? table[square] : 0
      let state = states[cell]
      costs[cell] = state == 2 ? 100 : state == 1 || cost >= solid ? cost : -1
      x &+= 1
    }
    y &+= 1
  }
}
