// OctoMap as an oracle: reads scans in world axes, writes every known voxel at the finest depth.
//
//   octomap_oracle IN OUT
//
// IN, little-endian: float64 resolution, float64 maximum range (negative: unlimited), int32 mode
// (0 insertPointCloud, 1 with discretize, 2 insertPointCloudRays), int32 scan count; per scan
// float32 x 3 origin, int32 point count, float32 x 3 per point.
// OUT: int64 voxel count; per voxel int32 x 3 key minus 32768, float32 log-odds; unsorted.
//
// g++ -O2 octomap_oracle.cpp -loctomap -loctomath
#include <octomap/octomap.h>

#include <cstdint>
#include <cstdio>
#include <vector>

template <typename T>
static bool get(std::FILE *file, T *values, size_t count) {
  return std::fread(values, sizeof(T), count, file) == count;
}
template <typename T>
static void put(std::FILE *file, const T &value) {
  std::fwrite(&value, sizeof value, 1, file);
}

static bool insert_scan(std::FILE *in, octomap::OcTree &tree, double range, int32_t mode) {
  float origin[3];
  int32_t count;
  if (!get(in, origin, 3) || !get(in, &count, 1)) return false;
  std::vector<float> values(3 * static_cast<size_t>(count));
  if (count > 0 && !get(in, values.data(), values.size())) return false;
  octomap::Pointcloud cloud;
  cloud.reserve(count);
  for (int32_t i = 0; i < count; i++)
    cloud.push_back(values[3 * i], values[3 * i + 1], values[3 * i + 2]);
  octomap::point3d sensor(origin[0], origin[1], origin[2]);
  if (mode == 2)
    tree.insertPointCloudRays(cloud, sensor, range, true);
  else
    tree.insertPointCloud(cloud, sensor, range, true, mode == 1);
  return true;
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  std::FILE *in = std::fopen(argv[1], "rb");
  std::FILE *out = std::fopen(argv[2], "wb");
  double resolution, range;
  int32_t mode, scans;
  if (!in || !out || !get(in, &resolution, 1) || !get(in, &range, 1) || !get(in, &mode, 1) ||
      !get(in, &scans, 1))
    return 1;
  octomap::OcTree tree(resolution);
  for (int32_t i = 0; i < scans; i++)
    if (!insert_scan(in, tree, range, mode)) return 1;
  tree.updateInnerOccupancy();
  tree.expand();
  int64_t count = 0;
  for (auto leaf = tree.begin_leafs(); leaf != tree.end_leafs(); ++leaf) count++;
  put(out, count);
  for (auto leaf = tree.begin_leafs(); leaf != tree.end_leafs(); ++leaf) {
    for (int axis = 0; axis < 3; axis++) put(out, int32_t(leaf.getKey()[axis]) - 32768);
    put(out, leaf->getLogOdds());
  }
  return std::fclose(out) == 0 ? 0 : 1;
}
