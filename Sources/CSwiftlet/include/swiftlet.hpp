// swiftlet.hpp - C++17 over swiftlet.h: owners that free themselves and spans; header only, no
// dependency but the standard library.
//
// Exceptions are off: a call returns a Status that must be looked at, and factories give an empty
// owner. Define SWIFTLET_EXCEPTIONS before including this file to have swiftlet::Exception thrown
// instead of every failure.
#ifndef SWIFTLET_HPP
#define SWIFTLET_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "swiftlet.h"

#ifdef SWIFTLET_EXCEPTIONS
#include <stdexcept>
#include <string>
#endif

namespace swiftlet {

// A borrowed run of elements.
template <typename T>
class Span {
 public:
  constexpr Span() noexcept = default;
  constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <typename Container>
  // NOLINTNEXTLINE(google-explicit-constructor): as std::span does.
  constexpr Span(Container &container) noexcept
      : data_(container.data()), size_(container.size()) {}

  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }

 private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

#ifdef SWIFTLET_EXCEPTIONS
struct Exception : std::runtime_error {
  explicit Exception(const swiftlet_error &error)
      : std::runtime_error(std::string(swiftlet_status_name(error.status)) + ": " + error.message),
        status(error.status) {}
  swiftlet_status status;
};
#endif

// How a call went. Copies nothing but the error the C interface filled.
class [[nodiscard]] Status {
 public:
  Status() noexcept { error_.status = SWIFTLET_OK; error_.message[0] = 0; }

  bool ok() const noexcept { return error_.status == SWIFTLET_OK; }
  explicit operator bool() const noexcept { return ok(); }
  swiftlet_status code() const noexcept { return error_.status; }
  const char *name() const noexcept { return swiftlet_status_name(error_.status); }
  const char *message() const noexcept { return error_.message; }

  // Runs a C call that takes an error last.
  template <typename Call>
  static Status of(Call &&call) {
    Status status;
    const swiftlet_status code = call(&status.error_);
    status.error_.status = code;
#ifdef SWIFTLET_EXCEPTIONS
    if (code != SWIFTLET_OK) throw Exception(status.error_);
#endif
    return status;
  }

 private:
  swiftlet_error error_;
};

using Transform = std::array<double, 12>;

inline void assign(double (&rows)[12], const Transform &transform) noexcept {
  for (std::size_t index = 0; index < 12; ++index) rows[index] = transform[index];
}

// Structures with their defaults.
inline swiftlet_options options() noexcept { swiftlet_options o; swiftlet_options_init(&o); return o; }
inline swiftlet_camera camera() noexcept { swiftlet_camera c; swiftlet_camera_init(&c); return c; }
inline swiftlet_lidar lidar() noexcept { swiftlet_lidar l; swiftlet_lidar_init(&l); return l; }
inline swiftlet_camera_frame cameraFrame() noexcept {
  swiftlet_camera_frame c;
  swiftlet_camera_frame_init(&c);
  return c;
}
inline swiftlet_lidar_frame lidarFrame() noexcept {
  swiftlet_lidar_frame l;
  swiftlet_lidar_frame_init(&l);
  return l;
}
inline swiftlet_rig rig(Span<const swiftlet_camera> cameras,
                        Span<const swiftlet_lidar> lidars) noexcept {
  swiftlet_rig r;
  swiftlet_rig_init(&r);
  r.cameras = cameras.data();
  r.camera_count = static_cast<std::uint32_t>(cameras.size());
  r.lidars = lidars.data();
  r.lidar_count = static_cast<std::uint32_t>(lidars.size());
  return r;
}
inline swiftlet_bev_frame bevFrame() noexcept {
  swiftlet_bev_frame m;
  swiftlet_bev_frame_init(&m);
  return m;
}
inline swiftlet_query_options queryOptions() noexcept {
  swiftlet_query_options o;
  swiftlet_query_options_init(&o);
  return o;
}
inline swiftlet_frame frame(Span<const swiftlet_camera_frame> cameras,
                            Span<const swiftlet_lidar_frame> lidars,
                            Span<const swiftlet_bev_frame> maps = {}) noexcept {
  swiftlet_frame f;
  swiftlet_frame_init(&f);
  f.cameras = cameras.data();
  f.camera_count = static_cast<std::uint32_t>(cameras.size());
  f.lidars = lidars.data();
  f.lidar_count = static_cast<std::uint32_t>(lidars.size());
  f.maps = maps.data();
  f.map_count = static_cast<std::uint32_t>(maps.size());
  return f;
}

// A contiguous float32 tensor.
inline swiftlet_tensor tensor(Span<const float> values, std::int64_t slow, std::int64_t middle,
                              std::int64_t fast) noexcept {
  swiftlet_tensor t{};
  t.data = values.data();
  t.byte_count = values.size() * sizeof(float);
  t.element_type = SWIFTLET_FLOAT32;
  t.shape[0] = slow;
  t.shape[1] = middle;
  t.shape[2] = fast;
  return t;
}

// A map of the last frame; valid until the pipeline's next call.
class Map {
 public:
  Map() noexcept = default;
  explicit Map(const swiftlet_map_view &view) noexcept : view_(view) {}

  Span<const float> features() const noexcept {
    return {view_.features, cells() * static_cast<std::size_t>(view_.channels)};
  }
  Span<const std::uint8_t> validity() const noexcept { return {view_.validity, cells()}; }
  std::int64_t rows() const noexcept { return view_.rows; }
  std::int64_t columns() const noexcept { return view_.columns; }
  std::int64_t channels() const noexcept { return view_.channels; }
  const swiftlet_map_view &view() const noexcept { return view_; }

 private:
  std::size_t cells() const noexcept { return static_cast<std::size_t>(view_.rows * view_.columns); }
  swiftlet_map_view view_{};
};

namespace detail {
struct Free {
  void operator()(swiftlet_pipeline *p) const noexcept { swiftlet_pipeline_destroy(p); }
  void operator()(swiftlet_weights *p) const noexcept { swiftlet_weights_destroy(p); }
  void operator()(swiftlet_digest *p) const noexcept { swiftlet_digest_destroy(p); }
  void operator()(swiftlet_frame_file *p) const noexcept { swiftlet_frame_file_destroy(p); }
};
template <typename T>
using Owner = std::unique_ptr<T, Free>;
}  // namespace detail

class Pipeline;

// Weights packed for one pipeline; after a swap, those that were replaced.
class Weights {
 public:
  Weights() noexcept = default;
  // May run on another thread while the pipeline processes frames.
  static Weights create(const Pipeline &pipeline, Span<const std::uint8_t> bytes, Status &status);

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  swiftlet_weights *handle() const noexcept { return handle_.get(); }

 private:
  explicit Weights(swiftlet_weights *handle) noexcept : handle_(handle) {}
  detail::Owner<swiftlet_weights> handle_;
};

// One pipeline; movable, freed with its threads at the end of its scope.
class Pipeline {
 public:
  Pipeline() noexcept = default;

  static Pipeline create(const swiftlet_options &options, Status &status) {
    swiftlet_pipeline *made = nullptr;
    status = Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_create(&options, &made, e); });
    return Pipeline(made);
  }

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  swiftlet_pipeline *handle() const noexcept { return handle_.get(); }

  Status setRig(const swiftlet_rig &rig) {
    return Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_set_rig(handle(), &rig, e); });
  }
  // Allocates nothing when it succeeds.
  Status process(const swiftlet_frame &frame) {
    return Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_process(handle(), &frame, e); });
  }
  // `process` in three calls, in this order; the frame's data stays borrowed until `fuse` returns.
  Status project(const swiftlet_frame &frame) {
    return Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_project(handle(), &frame, e); });
  }
  Status update() {
    return Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_update(handle(), e); });
  }
  Status fuse() {
    return Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_fuse(handle(), e); });
  }
  // From the next `fuse` on; `weights` then holds those that were replaced. Allocates nothing.
  Status swap(Weights &weights) {
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_pipeline_swap_weights(handle(), weights.handle(), e);
    });
  }
  Status reset() {
    return Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_reset(handle(), e); });
  }
  Status map(swiftlet_map which, Map &map) {
    swiftlet_map_view view{};
    Status status = Status::of(
        [&](swiftlet_error *e) { return swiftlet_pipeline_map(handle(), which, &view, e); });
    map = Map(view);
    return status;
  }
  Status occupancy(swiftlet_occupancy_view &view) {
    return Status::of(
        [&](swiftlet_error *e) { return swiftlet_pipeline_occupancy(handle(), &view, e); });
  }
  // Milliseconds [row][column]; 65535 where there is no data.
  Status ages(Span<const std::uint16_t> &ages) {
    const std::uint16_t *first = nullptr;
    swiftlet_map_view view{};
    Status status = Status::of([&](swiftlet_error *e) {
      const swiftlet_status code = swiftlet_pipeline_map(handle(), SWIFTLET_MAP_FUSED, &view, e);
      return code == SWIFTLET_OK ? swiftlet_pipeline_ages(handle(), &first, e) : code;
    });
    ages = {first, first == nullptr ? 0 : static_cast<std::size_t>(view.rows * view.columns)};
    return status;
  }
  Status head(swiftlet_head which, swiftlet_head_view &view) {
    return Status::of(
        [&](swiftlet_error *e) { return swiftlet_pipeline_head(handle(), which, &view, e); });
  }
  // The findings of the last frame that fit into `room`; `count` is how many there are.
  Status findings(Span<swiftlet_finding> room, std::size_t &count) {
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_pipeline_findings(handle(), room.data(), room.size(), &count, e);
    });
  }
  // States of the voxels at positions x y z, `states` one each.
  Status states(Span<const double> positions, Span<swiftlet_voxel_state> states) {
    return Status::of([&](swiftlet_error *e) {
      const std::size_t count = positions.size() / 3 < states.size() ? positions.size() / 3 : states.size();
      return swiftlet_query_states(handle(), positions.data(), count, states.data(), e);
    });
  }
  // Rays from one origin, directions x y z; all spans as long as there are rays, keys three times.
  Status rays(const std::array<double, 3> &origin, Span<const float> directions, double range,
              Span<float> distances, Span<swiftlet_ray_state> states, Span<std::int32_t> keys,
              bool stopsAtUnknown = false) {
    std::size_t count = directions.size() / 3;
    for (const std::size_t room : {distances.size(), states.size(), keys.size() / 3})
      if (room < count) count = room;
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_query_rays(handle(), origin.data(), directions.data(), count, range,
                                 stopsAtUnknown ? 1 : 0, distances.data(), states.data(), keys.data(), e);
    });
  }
  Status box(const Transform &worldFromBox, const std::array<double, 3> &size,
             swiftlet_box_result &result) {
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_query_box(handle(), worldFromBox.data(), size.data(), &result, e);
    });
  }
  // What a box sweeps along poses; `results` one each.
  Status path(Span<const Transform> worldFromBoxes, const std::array<double, 3> &size,
              Span<swiftlet_box_result> results, swiftlet_path_result &summary,
              std::int64_t maximumSteps = 0) {
    return Status::of([&](swiftlet_error *e) {
      const double *first = worldFromBoxes.empty() ? nullptr : worldFromBoxes[0].data();
      const std::size_t count =
          worldFromBoxes.size() < results.size() ? worldFromBoxes.size() : results.size();
      return swiftlet_query_path(handle(), first, count, size.data(), maximumSteps, results.data(),
                                 &summary, e);
    });
  }
  // Buffers of the queries below, which `updateQueries` brings up to date after a frame.
  Status prepareQueries(const swiftlet_query_options &options) {
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_pipeline_prepare_queries(handle(), &options, e);
    });
  }
  Status updateQueries() {
    return Status::of([&](swiftlet_error *e) { return swiftlet_pipeline_update_queries(handle(), e); });
  }
  Status distances(Span<const double> positions, Span<float> distances) {
    return Status::of([&](swiftlet_error *e) {
      const std::size_t places = positions.size() / 3;
      return swiftlet_query_distances(handle(), positions.data(),
                                      places < distances.size() ? places : distances.size(),
                                      distances.data(), e);
    });
  }
  Status costMap(swiftlet_cost_map_view &view) {
    return Status::of([&](swiftlet_error *e) { return swiftlet_query_cost_map(handle(), &view, e); });
  }
  // The obstacles that fit into `room`; `count` is how many there are.
  Status obstacles(Span<swiftlet_obstacle> room, std::size_t &count) {
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_query_obstacles(handle(), room.data(), room.size(), &count, e);
    });
  }
  Status save(std::vector<std::uint8_t> &bytes) {
    std::size_t size = 0;
    (void)swiftlet_pipeline_save(handle(), nullptr, 0, &size, nullptr);
    bytes.resize(size);
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_pipeline_save(handle(), bytes.data(), bytes.size(), &size, e);
    });
  }
  Status load(Span<const std::uint8_t> bytes) {
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_pipeline_load(handle(), bytes.data(), bytes.size(), e);
    });
  }

 private:
  explicit Pipeline(swiftlet_pipeline *handle) noexcept : handle_(handle) {}
  detail::Owner<swiftlet_pipeline> handle_;
};

inline Weights Weights::create(const Pipeline &pipeline, Span<const std::uint8_t> bytes,
                               Status &status) {
  swiftlet_weights *made = nullptr;
  status = Status::of([&](swiftlet_error *e) {
    return swiftlet_weights_create(pipeline.handle(), bytes.data(), bytes.size(), &made, e);
  });
  return Weights(made);
}

// XXH3 over results, as `swiftlet replay` prints it.
class Digest {
 public:
  Digest() {
    swiftlet_digest *made = nullptr;
    (void)swiftlet_digest_create(&made, nullptr);
    handle_.reset(made);
  }
  Status add(Pipeline &pipeline, std::uint64_t *frameDigest = nullptr) {
    return Status::of([&](swiftlet_error *e) {
      return swiftlet_digest_add(handle_.get(), pipeline.handle(), frameDigest, e);
    });
  }
  std::uint64_t value() const noexcept {
    std::uint64_t value = 0;
    (void)swiftlet_digest_value(handle_.get(), &value, nullptr);
    return value;
  }

 private:
  detail::Owner<swiftlet_digest> handle_;
};

// A file of `swiftlet export`, read in place: `bytes` must outlive it.
class FrameFile {
 public:
  static FrameFile open(Span<const std::uint8_t> bytes, Status &status) {
    swiftlet_frame_file *made = nullptr;
    status = Status::of([&](swiftlet_error *e) {
      return swiftlet_frame_file_open(bytes.data(), bytes.size(), &made, e);
    });
    return FrameFile(made);
  }
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  // NULL in a file of the other kind; valid as long as this object.
  const swiftlet_rig *rig() const noexcept {
    const swiftlet_rig *rig = nullptr;
    (void)swiftlet_frame_file_rig(handle_.get(), &rig, nullptr);
    return rig;
  }
  const swiftlet_frame *frame() const noexcept {
    const swiftlet_frame *frame = nullptr;
    (void)swiftlet_frame_file_frame(handle_.get(), &frame, nullptr);
    return frame;
  }

 private:
  explicit FrameFile(swiftlet_frame_file *handle) noexcept : handle_(handle) {}
  detail::Owner<swiftlet_frame_file> handle_;
};

}  // namespace swiftlet

#endif  // SWIFTLET_HPP
