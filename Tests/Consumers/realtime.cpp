// Proofs that a frame is real-time safe, seen from a caller that links the library.
//
//   realtime MODE [FRAMES] [THREADS] [plant]      the modes are at the end of this file
//
// `plant` puts the fault in that the proof must find; the program then has to fail.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <thread>

#include "Scene.hpp"

#ifdef COUNT_ALLOCATIONS
extern "C" {
void allocation_counter_start(void);
std::int64_t allocation_counter_stop(void);
}
#endif

#if defined(__has_feature)
#if __has_feature(realtime_sanitizer)
#define NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef NONBLOCKING
#define NONBLOCKING
#endif

namespace {

long faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

long residentKilobytes() {
  long pages = 0, resident = 0;
  FILE *file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) std::abort();
  std::fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

// Bytes that malloc has handed out and not got back.
long bytesInUse() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<long>(info.uordblks + info.hblkhd);
}

// Kept so that no compiler removes the planted allocation.
void *volatile planted = nullptr;

swiftlet_status processNonblocking(swiftlet_pipeline *pipeline, const swiftlet_frame *frame,
                                   bool plant) noexcept NONBLOCKING {
  if (plant) planted = std::malloc(64);
  return swiftlet_pipeline_process(pipeline, frame, nullptr);
}

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

// Processes the drive's frames; their times go to `times` where it is given.
std::uint64_t lap(swiftlet::Pipeline &pipeline, scene::Drive &drive, int frames,
                  std::vector<double> *times = nullptr) {
  swiftlet::Digest digest;
  for (int i = 0; i < frames; ++i) {
    const swiftlet_frame frame = drive.frame(i);
    const auto begin = Clock::now();
    scene::require(pipeline.process(frame), "process");
    if (times != nullptr) (*times)[static_cast<std::size_t>(i)] = microseconds(Clock::now() - begin);
    scene::require(digest.add(pipeline), "digest");
  }
  return digest.value();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

int report(const char *what, long found, long allowed) {
  std::printf("%s %ld (at most %ld)\n", what, found, allowed);
  return found <= allowed ? 0 : 1;
}

int count(int frames, int threads, bool plant, [[maybe_unused]] bool nonblocking) {
  scene::Drive drive(1);
  swiftlet::Pipeline pipeline = scene::pipeline(drive, scene::options(threads));
  for (int i = 0; i < 20; ++i) scene::require(pipeline.process(drive.frame(i)), "process");
#ifdef COUNT_ALLOCATIONS
  if (!nonblocking) allocation_counter_start();
#endif
  const long before = faults();
  for (int i = 0; i < frames; ++i) {
    const swiftlet_frame frame = drive.frame(i);
    if (processNonblocking(pipeline.handle(), &frame, plant && i == frames / 2) != SWIFTLET_OK) return 1;
    if (plant) std::free(planted), planted = nullptr;
  }
  const long faulted = faults() - before;
#ifdef COUNT_ALLOCATIONS
  if (!nonblocking) {
    const long allocated = static_cast<long>(allocation_counter_stop());
    return report("allocations", allocated, 0) | report("page faults", faulted, 0);
  }
#endif
  std::printf("%d frames, page faults %ld\n", frames, faulted);
  return 0;
}

// Page faults alone; the plant touches fresh memory.
int faultsOnly(int frames, int threads, bool plant) {
  scene::Drive drive(1);
  swiftlet::Pipeline pipeline = scene::pipeline(drive, scene::options(threads));
  for (int i = 0; i < 20; ++i) scene::require(pipeline.process(drive.frame(i)), "process");
  const long before = faults();
  for (int i = 0; i < frames; ++i) {
    if (plant && i == frames / 2) {
      scene::Guarded fresh(1 << 16);
      std::memset(fresh.bytes(), 1, fresh.size());
    }
    scene::require(pipeline.process(drive.frame(i)), "process");
  }
  return report("page faults", faults() - before, 0);
}

// Laps of one drive: every lap after a reset has the same digest, and the process does not grow. How
// long a frame took in the first, the middle and the last lap is told, never judged.
int soak(int frames, int threads, bool plant) {
  scene::Drive drive(1);
  swiftlet::Pipeline pipeline = scene::pipeline(drive, scene::options(threads));
  const int length = 1000;
  std::vector<double> times(static_cast<std::size_t>(length)), medians;
  medians.reserve(static_cast<std::size_t>(frames / length + 1));
  const std::uint64_t first = lap(pipeline, drive, length, &times);
  medians.push_back(median(times));
  const long before = residentKilobytes();
  long drifted = 0;
  for (int done = length; done < frames; done += length) {
    if (plant) {  // a leak, and a lap on other data
      std::memset(std::malloc(1 << 20), 1, 1 << 20);
      drive.points.floats()[0] += 0.5f;
    }
    scene::require(pipeline.reset(), "reset");
    if (lap(pipeline, drive, length, &times) != first) ++drifted;
    medians.push_back(median(times));
  }
  const long growth = residentKilobytes() - before;
  const int status = report("laps that drifted", drifted, 0) | report("growth in kB", growth, 256);
  std::printf("%d frames, digest %016" PRIx64 ", growth %ld kB, median frame %.0f, %.0f, %.0f us (first, middle, last lap)\n",
              frames, first, growth, medians.front(), medians[medians.size() / 2], medians.back());
  return status;
}

int cycles(int times, int threads, bool plant) {
  scene::Drive drive(1);
  const auto once = [&](bool leaks) {
    swiftlet::Pipeline pipeline = scene::pipeline(drive, scene::options(threads));
    scene::require(pipeline.process(drive.frame(0)), "process");
    if (leaks) planted = std::malloc(4096), std::memset(planted, 1, 4096), planted = nullptr;
  };
  // Until malloc's own lists are full; then less than one smallest block (32 bytes) a cycle.
  for (int i = 0; i < times; ++i) once(false);
  const long before = bytesInUse();
  for (int i = 0; i < times; ++i) once(plant);
  return report("bytes not freed", bytesInUse() - before, 8L * times);
}

// Two pipelines at once, each with its own thread, give what one gives alone.
int two(int frames, int threads, bool plant) {
  scene::Drive drive(1), other(plant ? 2 : 1);
  swiftlet::Pipeline alone = scene::pipeline(drive, scene::options(threads));
  const std::uint64_t expected = lap(alone, drive, frames);
  std::uint64_t results[2] = {0, 0};
  std::thread threadA([&] {
    swiftlet::Pipeline p = scene::pipeline(drive, scene::options(threads));
    results[0] = lap(p, drive, frames);
  });
  std::thread threadB([&] {
    swiftlet::Pipeline p = scene::pipeline(other, scene::options(threads));
    results[1] = lap(p, other, frames);
  });
  threadA.join();
  threadB.join();
  std::printf("alone %016" PRIx64 ", together %016" PRIx64 " %016" PRIx64 "\n", expected, results[0],
              results[1]);
  return results[0] == expected && results[1] == expected ? 0 : 1;
}

// Calls from two threads on one handle: some are refused, none is harmed.
int busy(int frames, int threads, bool) {
  scene::Drive drive(1), other(1);
  swiftlet::Pipeline pipeline = scene::pipeline(drive, scene::options(threads));
  std::atomic<long> refused{0}, failed{0};
  std::atomic<bool> stop{false};
  std::thread second([&] {
    while (!stop) {
      const swiftlet_frame frame = other.frame(3);
      const swiftlet_status status = swiftlet_pipeline_process(pipeline.handle(), &frame, nullptr);
      if (status == SWIFTLET_ERROR_BUSY) ++refused;
      else if (status != SWIFTLET_OK) ++failed;
    }
  });
  for (int i = 0; i < frames || refused == 0; ++i) {
    const swiftlet_frame frame = drive.frame(i);
    const swiftlet_status status = swiftlet_pipeline_process(pipeline.handle(), &frame, nullptr);
    if (status == SWIFTLET_ERROR_BUSY) ++refused;
    else if (status != SWIFTLET_OK) ++failed;
  }
  stop = true;
  second.join();
  std::printf("%ld calls refused as busy\n", refused.load());
  return report("calls that failed otherwise", failed, 0);
}

// Given CPUs, priority and locked memory: each works or says why not, and the bits stay the same.
int threadsOnRequest(int frames, int threads, bool) {
  scene::Drive drive(1);
  swiftlet::Pipeline plain = scene::pipeline(drive, scene::options(1));
  const std::uint64_t expected = lap(plain, drive, frames);
  const std::int32_t cpus[2] = {0, 1};
  swiftlet_options options = scene::options(threads);
  options.cpus = cpus;
  options.cpu_count = 2;
  options.realtime_priority = 10;
  options.flags = SWIFTLET_LOCK_MEMORY;
  swiftlet::Status status;
  swiftlet::Pipeline pinned = swiftlet::Pipeline::create(options, status);
  if (status) status = pinned.setRig(drive.rig());
  if (!status) {
    std::printf("refused: %s: %s\n", status.name(), status.message());
    return status.code() == SWIFTLET_ERROR_SYSTEM ? 0 : 1;
  }
  const std::uint64_t got = lap(pinned, drive, frames);
  long locked = 0;
  char line[256];
  FILE *file = std::fopen("/proc/self/status", "r");
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr)
    std::sscanf(line, "VmLck: %ld", &locked);
  if (file != nullptr) std::fclose(file);
  std::printf("CPUs 0 and 1, SCHED_FIFO 10, %ld kB locked, digest %016" PRIx64 "\n", locked, got);
  return got == expected && locked > 0 ? 0 : 1;
}

// Save, load into another pipeline, go on: the same digest as without the break.
int state(int frames, int threads, bool plant) {
  scene::Drive drive(1);
  swiftlet::Pipeline whole = scene::pipeline(drive, scene::options(threads));
  swiftlet::Pipeline first = scene::pipeline(drive, scene::options(threads));
  swiftlet::Pipeline second = scene::pipeline(drive, scene::options(threads));
  for (int i = 0; i < frames; ++i) {
    scene::require(whole.process(drive.frame(i)), "process");
    scene::require(first.process(drive.frame(i)), "process");
  }
  std::vector<std::uint8_t> bytes;
  scene::require(first.save(bytes), "save");
  if (!plant) scene::require(second.load(bytes), "load");
  swiftlet::Digest a, b;
  for (int i = frames; i < 2 * frames; ++i) {
    scene::require(whole.process(drive.frame(i)), "process");
    scene::require(second.process(drive.frame(i)), "process");
    scene::require(a.add(whole), "digest");
    scene::require(b.add(second), "digest");
  }
  std::printf("%zu bytes saved, %016" PRIx64 " without, %016" PRIx64 " with a break\n", bytes.size(),
              a.value(), b.value());
  return a.value() == b.value() ? 0 : 1;
}

// Updates and questions between frames allocate nothing either.
int queries(int frames, int threads, bool) {
  scene::Drive drive(1);
  swiftlet::Pipeline pipeline = scene::pipeline(drive, scene::options(threads));
  if (swiftlet_pipeline_prepare_queries(pipeline.handle(), nullptr, nullptr) != SWIFTLET_OK) return 1;
  const float directions[6] = {1, 0, 0, 0, 1, 0};
  const double size[3] = {2, 1, 1};
  long found = 0;
  for (int i = 0; i < frames + 5; ++i) {
    const swiftlet_frame frame = drive.frame(i);
    scene::require(pipeline.process(frame), "process");
#ifdef COUNT_ALLOCATIONS
    if (i == 5) allocation_counter_start();
#endif
    float distances[2];
    swiftlet_ray_state states[2];
    std::int32_t keys[6];
    swiftlet_box_result box;
    swiftlet_cost_map_view costs;
    swiftlet_obstacle obstacles[64];
    std::size_t count = 0;
    const double origin[3] = {frame.world_from_ego[3], frame.world_from_ego[7], 1};
    if (swiftlet_pipeline_update_queries(pipeline.handle(), nullptr) != SWIFTLET_OK ||
        swiftlet_query_rays(pipeline.handle(), origin, directions, 2, 10, 0, distances, states, keys, nullptr) != SWIFTLET_OK ||
        swiftlet_query_box(pipeline.handle(), frame.world_from_ego, size, &box, nullptr) != SWIFTLET_OK ||
        swiftlet_query_distances(pipeline.handle(), origin, 1, distances, nullptr) != SWIFTLET_OK ||
        swiftlet_query_cost_map(pipeline.handle(), &costs, nullptr) != SWIFTLET_OK ||
        swiftlet_query_obstacles(pipeline.handle(), obstacles, 64, &count, nullptr) != SWIFTLET_OK)
      return 1;
    found += static_cast<long>(count);
  }
#ifdef COUNT_ALLOCATIONS
  const long allocated = static_cast<long>(allocation_counter_stop());
  std::printf("%ld obstacles\n", found);
  return found > 0 ? report("allocations", allocated, 0) : 1;
#else
  return found > 0 ? 0 : 1;
#endif
}

// Project, update and fuse one by one, with weights swapped before each frame: allocates nothing and
// gives what one call gives. The plant leaves one `fuse` out.
int verbs(int frames, int threads, bool plant) {
  scene::Drive drive(1);
  const std::vector<std::uint8_t> first = scene::weights(1), second = scene::weights(2);
  swiftlet_options options = scene::options(threads);
  options.weights = first.data();
  options.weights_size = first.size();
  swiftlet::Pipeline whole = scene::pipeline(drive, options), parts = scene::pipeline(drive, options);
  swiftlet::Status status;
  swiftlet::Weights forWhole = swiftlet::Weights::create(whole, second, status);
  scene::require(status, "weights");
  swiftlet::Weights forParts = swiftlet::Weights::create(parts, second, status);
  scene::require(status, "weights");
  swiftlet::Digest a, b;
  std::uint64_t digests[2] = {0, 0};
  for (int i = 0; i < frames + 5; ++i) {
    const swiftlet_frame frame = drive.frame(i);
#ifdef COUNT_ALLOCATIONS
    if (i == 5) allocation_counter_start();
#endif
    scene::require(parts.swap(forParts), "swap");
    scene::require(parts.project(frame), "project");
    scene::require(parts.update(), "update");
    if (!plant || i != frames / 2) scene::require(parts.fuse(), "fuse");
    scene::require(whole.swap(forWhole), "swap");
    scene::require(whole.process(frame), "process");
    scene::require(a.add(whole, &digests[0]), "digest");
    scene::require(b.add(parts, &digests[1]), "digest");
  }
  long allocated = 0;
#ifdef COUNT_ALLOCATIONS
  allocated = static_cast<long>(allocation_counter_stop());
#endif
  std::printf("whole %016" PRIx64 ", together %016" PRIx64 "\n", a.value(), b.value());
  return report("allocations", allocated, 0) | (a.value() == b.value() ? 0 : 1);
}

// What starting takes, with the default configuration: never judged, only told.
int start(int, int threads, bool) {
  const auto milliseconds = [](Clock::duration d) {
    return std::chrono::duration<double, std::milli>(d).count();
  };
  scene::Drive drive(1);
  swiftlet_options options = swiftlet::options();
  options.thread_count = threads;
  const auto begin = Clock::now();
  swiftlet::Status status;
  swiftlet::Pipeline pipeline = swiftlet::Pipeline::create(options, status);
  scene::require(status, "create");
  const auto made = Clock::now();
  scene::require(pipeline.setRig(swiftlet::rig({}, {drive.lidars, 1})), "rig");
  const auto rigged = Clock::now();
  (void)drive.frame(0);
  scene::require(pipeline.process(swiftlet::frame({}, {drive.lidarFrames, 1})), "process");
  std::printf("pipeline made in %.1f ms, rig in %.1f ms, first frame in %.1f ms, %ld kB resident\n",
              milliseconds(made - begin), milliseconds(rigged - made),
              milliseconds(Clock::now() - rigged), residentKilobytes());
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  const int frames = argc > 2 ? std::atoi(argv[2]) : 200;
  const int threads = argc > 3 ? std::atoi(argv[3]) : 1;
  const bool plant = argc > 4 && std::strcmp(argv[4], "plant") == 0;
  const auto is = [&](const char *name) { return std::strcmp(mode, name) == 0; };
  if (is("count")) return count(frames, threads, plant, false);
  if (is("nonblocking")) return count(frames, threads, plant, true);
  if (is("faults")) return faultsOnly(frames, threads, plant);
  if (is("soak")) return soak(frames, threads, plant);
  if (is("cycles")) return cycles(frames, threads, plant);
  if (is("two")) return two(frames, threads, plant);
  if (is("busy")) return busy(frames, threads, plant);
  if (is("threads")) return threadsOnRequest(frames, threads, plant);
  if (is("queries")) return queries(frames, threads, plant);
  if (is("start")) return start(frames, threads, plant);
  if (is("state")) return state(frames, threads, plant);
  if (is("verbs")) return verbs(frames, threads, plant);
  std::fprintf(stderr, "usage: realtime count|nonblocking|faults|soak|cycles|two|busy|threads|queries|start|state|verbs [FRAMES] [THREADS] [plant]\n");
  return 64;
}
