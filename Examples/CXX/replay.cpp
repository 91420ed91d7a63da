// Runs the frames of `swiftlet export` through the pipeline and prints the run's digest: the same
// as `swiftlet replay` prints for the recording.
//
//   c++ -std=c++17 replay.cpp $(pkg-config --cflags --libs swiftlet) -o replay && ./replay FOLDER
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <swiftlet.hpp>

namespace {

bool read(const std::string &path, std::vector<std::uint8_t> &bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return false;
  bytes.resize(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  return static_cast<bool>(
      file.read(reinterpret_cast<char *>(bytes.data()), static_cast<std::streamsize>(bytes.size())));
}

int fail(const swiftlet::Status &status) {
  std::fprintf(stderr, "%s: %s\n", status.name(), status.message());
  return 1;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [THREADS] [ENGINE]\n", argv[0]);
    return 64;
  }
  const std::string folder = argv[1];
  std::vector<std::uint8_t> json, bytes;
  if (!read(folder + "/pipeline.json", json) || !read(folder + "/rig.safetensors", bytes)) {
    std::fprintf(stderr, "%s: expected the output of swiftlet export, found no rig\n", argv[1]);
    return 4;
  }

  swiftlet_options options = swiftlet::options();
  options.configuration = reinterpret_cast<const char *>(json.data());
  options.configuration_size = json.size();
  if (argc > 2) options.thread_count = std::atoi(argv[2]);
  if (argc > 3) options.engine = argv[3];

  swiftlet::Status status;
  swiftlet::Pipeline pipeline = swiftlet::Pipeline::create(options, status);
  if (!status) return fail(status);
  {
    swiftlet::FrameFile file = swiftlet::FrameFile::open(bytes, status);
    if (!status) return fail(status);
    if (const swiftlet_rig *rig = file.rig()) status = pipeline.setRig(*rig);
    if (!status) return fail(status);
  }

  swiftlet::Digest digest;
  int count = 0;
  for (;; ++count) {
    char name[64];
    std::snprintf(name, sizeof name, "/frame-%06d.safetensors", count);
    if (!read(folder + name, bytes)) break;
    swiftlet::FrameFile file = swiftlet::FrameFile::open(bytes, status);
    if (!status) return fail(status);
    const swiftlet_frame *frame = file.frame();
    if (frame == nullptr) return 4;
    if (status = pipeline.process(*frame); !status) return fail(status);
    if (status = digest.add(pipeline); !status) return fail(status);
  }
  std::printf("frames %d\ndigest %016" PRIx64 "\n", count, digest.value());
  return 0;
}
