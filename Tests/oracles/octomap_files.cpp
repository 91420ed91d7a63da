// OctoMap as a judge of .bt and .ot files.
//
//   octomap_files read IN OUT     reads a .bt or .ot file with OctoMap, writes every voxel at the
//                                 finest depth: float64 resolution, int64 count, then int32 x 3 key
//                                 minus 32768 and float32 log-odds each, unsorted
//   octomap_files write IN OUT    the reverse: makes a tree of such voxels, prunes it and lets
//                                 OctoMap write OUT (.bt or .ot)
//
// g++ octomap_files.cpp -loctomap -loctomath
#include <octomap/octomap.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

static bool is_binary(const std::string &path) {
  return path.size() > 3 && path.compare(path.size() - 3, 3, ".bt") == 0;
}

static int read_tree(const char *in, const char *out) {
  std::unique_ptr<octomap::OcTree> tree;
  if (is_binary(in)) {
    tree.reset(new octomap::OcTree(0.1));
    if (!tree->readBinary(in)) return 2;
  } else {
    octomap::AbstractOcTree *any = octomap::AbstractOcTree::read(in);
    tree.reset(dynamic_cast<octomap::OcTree *>(any));
    if (!tree) return 3;
  }
  tree->expand();
  std::FILE *file = std::fopen(out, "wb");
  if (!file) return 1;
  double resolution = tree->getResolution();
  int64_t count = 0;
  for (auto leaf = tree->begin_leafs(); leaf != tree->end_leafs(); ++leaf) count++;
  std::fwrite(&resolution, sizeof resolution, 1, file);
  std::fwrite(&count, sizeof count, 1, file);
  for (auto leaf = tree->begin_leafs(); leaf != tree->end_leafs(); ++leaf) {
    for (int axis = 0; axis < 3; axis++) {
      int32_t key = int32_t(leaf.getKey()[axis]) - 32768;
      std::fwrite(&key, sizeof key, 1, file);
    }
    float value = leaf->getLogOdds();
    std::fwrite(&value, sizeof value, 1, file);
  }
  return std::fclose(file) == 0 ? 0 : 1;
}

static int write_tree(const char *in, const char *out) {
  std::FILE *file = std::fopen(in, "rb");
  double resolution;
  int64_t count;
  if (!file || std::fread(&resolution, sizeof resolution, 1, file) != 1 ||
      std::fread(&count, sizeof count, 1, file) != 1)
    return 1;
  octomap::OcTree tree(resolution);
  for (int64_t i = 0; i < count; i++) {
    int32_t key[3];
    float value;
    if (std::fread(key, sizeof key, 1, file) != 1 || std::fread(&value, sizeof value, 1, file) != 1)
      return 1;
    octomap::OcTreeKey place(key[0] + 32768, key[1] + 32768, key[2] + 32768);
    tree.setNodeValue(place, value, true);
  }
  std::fclose(file);
  tree.updateInnerOccupancy();
  tree.prune();
  return (is_binary(out) ? tree.writeBinary(out) : tree.write(out)) ? 0 : 2;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  if (!std::strcmp(argv[1], "read")) return read_tree(argv[2], argv[3]);
  if (!std::strcmp(argv[1], "write")) return write_tree(argv[2], argv[3]);
  return 64;
}
