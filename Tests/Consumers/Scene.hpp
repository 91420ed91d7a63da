// A small made-up drive for the programs of this folder: two cameras, one LiDAR, inputs that end
// where the next page may not be touched.
#ifndef SWIFTLET_TESTS_SCENE_HPP
#define SWIFTLET_TESTS_SCENE_HPP

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <swiftlet.hpp>

namespace scene {

// Memory whose last byte is the last of a page, with an untouchable page behind it.
class Guarded {
 public:
  explicit Guarded(std::size_t size) : size_(size) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    mapped_ = (size + page - 1) / page * page + page;
    void *base = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) std::abort();
    base_ = static_cast<std::uint8_t *>(base);
    if (mprotect(base_ + mapped_ - page, page, PROT_NONE) != 0) std::abort();
    bytes_ = base_ + mapped_ - page - size;
  }
  ~Guarded() { munmap(base_, mapped_); }
  Guarded(const Guarded &) = delete;
  Guarded &operator=(const Guarded &) = delete;

  std::uint8_t *bytes() const { return bytes_; }
  float *floats() const { return reinterpret_cast<float *>(bytes_); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_, mapped_;
  std::uint8_t *base_, *bytes_;
};

struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double uniform(double lower, double upper) {
    return lower + (upper - lower) * static_cast<double>(next() >> 11) * 0x1p-53;
  }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
};

constexpr int kRows = 4, kColumns = 11, kChannels = 32, kBins = 7, kPoints = 601;

inline const char *configuration() {
  return R"({"schema_version": 1, "channels": 32,
    "grid": {"lower_meters": [-8, -8, -10], "upper_meters": [8, 8, 10], "step_meters": [0.8, 0.8, 20]},
    "depth": {"lower_meters": 1, "upper_meters": 8, "step_meters": 1},
    "occupancy": {"extent_meters": [16, 16, 6.4], "voxel_size_meters": 0.4, "maximum_range_meters": 7}})";
}

struct Drive {
  Guarded features{2 * kRows * kColumns * kChannels * sizeof(float)};
  Guarded depth{2 * kBins * kRows * kColumns * sizeof(float)};
  Guarded points{kPoints * 3 * sizeof(float)};
  swiftlet_camera cameras[2];
  swiftlet_lidar lidars[1];
  swiftlet_camera_frame cameraFrames[2];
  swiftlet_lidar_frame lidarFrames[1];

  explicit Drive(std::uint64_t seed) {
    Random random{seed};
    for (std::size_t i = 0; i < features.size() / 4; ++i)
      features.floats()[i] = static_cast<float>(random.uniform(-1, 1));
    for (std::size_t i = 0; i < depth.size() / 4; ++i)
      depth.floats()[i] = static_cast<float>(random.uniform(0, 1));
    for (std::size_t i = 0; i < points.size() / 4; ++i)
      points.floats()[i] = static_cast<float>(random.uniform(i % 3 == 2 ? -1 : -7, i % 3 == 2 ? 2 : 7));
    for (int i = 0; i < 2; ++i) {
      cameras[i] = swiftlet::camera();
      swiftlet_camera &c = cameras[i];
      c.name = i == 0 ? "FRONT" : "BACK";
      c.focal_x = c.focal_y = 90;
      c.center_x = 88;
      c.center_y = 32;
      c.width = c.network_width = 16 * kColumns;
      c.height = c.network_height = 16 * kRows;
      const double sign = i == 0 ? 1 : -1;
      const swiftlet::Transform mount = {0, 0, sign, sign, -sign, 0, 0, 0, 0, -1, 0, 1.6};
      swiftlet::assign(c.ego_from_camera, mount);
      cameraFrames[i] = swiftlet::cameraFrame();
      swiftlet_camera_frame &f = cameraFrames[i];
      f.flags = SWIFTLET_SENSOR_VALID;
      swiftlet::assign(f.key_ego_from_camera, mount);
      const std::size_t one = kRows * kColumns * kChannels, bins = kBins * kRows * kColumns;
      const std::size_t at = static_cast<std::size_t>(i);
      f.features = swiftlet::tensor({features.floats() + at * one, one}, kRows, kColumns, kChannels);
      f.depth = swiftlet::tensor({depth.floats() + at * bins, bins}, kBins, kRows, kColumns);
    }
    lidars[0] = swiftlet::lidar();
    lidarFrames[0] = swiftlet::lidarFrame();
    lidarFrames[0].flags = SWIFTLET_SENSOR_VALID;
    lidarFrames[0].points = points.bytes();
    lidarFrames[0].byte_count = points.size();
    lidarFrames[0].point_count = kPoints;
    lidarFrames[0].record_stride = 12;
  }

  swiftlet_rig rig() const {
    return swiftlet::rig({cameras, 2}, {lidars, 1});
  }

  // Frame `index` of a drive around a circle of 20 m; every lap is the same.
  swiftlet_frame frame(int index) {
    const double angle = 0.02 * (index % 314), c = std::cos(angle), s = std::sin(angle);
    const swiftlet::Transform pose = {c, -s, 0, 20 * s, s, c, 0, 20 - 20 * c, 0, 0, 1, 0};
    swiftlet_frame f = swiftlet::frame({cameraFrames, 2}, {lidarFrames, 1});
    const std::int64_t time = 100000000LL * index;
    f.timestamp_ns = cameraFrames[0].timestamp_ns = cameraFrames[1].timestamp_ns = time;
    lidarFrames[0].timestamp_ns = time;
    swiftlet::assign(f.world_from_ego, pose);
    swiftlet::assign(lidarFrames[0].world_from_lidar, pose);
    lidarFrames[0].world_from_lidar[11] = 1.8;
    return f;
  }
};

// A .safetensors file of fusion weights for `configuration`, random but for the seed.
inline std::vector<std::uint8_t> weights(std::uint64_t seed) {
  const int C = kChannels, M = 3;
  const struct { const char *name; int rows, columns; } tensors[] = {
      {"in_proj.weight", 3 * C, C}, {"in_proj.bias", 0, 3 * C},        {"out_proj.weight", C, C},
      {"out_proj.bias", 0, C},      {"modality_embedding", M, C},      {"query_embedding", 0, C}};
  std::string header = "{";
  std::size_t end = 0;
  for (const auto &t : tensors) {
    const std::size_t begin = end;
    end += sizeof(float) * static_cast<std::size_t>((t.rows > 0 ? t.rows : 1) * t.columns);
    const std::string shape = (t.rows > 0 ? std::to_string(t.rows) + "," : "") + std::to_string(t.columns);
    header += std::string(header.size() > 1 ? "," : "") + "\"fusion." + t.name +
              "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(begin) + "," + std::to_string(end) + "]}";
  }
  header += "}";
  while (header.size() % 8 != 0) header += ' ';
  std::vector<std::uint8_t> bytes(8 + header.size() + end);
  const std::uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  Random random{seed};
  for (std::size_t at = 8 + header.size(); at < bytes.size(); at += sizeof(float)) {
    const float value = static_cast<float>(random.uniform(-0.2, 0.2));
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  return bytes;
}

inline void require(const swiftlet::Status &status, const char *what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s: %s\n", what, status.name(), status.message());
  std::exit(1);
}

inline swiftlet_options options(int threads) {
  swiftlet_options o = swiftlet::options();
  o.configuration = configuration();
  o.configuration_size = std::strlen(configuration());
  o.thread_count = threads;
  return o;
}

inline swiftlet::Pipeline pipeline(const Drive &drive, const swiftlet_options &options) {
  swiftlet::Status status;
  swiftlet::Pipeline made = swiftlet::Pipeline::create(options, status);
  require(status, "create");
  require(made.setRig(drive.rig()), "rig");
  return made;
}

}  // namespace scene

#endif
