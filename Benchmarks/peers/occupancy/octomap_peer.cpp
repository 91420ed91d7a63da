// OctoMap as its users call it: insertPointCloud with lazy evaluation, then one inner update a scan.
//   octomap_peer SCANS MAP VOXEL MAX_RANGE
#include <algorithm>
#include <octomap/octomap.h>

#include "scans.hpp"

int main(int argc, char **argv) {
  if (argc != 5) {
    std::fprintf(stderr, "octomap_peer SCANS MAP VOXEL MAX_RANGE\n");
    return 2;
  }
  const auto scans = read_scans(argv[1]);
  octomap::OcTree tree(std::atof(argv[3]));
  for (const auto &scan : scans) {
    octomap::Pointcloud cloud;
    cloud.reserve(scan.points.size() / 3);
    for (size_t i = 0; i < scan.points.size(); i += 3)
      cloud.push_back(scan.points[i], scan.points[i + 1], scan.points[i + 2]);
    const octomap::point3d origin(scan.origin[0], scan.origin[1], scan.origin[2]);
    const auto start = std::chrono::steady_clock::now();
    tree.insertPointCloud(cloud, origin, std::atof(argv[4]), true, false);
    tree.updateInnerOccupancy();
    print_time(milliseconds_of(std::chrono::steady_clock::now() - start));
  }
  tree.expand();
  std::vector<int32_t> keys;
  std::vector<float> log_odds;
  for (auto leaf = tree.begin_leafs(); leaf != tree.end_leafs(); ++leaf) {
    for (int axis = 0; axis < 3; axis++) keys.push_back(static_cast<int32_t>(leaf.getKey()[axis]) - 32768);
    log_odds.push_back(leaf->getLogOdds());
  }
  write_map(argv[2], keys, log_odds);
}
