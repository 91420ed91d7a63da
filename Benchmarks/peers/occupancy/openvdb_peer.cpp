// OctoMap's rule over OpenVDB grids: the sets of a scan as two masks, every voxel updated once.
// Rays are walked as Amanatides & Woo (1987) with OctoMap's roundings.
//   openvdb_peer SCANS MAP VOXEL MAX_RANGE
#include <openvdb/openvdb.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "scans.hpp"

namespace {
constexpr float kHit = 0.84729786f, kMiss = -0.40546511f, kLow = -2.0f, kHigh = 3.5110736f;

struct Map {
  double voxel, inverse, range;
  openvdb::FloatGrid::Ptr log_odds = openvdb::FloatGrid::create(0.0f);

  openvdb::Coord key(const float *p) const {
    return openvdb::Coord(
        static_cast<int>(std::floor(p[0] * inverse)), static_cast<int>(std::floor(p[1] * inverse)),
        static_cast<int>(std::floor(p[2] * inverse)));
  }

  template <class Accessor>
  void walk(const float *from, const float *to, Accessor &free) const {
    openvdb::Coord at = key(from);
    const openvdb::Coord last = key(to);
    if (at == last) return;
    free.setValueOn(at);
    float direction[3] = {to[0] - from[0], to[1] - from[1], to[2] - from[2]};
    const float length = static_cast<float>(std::sqrt(
        static_cast<double>(direction[0] * direction[0] + direction[1] * direction[1] + direction[2] * direction[2])));
    int step[3];
    double next[3], delta[3];
    for (int axis = 0; axis < 3; axis++) {
      direction[axis] /= length;
      step[axis] = direction[axis] > 0 ? 1 : direction[axis] < 0 ? -1 : 0;
      next[axis] = delta[axis] = std::numeric_limits<double>::max();
      if (step[axis] == 0) continue;
      double border = (at[axis] + 0.5) * voxel;
      border += static_cast<float>(step[axis] * voxel * 0.5);
      next[axis] = (border - from[axis]) / direction[axis];
      delta[axis] = voxel / std::fabs(direction[axis]);
    }
    while (true) {
      const int axis = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : (next[1] < next[2] ? 1 : 2);
      at[axis] += step[axis];
      next[axis] += delta[axis];
      if (at == last || std::min({next[0], next[1], next[2]}) > length) return;
      free.setValueOn(at);
    }
  }

  void insert(const Scan &scan) {
    openvdb::MaskGrid::Ptr free = openvdb::MaskGrid::create();
    openvdb::MaskGrid::Ptr hits = openvdb::MaskGrid::create();
    {
      auto free_at = free->getAccessor();
      auto hit_at = hits->getAccessor();
      for (size_t i = 0; i < scan.points.size(); i += 3) {
        const float *p = &scan.points[i];
        float d[3] = {p[0] - scan.origin[0], p[1] - scan.origin[1], p[2] - scan.origin[2]};
        const double distance = std::sqrt(static_cast<double>(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
        if (range < 0 || distance <= range) {
          walk(scan.origin, p, free_at);
          hit_at.setValueOn(key(p));
          continue;
        }
        float end[3];
        const float length = static_cast<float>(distance);
        for (int axis = 0; axis < 3; axis++)
          end[axis] = scan.origin[axis] + d[axis] / length * static_cast<float>(range);
        walk(scan.origin, end, free_at);
      }
    }
    free->tree().topologyDifference(hits->tree());
    auto value = log_odds->getAccessor();
    for (auto it = free->cbeginValueOn(); it; ++it) add(value, it.getCoord(), kMiss);
    for (auto it = hits->cbeginValueOn(); it; ++it) add(value, it.getCoord(), kHit);
  }

  template <class Accessor>
  static void add(Accessor &value, const openvdb::Coord &at, float update) {
    const float sum = value.getValue(at) + update;
    value.setValueOn(at, sum < kLow ? kLow : sum > kHigh ? kHigh : sum);
  }
};
}  // namespace

int main(int argc, char **argv) {
  if (argc != 5) {
    std::fprintf(stderr, "openvdb_peer SCANS MAP VOXEL MAX_RANGE\n");
    return 2;
  }
  openvdb::initialize();
  Map map{std::atof(argv[3]), 1 / std::atof(argv[3]), std::atof(argv[4])};
  for (const auto &scan : read_scans(argv[1])) {
    const auto start = std::chrono::steady_clock::now();
    map.insert(scan);
    print_time(milliseconds_of(std::chrono::steady_clock::now() - start));
  }
  std::vector<int32_t> keys;
  std::vector<float> log_odds;
  for (auto it = map.log_odds->cbeginValueOn(); it; ++it) {
    for (int axis = 0; axis < 3; axis++) keys.push_back(it.getCoord()[axis]);
    log_odds.push_back(*it);
  }
  write_map(argv[2], keys, log_odds);
}
