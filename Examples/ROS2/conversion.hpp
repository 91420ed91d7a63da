// ROS 2 messages to the pipeline's inputs and back, for the message classes of rclcpp or any others
// with the same members. What can be read in place is: a PointCloud2's data, a Float32MultiArray's.
#ifndef SWIFTLET_EXAMPLES_ROS2_CONVERSION_HPP
#define SWIFTLET_EXAMPLES_ROS2_CONVERSION_HPP

#include <cstdint>
#include <string>

#include <swiftlet.hpp>

namespace swiftlet_ros {

// sensor_msgs/PointField
constexpr std::uint8_t kFloat32 = 7;

template <typename Time>
std::int64_t nanoseconds(const Time &time) {
  return static_cast<std::int64_t>(time.sec) * 1000000000 + static_cast<std::int64_t>(time.nanosec);
}

// geometry_msgs/Transform as the rows of [R | t].
template <typename TransformMessage>
swiftlet::Transform transform(const TransformMessage &message) {
  const double x = message.rotation.x, y = message.rotation.y, z = message.rotation.z,
               w = message.rotation.w;
  return {1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), message.translation.x,
          2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), message.translation.y,
          2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), message.translation.z};
}

// a_from_c of a_from_b and b_from_c.
inline swiftlet::Transform product(const swiftlet::Transform &a, const swiftlet::Transform &b) {
  swiftlet::Transform result{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 4; ++column) {
      double sum = column == 3 ? a[4 * row + 3] : 0;
      for (std::size_t k = 0; k < 3; ++k) sum += a[4 * row + k] * b[4 * k + column];
      result[4 * row + column] = sum;
    }
  }
  return result;
}

// A view of a PointCloud2 in place. False, with why, for a cloud that cannot be one.
template <typename PointCloud2>
bool lidarFrame(const PointCloud2 &cloud, const swiftlet::Transform &worldFromLidar,
                swiftlet_lidar_frame &frame, std::string &why) {
  frame = swiftlet::lidarFrame();
  frame.x_offset = frame.y_offset = frame.z_offset = -1;
  for (const auto &field : cloud.fields) {
    std::int32_t *offset = field.name == "x"           ? &frame.x_offset
                           : field.name == "y"         ? &frame.y_offset
                           : field.name == "z"         ? &frame.z_offset
                           : field.name == "intensity" ? &frame.intensity_offset
                                                       : nullptr;
    if (offset == nullptr) continue;
    if (field.datatype != kFloat32 || field.count > 1) {
      // Some drivers send intensity as a byte; the pipeline can do without.
      if (field.name == "intensity") continue;
      why = "field " + field.name + " is not one float32";
      return false;
    }
    *offset = static_cast<std::int32_t>(field.offset);
  }
  const std::size_t count = static_cast<std::size_t>(cloud.width) * cloud.height;
  if (frame.x_offset < 0 || frame.y_offset < 0 || frame.z_offset < 0) why = "no fields x, y, z";
  else if (cloud.is_bigendian) why = "big-endian points";
  else if (cloud.height > 1 && cloud.row_step != cloud.width * cloud.point_step) why = "padded rows";
  else if (cloud.data.size() < count * cloud.point_step) why = "less data than width * height points";
  else why.clear();
  if (!why.empty()) return false;
  frame.flags = SWIFTLET_SENSOR_VALID;
  frame.timestamp_ns = nanoseconds(cloud.header.stamp);
  swiftlet::assign(frame.world_from_lidar, worldFromLidar);
  frame.points = cloud.data.data();
  frame.byte_count = cloud.data.size();
  frame.point_count = count;
  frame.record_stride = cloud.point_step;
  return true;
}

// A view of a three-dimensional std_msgs/Float32MultiArray in place: network features or depth.
template <typename MultiArray>
bool tensor(const MultiArray &message, swiftlet_tensor &result, std::string &why) {
  result = swiftlet_tensor{};
  if (message.layout.dim.size() != 3) {
    why = "expected 3 dimensions";
    return false;
  }
  std::size_t count = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    result.shape[axis] = message.layout.dim[axis].size;
    count *= message.layout.dim[axis].size;
  }
  if (message.layout.data_offset + count > message.data.size()) {
    why = "less data than the dimensions ask for";
    return false;
  }
  result.data = message.data.data() + message.layout.data_offset;
  result.byte_count = (message.data.size() - message.layout.data_offset) * sizeof(float);
  result.element_type = SWIFTLET_FLOAT32;
  return true;
}

// A nav_msgs/OccupancyGrid of the pipeline's cost map: same scale, one copy.
template <typename OccupancyGrid>
void occupancyGrid(const swiftlet_cost_map_view &map, OccupancyGrid &grid) {
  grid.info.resolution = static_cast<float>(map.cell_size);
  grid.info.width = static_cast<std::uint32_t>(map.columns);
  grid.info.height = static_cast<std::uint32_t>(map.rows);
  grid.info.origin.position.x = map.lower_x;
  grid.info.origin.position.y = map.lower_y;
  grid.info.origin.position.z = 0;
  grid.info.origin.orientation.w = 1;
  grid.data.assign(map.costs, map.costs + map.rows * map.columns);
}

}  // namespace swiftlet_ros

#endif
