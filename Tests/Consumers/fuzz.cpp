// Random and damaged arguments through the whole C interface. Whatever comes, a call returns a
// status; inputs end at a page that may not be touched, so reading past one dies here.
//
//   fuzz [ROUNDS] [SEED]
#include <limits>
#include <string>
#include <vector>

#include "Scene.hpp"

namespace {

scene::Random random_{1};
long statuses[14] = {};

void note(swiftlet_status status, const swiftlet_error &error) {
  if (status < 0 || status > 13 || error.status != status ||
      (status != SWIFTLET_OK && error.message[0] == 0)) {
    std::fprintf(stderr, "status %d, error says %d: %s\n", status, error.status, error.message);
    std::abort();
  }
  ++statuses[status];
}

template <typename Call>
swiftlet_status run(Call &&call) {
  swiftlet_error error;
  std::memset(&error, 0x5a, sizeof error);
  const swiftlet_status status = call(&error);
  note(status, error);
  return status;
}

bool chance(std::size_t in) { return random_.below(in) == 0; }

double oddDouble() {
  switch (random_.below(9)) {
    case 0: return std::numeric_limits<double>::quiet_NaN();
    case 1: return std::numeric_limits<double>::infinity();
    case 2: return -std::numeric_limits<double>::infinity();
    case 3: return 1e300;
    case 4: return -1e9;
    case 5: return 0;
    case 6: return 5e-324;
    case 7: return 9.9e6;
    default: return random_.uniform(-100, 100);
  }
}
std::int64_t oddInteger() {
  const std::int64_t values[] = {0, 1, -1, 2, 3, 7, 1 << 20, std::numeric_limits<std::int64_t>::max(),
                                 std::numeric_limits<std::int64_t>::min(), 0x7fffffff, -0x7fffffff, 1LL << 40};
  return values[random_.below(sizeof values / sizeof *values)];
}

// Overwrites a few bytes of a structure.
template <typename T>
void damage(T &value, std::size_t from = 0) {
  unsigned char *bytes = reinterpret_cast<unsigned char *>(&value);
  for (std::size_t i = 0, n = 1 + random_.below(3); i < n; ++i)
    bytes[from + random_.below(sizeof(T) - from)] = static_cast<unsigned char>(random_.next());
}

void oddTensor(swiftlet_tensor &t) {
  switch (random_.below(6)) {
    case 0: t.data = nullptr; break;
    case 1: t.byte_count = static_cast<std::size_t>(oddInteger()); t.byte_count = t.byte_count > 64 ? 64 : t.byte_count; break;
    case 2: t.element_type = static_cast<std::int32_t>(oddInteger()); break;
    case 3: t.shape[random_.below(3)] = oddInteger(); break;
    case 4: for (auto &s : t.strides) s = oddInteger(); break;
    default: t.data = static_cast<const char *>(t.data) + 1; t.byte_count -= 1; break;
  }
}

// Frames of every fault, and sound ones between, which must work.
void frames(scene::Drive &drive, swiftlet::Pipeline &pipeline, int round) {
  scene::Drive copy(static_cast<std::uint64_t>(round));
  swiftlet_frame frame = copy.frame(round);
  bool sound = true;
  if (chance(3)) frame.world_from_ego[random_.below(12)] = oddDouble(), sound = false;
  if (chance(3)) copy.lidarFrames[0].world_from_lidar[random_.below(12)] = oddDouble(), sound = false;
  if (chance(3)) copy.cameraFrames[random_.below(2)].key_ego_from_camera[random_.below(12)] = oddDouble(), sound = false;
  if (chance(3)) oddTensor(copy.cameraFrames[random_.below(2)].features), sound = false;
  if (chance(3)) oddTensor(copy.cameraFrames[random_.below(2)].depth), sound = false;
  if (chance(3)) {
    sound = false;
    swiftlet_lidar_frame &l = copy.lidarFrames[0];
    switch (random_.below(6)) {
      case 0: l.point_count = static_cast<std::size_t>(oddInteger()); break;
      case 1: l.record_stride = static_cast<std::size_t>(oddInteger()); break;
      case 2: l.byte_count = random_.below(l.byte_count); break;
      case 3: l.x_offset = static_cast<std::int32_t>(oddInteger()); break;
      case 4: l.points = nullptr; break;
      default: l.struct_size = static_cast<std::uint32_t>(oddInteger()); break;
    }
  }
  if (chance(4))
    for (int i = 0; i < 40; ++i)
      copy.points.floats()[random_.below(copy.points.size() / 4)] = static_cast<float>(oddDouble());
  if (chance(4)) copy.features.floats()[random_.below(copy.features.size() / 4)] = std::nanf("");
  // A radar map and a prior whose arrays end at an untouchable page.
  scene::Guarded radar(20 * 20 * 32 * 4), known(20 * 20);
  swiftlet_bev_frame maps[3] = {swiftlet::bevFrame(), swiftlet::bevFrame(), swiftlet::bevFrame()};
  for (int i = 0; i < 3; ++i) {
    maps[i].flags = chance(5) ? 0 : SWIFTLET_SENSOR_VALID;
    maps[i].kind = i;
    maps[i].timestamp_ns = frame.timestamp_ns;
    maps[i].features = swiftlet::tensor({radar.floats(), radar.size() / 4}, 20, 20, 32);
    maps[i].validity = chance(3) ? nullptr : known.bytes();
    maps[i].validity_byte_count = known.size();
  }
  if (chance(3)) {
    frame.maps = maps;
    frame.map_count = static_cast<std::uint32_t>(1 + random_.below(2));
    if (chance(3)) radar.floats()[random_.below(radar.size() / 4)] = static_cast<float>(oddDouble());
    if (chance(3)) maps[0].world_from_ego[random_.below(12)] = oddDouble();
    if (chance(4)) oddTensor(maps[0].features), sound = false;
    if (chance(5)) maps[0].kind = static_cast<std::int32_t>(oddInteger()), sound = false;
    if (chance(5)) maps[0].validity_byte_count = random_.below(400), sound = false;
    if (chance(6)) frame.map_count = static_cast<std::uint32_t>(oddInteger()), sound = false;
    if (chance(6)) maps[0].timestamp_ns = oddInteger(), sound = false;
  }
  if (chance(6)) frame.camera_count = static_cast<std::uint32_t>(random_.below(4)), sound = false;
  if (chance(6)) frame.cameras = nullptr, sound = false;
  if (chance(6)) frame.struct_size = static_cast<std::uint32_t>(oddInteger()), sound = false;
  if (chance(4)) {  // verbs in any order
    for (int i = 0; i < 4; ++i) {
      const std::size_t verb = random_.below(4);
      run([&](swiftlet_error *e) {
        return verb == 0   ? swiftlet_pipeline_project(pipeline.handle(), &frame, e)
               : verb == 1 ? swiftlet_pipeline_update(pipeline.handle(), e)
               : verb == 2 ? swiftlet_pipeline_fuse(pipeline.handle(), e)
                           : swiftlet_pipeline_reset(pipeline.handle(), e);
      });
    }
  }
  const swiftlet_status status =
      run([&](swiftlet_error *e) { return swiftlet_pipeline_process(pipeline.handle(), &frame, e); });
  if (sound && status != SWIFTLET_OK) std::abort();
  (void)drive;
}

void rigs(const scene::Drive &drive) {
  scene::Drive copy(7);
  swiftlet_rig rig = copy.rig();
  for (int i = 0; i < 2; ++i) {
    swiftlet_camera &camera = copy.cameras[random_.below(2)];
    switch (random_.below(8)) {
      case 0: camera.focal_x = oddDouble(); break;
      case 1: camera.network_width = static_cast<std::int32_t>(oddInteger()); break;
      case 2: camera.lens = static_cast<std::int32_t>(random_.below(5)); camera.distortion_count = static_cast<std::int32_t>(random_.below(10)); break;
      case 3: camera.ego_from_camera[random_.below(12)] = oddDouble(); break;
      case 4: camera.network_from_raw[random_.below(6)] = oddDouble(); break;
      case 5: camera.distortion[random_.below(8)] = oddDouble(); break;
      case 6: camera.struct_size = static_cast<std::uint32_t>(oddInteger()); break;
      default: camera.feature_width = static_cast<std::int32_t>(oddInteger()); camera.feature_height = 3; break;
    }
  }
  if (chance(5)) rig.camera_count = static_cast<std::uint32_t>(13 + random_.below(1000));
  if (chance(5)) rig.lidars = nullptr;
  swiftlet_options options = scene::options(1);
  options.maximum_bytes = 64 << 20;
  swiftlet::Status status;
  swiftlet::Pipeline pipeline = swiftlet::Pipeline::create(options, status);
  scene::require(status, "create");
  run([&](swiftlet_error *e) { return swiftlet_pipeline_set_rig(pipeline.handle(), &rig, e); });
  const swiftlet_frame frame = copy.frame(1);
  run([&](swiftlet_error *e) { return swiftlet_pipeline_process(pipeline.handle(), &frame, e); });
  (void)drive;
}

void settings() {
  std::string text = scene::configuration();
  for (std::size_t i = 0, n = 1 + random_.below(4); i < n; ++i) {
    const char replacements[] = "0123456789-.e{}[],:\"x\\ ";
    text[random_.below(text.size())] = replacements[random_.below(sizeof replacements - 1)];
  }
  if (chance(6)) text.resize(random_.below(text.size()));
  scene::Guarded bytes(text.size());
  std::memcpy(bytes.bytes(), text.data(), text.size());
  swiftlet_options options = swiftlet::options();
  options.configuration = reinterpret_cast<const char *>(bytes.bytes());
  options.configuration_size = bytes.size();
  options.maximum_bytes = 32 << 20;
  if (chance(3)) options.thread_count = static_cast<std::int32_t>(oddInteger());
  if (options.thread_count > 4 && options.thread_count <= 256) options.thread_count = 4;
  if (chance(5)) options.realtime_priority = static_cast<std::int32_t>(oddInteger());
  if (chance(5)) options.flags = static_cast<std::uint32_t>(oddInteger()) & ~1u;
  if (chance(5)) options.engine = "avx1024";
  if (chance(5)) options.maximum_points = static_cast<std::size_t>(oddInteger());
  if (chance(9)) options.configuration_size = static_cast<std::size_t>(-1);
  swiftlet_pipeline *made = nullptr;
  run([&](swiftlet_error *e) { return swiftlet_pipeline_create(&options, &made, e); });
  swiftlet_pipeline_destroy(made);
}

void damagedBytes(const std::vector<std::uint8_t> &sound, swiftlet::Pipeline &pipeline, bool isState) {
  std::vector<std::uint8_t> bytes = sound;
  for (std::size_t i = 0, n = 1 + random_.below(6); i < n; ++i)
    bytes[random_.below(chance(3) ? bytes.size() : 1200)] = static_cast<std::uint8_t>(random_.next());
  if (chance(4)) bytes.resize(random_.below(bytes.size()));
  scene::Guarded guarded(bytes.size());
  if (!bytes.empty()) std::memcpy(guarded.bytes(), bytes.data(), bytes.size());
  if (isState) {
    run([&](swiftlet_error *e) { return swiftlet_pipeline_load(pipeline.handle(), guarded.bytes(), guarded.size(), e); });
    return;
  }
  swiftlet_frame_file *file = nullptr;
  run([&](swiftlet_error *e) { return swiftlet_frame_file_open(guarded.bytes(), guarded.size(), &file, e); });
  swiftlet_frame_file_destroy(file);
}

void weights(swiftlet::Pipeline &pipeline) {
  std::vector<std::uint8_t> bytes(8 + random_.below(200));
  for (auto &b : bytes) b = static_cast<std::uint8_t>(random_.next());
  if (chance(2)) {
    const std::string header = "{\"fusion.query_embedding\":{\"dtype\":\"F32\",\"shape\":[32],\"data_offsets\":[0,128]}}";
    bytes.assign(8, 0);
    bytes[0] = static_cast<std::uint8_t>(header.size());
    bytes.insert(bytes.end(), header.begin(), header.end());
    bytes.resize(bytes.size() + random_.below(200));
  }
  std::vector<std::uint8_t> whole = scene::weights(random_.next());
  if (chance(2)) whole[random_.below(chance(3) ? whole.size() : 400)] = static_cast<std::uint8_t>(random_.next());
  if (chance(4)) whole.resize(random_.below(whole.size()));
  scene::Guarded guarded(whole.size());
  if (!whole.empty()) std::memcpy(guarded.bytes(), whole.data(), whole.size());
  swiftlet_weights *next = nullptr;
  run([&](swiftlet_error *e) { return swiftlet_weights_create(pipeline.handle(), guarded.bytes(), guarded.size(), &next, e); });
  if (next != nullptr) run([&](swiftlet_error *e) { return swiftlet_pipeline_swap_weights(pipeline.handle(), next, e); });
  swiftlet_weights_destroy(next);
  swiftlet_options options = scene::options(1);
  options.weights = bytes.data();
  options.weights_size = bytes.size();
  swiftlet_pipeline *made = nullptr;
  run([&](swiftlet_error *e) { return swiftlet_pipeline_create(&options, &made, e); });
  swiftlet_pipeline_destroy(made);
}

void queries(swiftlet::Pipeline &pipeline) {
  scene::Guarded positions(3 * 8 * 5), states(5);
  for (int i = 0; i < 15; ++i) {
    const double value = oddDouble();
    std::memcpy(positions.bytes() + 8 * i, &value, 8);
  }
  const double *at = reinterpret_cast<const double *>(positions.bytes());
  run([&](swiftlet_error *e) { return swiftlet_query_states(pipeline.handle(), chance(5) ? nullptr : at, chance(5) ? static_cast<std::size_t>(-1) : 5, states.bytes(), e); });
  double pose[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  if (chance(2)) pose[random_.below(12)] = oddDouble();
  double lower[3] = {oddDouble(), oddDouble(), oddDouble()};
  if (chance(2)) lower[0] = lower[1] = lower[2] = -3;
  std::int32_t counts[3] = {3, 4, 5};
  if (chance(4)) counts[random_.below(3)] = chance(2) ? 0 : -5;
  scene::Guarded volume(60);
  run([&](swiftlet_error *e) { return swiftlet_query_volume(pipeline.handle(), pose, lower, chance(3) ? oddDouble() : 0.5, counts, volume.bytes(), e); });
  float rays[15], far[5];
  std::uint8_t ends[5];
  std::int32_t keys[15];
  for (float &value : rays) value = static_cast<float>(oddDouble());
  const double from[3] = {oddDouble(), chance(2) ? 0 : oddDouble(), 1};
  run([&](swiftlet_error *e) { return swiftlet_query_rays(pipeline.handle(), from, rays, chance(6) ? static_cast<std::size_t>(-1) : 5, chance(3) ? oddDouble() : 5, 0, far, ends, keys, e); });
  const double size[3] = {chance(3) ? oddDouble() : 2, 1, 1};
  swiftlet_box_result box;
  run([&](swiftlet_error *e) { return swiftlet_query_box(pipeline.handle(), pose, size, &box, e); });
  double poses[24];
  for (int i = 0; i < 24; ++i) poses[i] = pose[i % 12];
  if (chance(2)) poses[12 + random_.below(12)] = oddDouble();
  swiftlet_box_result boxes[2];
  swiftlet_path_result path;
  run([&](swiftlet_error *e) { return swiftlet_query_path(pipeline.handle(), poses, chance(8) ? static_cast<std::size_t>(oddInteger()) & 0xffffffffffff0002u : 2, size, chance(4) ? oddInteger() : 500, boxes, &path, e); });
  run([&](swiftlet_error *e) { return swiftlet_pipeline_update_queries(pipeline.handle(), e); });
  run([&](swiftlet_error *e) { return swiftlet_query_distances(pipeline.handle(), at, 5, far, e); });
  swiftlet_cost_map_view costs;
  run([&](swiftlet_error *e) { return swiftlet_query_cost_map(pipeline.handle(), &costs, e); });
  swiftlet_obstacle obstacles[2];
  std::size_t found = 0;
  run([&](swiftlet_error *e) { return swiftlet_query_obstacles(pipeline.handle(), obstacles, 2, &found, e); });
  if (chance(10)) {
    swiftlet_query_options odd;
    swiftlet_query_options_init(&odd);
    (&odd.maximum_distance)[random_.below(8)] = oddDouble();
    run([&](swiftlet_error *e) { return swiftlet_pipeline_prepare_queries(pipeline.handle(), &odd, e); });
  }
  swiftlet_head_view head;
  run([&](swiftlet_error *e) { return swiftlet_pipeline_head(pipeline.handle(), static_cast<std::int32_t>(random_.below(4)) - 1, &head, e); });
  const std::uint16_t *ages = nullptr;
  run([&](swiftlet_error *e) { return swiftlet_pipeline_ages(pipeline.handle(), &ages, e); });
  swiftlet_map_view view;
  run([&](swiftlet_error *e) { return swiftlet_pipeline_map(pipeline.handle(), static_cast<std::int32_t>(random_.below(7)) - 1, chance(6) ? nullptr : &view, e); });
}

void kernels(swiftlet_kernels *handle) {
  const std::int64_t size = static_cast<std::int64_t>(1 + random_.below(5));
  swiftlet_pool_shape shape = {1 + static_cast<std::int64_t>(random_.below(2)), size, 2, 3, 1 + static_cast<std::int64_t>(random_.below(20)), 6};
  const std::size_t points = static_cast<std::size_t>(shape.cameras * shape.bins * 6);
  scene::Guarded depth(points * 4), ranks(points * 4), features(static_cast<std::size_t>(shape.cameras * 6 * shape.channels) * 4),
      output(static_cast<std::size_t>(6 * shape.channels) * 4);
  for (std::size_t i = 0; i < points; ++i) {
    const std::int32_t rank = static_cast<std::int32_t>(random_.below(7)) - 1;
    std::memcpy(ranks.bytes() + 4 * i, &rank, 4);
    depth.floats()[i] = 1;
  }
  if (chance(3)) std::memset(ranks.bytes(), 0x7f, 4);
  swiftlet_pool_shape given = shape;
  if (chance(2)) (&given.cameras)[random_.below(6)] = chance(2) ? -1 : std::numeric_limits<std::int64_t>::max();
  run([&](swiftlet_error *e) { return swiftlet_bev_pool(handle, &given, depth.floats(), features.floats(), reinterpret_cast<const std::int32_t *>(ranks.bytes()), output.floats(), e); });

  swiftlet_attention_shape attention = {1 + static_cast<std::int64_t>(random_.below(3)), 1 + static_cast<std::int64_t>(random_.below(17)), 2, 2, 3};
  std::int32_t levels[4] = {2, 3, 1, 2};
  const std::size_t samples = static_cast<std::size_t>(attention.queries * attention.heads * 4);
  scene::Guarded values(static_cast<std::size_t>(8 * attention.heads * attention.channels) * 4), locations(samples * 8), weights(samples * 4),
      out(static_cast<std::size_t>(attention.queries * attention.heads * attention.channels) * 4);
  for (std::size_t i = 0; i < 2 * samples; ++i) locations.floats()[i] = static_cast<float>(chance(5) ? oddDouble() : random_.uniform(-0.5, 1.5));
  swiftlet_attention_shape odd = attention;
  if (chance(2)) (&odd.heads)[random_.below(5)] = chance(2) ? 0 : std::numeric_limits<std::int64_t>::max();
  if (chance(4)) levels[0] = -2;
  run([&](swiftlet_error *e) { return swiftlet_deformable_attention(handle, &odd, levels, values.floats(), locations.floats(), weights.floats(), out.floats(), e); });

  swiftlet_octomap *map = nullptr;
  if (run([&](swiftlet_error *e) { return swiftlet_octomap_create(handle, chance(2) ? 0.2 : oddDouble(), nullptr, &map, e); }) != SWIFTLET_OK) return;
  scene::Guarded cloud(3 * 4 * 20);
  for (int i = 0; i < 60; ++i) cloud.floats()[i] = static_cast<float>(chance(10) ? oddDouble() : random_.uniform(-5, 5));
  const float origin[3] = {static_cast<float>(chance(4) ? oddDouble() : 0), 0, 1};
  run([&](swiftlet_error *e) { return swiftlet_octomap_insert(map, cloud.floats(), chance(6) ? static_cast<std::size_t>(-1) : 20, origin, chance(4) ? oddDouble() : 4, static_cast<std::int32_t>(random_.below(4)), e); });
  std::size_t count = 0;
  run([&](swiftlet_error *e) { return swiftlet_octomap_voxels(map, nullptr, nullptr, 0, &count, e); });
  swiftlet_octomap_destroy(map);
}

}  // namespace

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
  random_.state = argc > 2 ? static_cast<std::uint64_t>(std::atoll(argv[2])) : 1;
  scene::Drive drive(1);
  swiftlet::Pipeline pipeline = scene::pipeline(drive, scene::options(1));
  scene::require(pipeline.process(drive.frame(0)), "process");
  std::vector<std::uint8_t> saved;
  scene::require(pipeline.save(saved), "save");
  swiftlet_kernels *handle = nullptr;
  swiftlet_options options = swiftlet::options();
  options.maximum_bytes = 1 << 20;
  run([&](swiftlet_error *e) { return swiftlet_kernels_create(&options, &handle, e); });
  for (int round = 0; round < rounds; ++round) {
    frames(drive, pipeline, round);
    if (round % 4 == 0) queries(pipeline);
    if (round % 4 == 1) damagedBytes(saved, pipeline, round % 8 == 1);
    if (round % 8 == 2) settings();
    if (round % 8 == 3) rigs(drive);
    if (round % 8 == 5) weights(pipeline);
    if (round % 4 == 3) kernels(handle);
    run([&](swiftlet_error *e) { return swiftlet_pipeline_process(round % 2 ? nullptr : pipeline.handle(), nullptr, e); });
  }
  swiftlet_kernels_destroy(handle);
  for (int status = 0; status < 14; ++status)
    if (statuses[status] > 0) std::printf("%-28s %ld\n", swiftlet_status_name(status), statuses[status]);
  std::printf("%d rounds\n", rounds);
  return 0;
}
