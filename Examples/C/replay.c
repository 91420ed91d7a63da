// Runs the frames of `swiftlet export` through the pipeline and prints the run's digest: the same
// as `swiftlet replay` prints for the recording.
//
//   cc -std=c11 replay.c $(pkg-config --cflags --libs swiftlet) -o replay && ./replay FOLDER
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <swiftlet.h>

typedef struct {
  void *bytes;
  size_t size;
} mapped;

static int map_file(const char *folder, const char *name, mapped *out) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int file = open(path, O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) {
    if (file >= 0) close(file);
    return 0;
  }
  out->size = (size_t)status.st_size;
  out->bytes = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  return out->bytes != MAP_FAILED;
}

static void check(swiftlet_status status, const swiftlet_error *error) {
  if (status == SWIFTLET_OK) return;
  fprintf(stderr, "%s: %s\n", swiftlet_status_name(status), error->message);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s FOLDER [THREADS] [ENGINE]\n", argv[0]);
    return 64;
  }
  const char *folder = argv[1];
  mapped json, rig_bytes;
  if (!map_file(folder, "pipeline.json", &json) ||
      !map_file(folder, "rig.safetensors", &rig_bytes)) {
    fprintf(stderr, "%s: expected the output of swiftlet export, found no rig\n", folder);
    return 4;
  }

  swiftlet_error error;
  swiftlet_options options;
  swiftlet_options_init(&options);
  options.configuration = json.bytes;
  options.configuration_size = json.size;
  if (argc > 2) options.thread_count = atoi(argv[2]);
  if (argc > 3) options.engine = argv[3];

  swiftlet_pipeline *pipeline;
  check(swiftlet_pipeline_create(&options, &pipeline, &error), &error);
  swiftlet_frame_file *file;
  check(swiftlet_frame_file_open(rig_bytes.bytes, rig_bytes.size, &file, &error), &error);
  const swiftlet_rig *rig;
  check(swiftlet_frame_file_rig(file, &rig, &error), &error);
  check(swiftlet_pipeline_set_rig(pipeline, rig, &error), &error);
  swiftlet_frame_file_destroy(file);

  swiftlet_digest *digest;
  check(swiftlet_digest_create(&digest, &error), &error);
  int count = 0;
  for (;; count++) {
    char name[64];
    snprintf(name, sizeof name, "frame-%06d.safetensors", count);
    mapped frame_bytes;
    if (!map_file(folder, name, &frame_bytes)) break;
    const swiftlet_frame *frame;
    check(swiftlet_frame_file_open(frame_bytes.bytes, frame_bytes.size, &file, &error), &error);
    check(swiftlet_frame_file_frame(file, &frame, &error), &error);
    check(swiftlet_pipeline_process(pipeline, frame, &error), &error);
    check(swiftlet_digest_add(digest, pipeline, NULL, &error), &error);
    swiftlet_frame_file_destroy(file);
    munmap(frame_bytes.bytes, frame_bytes.size);
  }

  uint64_t value;
  check(swiftlet_digest_value(digest, &value, &error), &error);
  printf("frames %d\ndigest %016" PRIx64 "\n", count, value);
  swiftlet_digest_destroy(digest);
  swiftlet_pipeline_destroy(pipeline);
  munmap(json.bytes, json.size);
  munmap(rig_bytes.bytes, rig_bytes.size);
  return 0;
}
