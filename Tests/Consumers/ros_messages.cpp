// The ROS 2 example's message code on message bytes as a bag holds them (CDR, little-endian):
//
//   ros_messages POINTS.cdr TRANSFORM.cdr FEATURES.cdr DEPTH.cdr GRID.cdr
//
// reads a sensor_msgs/PointCloud2, a geometry_msgs/TransformStamped (map from lidar) and a camera's
// features and depth as std_msgs/Float32MultiArray, runs one frame, writes a nav_msgs/OccupancyGrid and
// prints the frame's digest.
#include <fstream>
#include <iterator>

#include "../../Examples/ROS2/conversion.hpp"
#include "Scene.hpp"

namespace {

struct Time { std::int32_t sec = 0; std::uint32_t nanosec = 0; };
struct Header { Time stamp; std::string frame_id; };
struct PointField { std::string name; std::uint32_t offset = 0; std::uint8_t datatype = 0; std::uint32_t count = 0; };
struct PointCloud2 {
  Header header;
  std::uint32_t height = 0, width = 0;
  std::vector<PointField> fields;
  bool is_bigendian = false;
  std::uint32_t point_step = 0, row_step = 0;
  swiftlet::Span<const std::uint8_t> data;  // in the message's bytes: nothing is copied
};
struct Dimension { std::string label; std::uint32_t size = 0, stride = 0; };
struct Layout { std::vector<Dimension> dim; std::uint32_t data_offset = 0; };
struct Float32MultiArray { Layout layout; swiftlet::Span<const float> data; };  // in place as well
struct Vector3 { double x = 0, y = 0, z = 0; };
struct Quaternion { double x = 0, y = 0, z = 0, w = 1; };
struct TransformMessage { Vector3 translation; Quaternion rotation; };
struct Pose { Vector3 position; Quaternion orientation; };
struct MapMetaData { Time map_load_time; float resolution = 0; std::uint32_t width = 0, height = 0; Pose origin; };
struct OccupancyGrid { Header header; MapMetaData info; std::vector<std::int8_t> data; };

// Values aligned to their size, counted from the byte after the 4-byte header.
class Reader {
 public:
  explicit Reader(swiftlet::Span<const std::uint8_t> bytes) : bytes_(bytes) {}
  template <typename T>
  T value() {
    align(sizeof(T));
    T result{};
    if (at_ + sizeof(T) > bytes_.size()) fail();
    std::memcpy(&result, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return result;
  }
  std::string text() {
    const std::size_t size = value<std::uint32_t>();
    const auto span = run(size);
    return std::string(reinterpret_cast<const char *>(span.data()), size > 0 ? size - 1 : 0);
  }
  swiftlet::Span<const std::uint8_t> run(std::size_t size) {
    if (at_ + size > bytes_.size()) fail();
    at_ += size;
    return {bytes_.data() + at_ - size, size};
  }

 private:
  void align(std::size_t size) { at_ = 4 + (at_ - 4 + size - 1) / size * size; }
  [[noreturn]] static void fail() { std::fprintf(stderr, "the message ends too early\n"); std::exit(4); }
  swiftlet::Span<const std::uint8_t> bytes_;
  std::size_t at_ = 4;
};

class Writer {
 public:
  std::vector<std::uint8_t> bytes{0, 1, 0, 0};
  template <typename T>
  void value(T value) {
    while ((bytes.size() - 4) % sizeof(T) != 0) bytes.push_back(0);
    const auto *raw = reinterpret_cast<const std::uint8_t *>(&value);
    bytes.insert(bytes.end(), raw, raw + sizeof(T));
  }
  void text(const std::string &text) {
    value(static_cast<std::uint32_t>(text.size() + 1));
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.push_back(0);
  }
};

Header header(Reader &r) {
  Header h;
  h.stamp.sec = r.value<std::int32_t>();
  h.stamp.nanosec = r.value<std::uint32_t>();
  h.frame_id = r.text();
  return h;
}

PointCloud2 cloud(swiftlet::Span<const std::uint8_t> bytes) {
  Reader r(bytes);
  PointCloud2 c;
  c.header = header(r);
  c.height = r.value<std::uint32_t>();
  c.width = r.value<std::uint32_t>();
  c.fields.resize(r.value<std::uint32_t>() & 0xff);
  for (PointField &f : c.fields) {
    f.name = r.text();
    f.offset = r.value<std::uint32_t>();
    f.datatype = r.value<std::uint8_t>();
    f.count = r.value<std::uint32_t>();
  }
  c.is_bigendian = r.value<std::uint8_t>() != 0;
  c.point_step = r.value<std::uint32_t>();
  c.row_step = r.value<std::uint32_t>();
  const std::size_t size = r.value<std::uint32_t>();
  c.data = r.run(size);
  return c;
}

Float32MultiArray multiArray(swiftlet::Span<const std::uint8_t> bytes) {
  Reader r(bytes);
  Float32MultiArray a;
  a.layout.dim.resize(r.value<std::uint32_t>() & 0xff);
  for (Dimension &d : a.layout.dim) {
    d.label = r.text();
    d.size = r.value<std::uint32_t>();
    d.stride = r.value<std::uint32_t>();
  }
  a.layout.data_offset = r.value<std::uint32_t>();
  const std::size_t count = r.value<std::uint32_t>();
  a.data = {reinterpret_cast<const float *>(r.run(count * sizeof(float)).data()), count};
  return a;
}

TransformMessage transformStamped(swiftlet::Span<const std::uint8_t> bytes) {
  Reader r(bytes);
  (void)header(r);
  (void)r.text();
  TransformMessage t;
  for (double *v : {&t.translation.x, &t.translation.y, &t.translation.z, &t.rotation.x, &t.rotation.y, &t.rotation.z, &t.rotation.w})
    *v = r.value<double>();
  return t;
}

std::vector<std::uint8_t> serialised(const OccupancyGrid &grid) {
  Writer w;
  w.value(grid.header.stamp.sec);
  w.value(grid.header.stamp.nanosec);
  w.text(grid.header.frame_id);
  w.value(grid.info.map_load_time.sec);
  w.value(grid.info.map_load_time.nanosec);
  w.value(grid.info.resolution);
  w.value(grid.info.width);
  w.value(grid.info.height);
  const Pose &o = grid.info.origin;
  for (double v : {o.position.x, o.position.y, o.position.z, o.orientation.x, o.orientation.y, o.orientation.z, o.orientation.w}) w.value(v);
  w.value(static_cast<std::uint32_t>(grid.data.size()));
  for (std::int8_t v : grid.data) w.value(v);
  return w.bytes;
}

std::vector<std::uint8_t> read(const char *path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 6) return 64;
  const std::vector<std::uint8_t> pointBytes = read(argv[1]), transformBytes = read(argv[2]),
                                  featureBytes = read(argv[3]), depthBytes = read(argv[4]);
  const PointCloud2 points = cloud(pointBytes);
  const swiftlet::Transform mapFromLidar = swiftlet_ros::transform(transformStamped(transformBytes));
  swiftlet_lidar_frame lidarFrame;
  std::string why;
  if (!swiftlet_ros::lidarFrame(points, mapFromLidar, lidarFrame, why)) {
    std::fprintf(stderr, "points: %s\n", why.c_str());
    return 4;
  }
  scene::Drive drive(1);
  swiftlet_camera_frame cameraFrame = drive.cameraFrames[0];
  cameraFrame.timestamp_ns = lidarFrame.timestamp_ns;
  if (!swiftlet_ros::tensor(multiArray(featureBytes), cameraFrame.features, why) ||
      !swiftlet_ros::tensor(multiArray(depthBytes), cameraFrame.depth, why)) {
    std::fprintf(stderr, "camera: %s\n", why.c_str());
    return 4;
  }
  const auto *first = static_cast<const std::uint8_t *>(lidarFrame.points);
  if (first < pointBytes.data() || first >= pointBytes.data() + pointBytes.size()) return 5;

  swiftlet::Status status;
  swiftlet::Pipeline pipeline = swiftlet::Pipeline::create(scene::options(1), status);
  scene::require(status, "create");
  const swiftlet_lidar lidar = swiftlet::lidar();
  scene::require(pipeline.setRig(swiftlet::rig({drive.cameras, 1}, {&lidar, 1})), "rig");
  swiftlet_frame frame = swiftlet::frame({&cameraFrame, 1}, {&lidarFrame, 1});
  frame.timestamp_ns = lidarFrame.timestamp_ns;
  const swiftlet::Transform lidarFromEgo = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, -1.8};
  swiftlet::assign(frame.world_from_ego, swiftlet_ros::product(mapFromLidar, lidarFromEgo));
  scene::require(pipeline.process(frame), "process");
  swiftlet_cost_map_view map;
  scene::require(pipeline.prepareQueries(swiftlet::queryOptions()), "prepare queries");
  scene::require(pipeline.updateQueries(), "update queries");
  scene::require(pipeline.costMap(map), "cost map");
  swiftlet::Digest digest;
  scene::require(digest.add(pipeline), "digest");
  OccupancyGrid grid;
  grid.header = points.header;
  grid.header.frame_id = "map";
  swiftlet_ros::occupancyGrid(map, grid);
  const std::vector<std::uint8_t> bytes = serialised(grid);
  std::ofstream(argv[5], std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  std::printf("%u points, %u x %u cells\ndigest %016llx\n", points.width * points.height, grid.info.width,
              grid.info.height, static_cast<unsigned long long>(digest.value()));
  return 0;
}
