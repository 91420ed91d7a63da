// Scans as `swiftlet map --scans-out` writes them, and maps as `occupancy.py` reads them.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

struct Scan {
  float origin[3];
  std::vector<float> points;  // x, y, z in world
};

// int32 count, float32 origin x y z, float32 x y z per point; little endian.
inline Scan read_scan(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  int32_t count = 0;
  Scan scan;
  file.read(reinterpret_cast<char *>(&count), 4);
  file.read(reinterpret_cast<char *>(scan.origin), 12);
  scan.points.resize(3 * static_cast<size_t>(count));
  file.read(reinterpret_cast<char *>(scan.points.data()), 12 * static_cast<std::streamsize>(count));
  if (!file) {
    std::fprintf(stderr, "%s: expected %d points, found less; write the scans again\n", path.c_str(), count);
    std::exit(1);
  }
  return scan;
}

inline std::vector<Scan> read_scans(const std::string &folder) {
  std::vector<std::string> paths;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".scan") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Scan> scans;
  for (const auto &path : paths) scans.push_back(read_scan(path));
  return scans;
}

// int64 count, int32 x y z per voxel, float32 log-odds per voxel.
inline void write_map(
    const std::string &path, const std::vector<int32_t> &keys, const std::vector<float> &log_odds) {
  std::ofstream file(path, std::ios::binary);
  const int64_t count = static_cast<int64_t>(log_odds.size());
  file.write(reinterpret_cast<const char *>(&count), 8);
  file.write(reinterpret_cast<const char *>(keys.data()), static_cast<std::streamsize>(keys.size() * 4));
  file.write(reinterpret_cast<const char *>(log_odds.data()), static_cast<std::streamsize>(count * 4));
}

inline double milliseconds_of(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

// One line a scan; the runner reads them.
inline void print_time(double milliseconds) { std::printf("ms %.6f\n", milliseconds); }
