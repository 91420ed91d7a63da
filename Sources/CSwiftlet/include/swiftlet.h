/* swiftlet.h - the C interface of Swiftlet: camera-to-BEV, voxel occupancy and attention fusion.
 *
 * Rules that hold for every function:
 *  - Nothing traps on data: every argument is checked before any work, and what is wrong comes back
 *    as a status and, where `error` is not NULL, a message that says what to do.
 *  - The library opens no file, reads no clock, prints nothing and keeps no global state.
 *  - A handle serves one call at a time. A second call on the same handle from another thread
 *    returns SWIFTLET_ERROR_BUSY and does nothing. Different handles are independent.
 *  - Inputs belong to the caller and are read only during the call. Views of results belong to the
 *    handle and stay valid until the next call on it that says it changes them.
 *  - Structures begin with `struct_size`: set it with the matching `_init` function (or to sizeof).
 *    Older, smaller structures keep working; fields they lack have their defaults.
 *  - "Allocates nothing" means: when it returns SWIFTLET_OK. Failing calls may allocate to write
 *    their message.
 *
 * Frames: ego is x forward, y left, z up; cameras are x right, y down, z forward; all lengths are
 * metres, all times nanoseconds. A transform `a_from_b` is 12 doubles, the rows of [R | t], and maps
 * coordinates of b to coordinates of a.
 */
#ifndef SWIFTLET_H
#define SWIFTLET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when a function or structure changes incompatibly; the library's soname carries it. */
#define SWIFTLET_ABI_VERSION 1

/* ------------------------------------------------------------------ status */

typedef int32_t swiftlet_status;
enum {
  SWIFTLET_OK = 0,
  /* A pointer that must not be NULL is. */
  SWIFTLET_ERROR_NULL = 1,
  /* `struct_size` is no size this library knows. */
  SWIFTLET_ERROR_STRUCT_SIZE = 2,
  /* A setting cannot be used. */
  SWIFTLET_ERROR_CONFIGURATION = 3,
  /* Weights are damaged or do not fit the configuration. */
  SWIFTLET_ERROR_WEIGHTS = 4,
  /* A camera or mount describes no camera or no rigid transform. */
  SWIFTLET_ERROR_CALIBRATION = 5,
  /* A tensor, cloud, pose or count of this call cannot be used. */
  SWIFTLET_ERROR_INPUT = 6,
  /* Another thread is inside a call on this handle. */
  SWIFTLET_ERROR_BUSY = 7,
  /* Another call has to come first. */
  SWIFTLET_ERROR_STATE = 8,
  /* More points or memory than the options allow. */
  SWIFTLET_ERROR_TOO_LARGE = 9,
  /* The caller's buffer is too small; the needed size was written. */
  SWIFTLET_ERROR_BUFFER = 10,
  /* This CPU or build lacks what was asked for. */
  SWIFTLET_ERROR_UNSUPPORTED = 11,
  /* The operating system refused threads, priority, CPUs or locked memory. */
  SWIFTLET_ERROR_SYSTEM = 12,
  /* Bytes of a saved state or a frame file are damaged or of another version. */
  SWIFTLET_ERROR_FORMAT = 13
};

/* What went wrong: filled by a failing call, emptied by a successful one. Owned by the caller. */
typedef struct swiftlet_error {
  swiftlet_status status;
  /* UTF-8, NUL-terminated, cut to fit: what, expected, found, remedy. */
  char message[508];
} swiftlet_error;

/* `SWIFTLET_ERROR_INPUT` and so on; "unknown status" for other numbers. Static memory. */
const char *swiftlet_status_name(swiftlet_status status);
/* One sentence on a status. Static memory. */
const char *swiftlet_status_text(swiftlet_status status);

/* SWIFTLET_ABI_VERSION of the library that is loaded; compare it with the header's. */
uint32_t swiftlet_abi_version(void);
/* The package's version, `0.1.0`. Static memory. */
const char *swiftlet_version(void);
/* The fastest instruction set of this CPU: `avx512`, `avx2`, `baseline` or `portable`. Static. */
const char *swiftlet_best_instruction_set(void);

/* ------------------------------------------------------------------ inputs */

typedef int32_t swiftlet_element_type;
enum {
  SWIFTLET_FLOAT32 = 0,
  SWIFTLET_FLOAT16 = 1,
  SWIFTLET_BFLOAT16 = 2
};

/* A borrowed tensor of three dimensions, slowest index first. */
typedef struct swiftlet_tensor {
  /* Element (0, 0, 0), aligned to its type; NULL marks an absent tensor. */
  const void *data;
  /* Bytes from `data` to the end of the caller's buffer: no element may lie beyond. */
  size_t byte_count;
  swiftlet_element_type element_type;
  int32_t reserved;
  int64_t shape[3];
  /* In elements, each 1 or more, no two elements at one address; all 0 means contiguous. */
  int64_t strides[3];
} swiftlet_tensor;

/* A borrowed 8-bit RGB image [y][x][3]. */
typedef struct swiftlet_image {
  /* NULL marks an absent image. */
  const uint8_t *data;
  size_t byte_count;
  int32_t width;
  int32_t height;
  /* Bytes between rows; 0 means 3 * width. */
  int64_t row_stride;
} swiftlet_image;

typedef int32_t swiftlet_lens;
enum {
  SWIFTLET_LENS_PINHOLE = 0,
  /* OpenCV's k1 k2 p1 p2 [k3 [k4 k5 k6]]: 4, 5 or 8 coefficients. */
  SWIFTLET_LENS_BROWN_CONRADY = 1,
  /* Equidistant fisheye, k1..k4. */
  SWIFTLET_LENS_KANNALA_BRANDT = 2,
  /* c0 = 0, c1 ... c5 (2 to 6 coefficients) of the distance from the centre by the angle to the
   * axis, in focal lengths and radians; the inverse has the angle by the distance. */
  SWIFTLET_LENS_F_THETA = 3,
  SWIFTLET_LENS_F_THETA_INVERSE = 4
};

/* One camera as it is mounted. */
typedef struct swiftlet_camera {
  uint32_t struct_size;
  swiftlet_lens lens;
  /* Used in messages; NULL gives `camera 0` and so on. */
  const char *name;
  double focal_x, focal_y, center_x, center_y;
  double distortion[8];
  int32_t distortion_count;
  /* Size of the images the calibration is for. */
  int32_t width, height;
  /* Size of the image the network saw, after `network_from_raw`. */
  int32_t network_width, network_height;
  /* Size of the feature map; both 0 take the network image's sixteenth. */
  int32_t feature_width, feature_height;
  int32_t reserved;
  /* Raw pixel to network pixel, a00 a01 tx a10 a11 ty: x' = a00 x + a01 y + tx. */
  double network_from_raw[6];
  double ego_from_camera[12];
} swiftlet_camera;

/* One LiDAR as it is mounted. */
typedef struct swiftlet_lidar {
  uint32_t struct_size;
  uint32_t reserved;
  const char *name;
  double ego_from_lidar[12];
} swiftlet_lidar;

enum {
  /* Of a rig: frames bring maps of this kind. Their buffers are then made with the others; without
   * the flag by the first frame that has one. */
  SWIFTLET_RIG_RADAR_MAP = 1u << 0,
  SWIFTLET_RIG_MAP_PRIOR = 1u << 1
};

/* The sensors of a vehicle: 0 to 12 cameras and 0 to 8 LiDARs. */
typedef struct swiftlet_rig {
  uint32_t struct_size;
  uint32_t camera_count;
  const swiftlet_camera *cameras;
  const swiftlet_lidar *lidars;
  uint32_t lidar_count;
  uint32_t flags;
} swiftlet_rig;

enum {
  /* The sensor has a usable sample in this frame; without it the sensor is masked, never read. */
  SWIFTLET_SENSOR_VALID = 1u << 0,
  /* `depth` holds logits, not a distribution. */
  SWIFTLET_DEPTH_LOGITS = 1u << 1,
  /* Of a frame: carry no history into it (first frame, pose jump). */
  SWIFTLET_RESET_HISTORY = 1u << 0
};

/* One camera's part in a frame. */
typedef struct swiftlet_camera_frame {
  uint32_t struct_size;
  uint32_t flags;
  /* Of the sample, on the frame's clock: what is too old is left out by the configuration's age. */
  int64_t timestamp_ns;
  /* Camera at its own time to ego at the frame's time. */
  double key_ego_from_camera[12];
  /* Network features [y][x][channel]. */
  swiftlet_tensor features;
  /* Depth [bin][y][x]. */
  swiftlet_tensor depth;
  /* For the built-in encoder, where it is on and features or depth are absent. */
  swiftlet_image image;
} swiftlet_camera_frame;

/* One LiDAR's part in a frame: float32 x, y, z in LiDAR axes, one record every `record_stride`. */
typedef struct swiftlet_lidar_frame {
  uint32_t struct_size;
  uint32_t flags;
  int64_t timestamp_ns;
  double world_from_lidar[12];
  const void *points;
  /* Bytes from `points` to the end of the caller's buffer. */
  size_t byte_count;
  size_t point_count;
  /* Bytes between records. */
  size_t record_stride;
  /* Byte offsets inside a record; `intensity_offset` -1 where there is none. */
  int32_t x_offset, y_offset, z_offset, intensity_offset;
} swiftlet_lidar_frame;

typedef int32_t swiftlet_bev_kind;
enum {
  /* What a radar network made. */
  SWIFTLET_BEV_RADAR = 0,
  /* A map of the place: never too old. */
  SWIFTLET_BEV_PRIOR = 1
};

/* A bird's-eye-view map that somebody else made, in ego axes at its own time, on the grid of the
 * configuration. */
typedef struct swiftlet_bev_frame {
  uint32_t struct_size;
  uint32_t flags;
  int64_t timestamp_ns;
  double world_from_ego[12];
  /* [row y][column x][channel] */
  swiftlet_tensor features;
  /* [row y][column x], tight, 0 where the map knows nothing; NULL where it knows every cell. */
  const uint8_t *validity;
  size_t validity_byte_count;
  swiftlet_bev_kind kind;
  int32_t reserved;
} swiftlet_bev_frame;

/* Everything one call of the pipeline takes, sensors in the rig's order; maps in any order, one of a
 * kind. */
typedef struct swiftlet_frame {
  uint32_t struct_size;
  uint32_t flags;
  int64_t timestamp_ns;
  double world_from_ego[12];
  const swiftlet_camera_frame *cameras;
  const swiftlet_lidar_frame *lidars;
  const swiftlet_bev_frame *maps;
  uint32_t camera_count;
  uint32_t lidar_count;
  uint32_t map_count;
  uint32_t reserved;
} swiftlet_frame;

/* Fill a structure with its defaults and size: identity transforms, absent tensors, x y z at bytes
 * 0, 4 and 8, no intensity. NULL is ignored. */
void swiftlet_camera_init(swiftlet_camera *camera);
void swiftlet_lidar_init(swiftlet_lidar *lidar);
void swiftlet_rig_init(swiftlet_rig *rig);
void swiftlet_camera_frame_init(swiftlet_camera_frame *camera);
void swiftlet_lidar_frame_init(swiftlet_lidar_frame *lidar);
void swiftlet_bev_frame_init(swiftlet_bev_frame *map);
void swiftlet_frame_init(swiftlet_frame *frame);

/* ---------------------------------------------------------------- pipeline */

typedef struct swiftlet_pipeline swiftlet_pipeline;

enum {
  /* Lock this process's present memory (mlockall) after every swiftlet_pipeline_set_rig. */
  SWIFTLET_LOCK_MEMORY = 1u << 0,
  /* Make features and depth from images and LiDAR where a frame has none. */
  SWIFTLET_BUILT_IN_ENCODER = 1u << 1
};

typedef struct swiftlet_options {
  uint32_t struct_size;
  uint32_t flags;
  /* pipeline.json, as `swiftlet config` prints it; NULL takes the defaults. */
  const char *configuration;
  size_t configuration_size;
  /* A .safetensors file's bytes; NULL takes the default weights. */
  const void *weights;
  size_t weights_size;
  /* `reference`, `portable`, `baseline`, `avx2` or `avx512`; NULL takes the CPU's best. */
  const char *engine;
  /* Threads that share a frame's work, the caller's included: 1 starts none. */
  int32_t thread_count;
  /* SCHED_FIFO priority 1...99 of the started threads; 0 leaves them as they are. */
  int32_t realtime_priority;
  /* cpus[i] is the CPU of part i; the caller's own thread (part 0) is never moved. NULL pins none. */
  const int32_t *cpus;
  uint32_t cpu_count;
  uint32_t reserved;
  /* How long a started thread spins for work before it sleeps; negative takes 50,000. */
  int64_t spin_ns;
  /* The most points of one frame; 0 takes 262,144. */
  size_t maximum_points;
  /* The most memory the pipeline may ask for; 0 takes 2 GiB. */
  size_t maximum_bytes;
} swiftlet_options;

/* Defaults: best instruction set, the caller's thread only. NULL is ignored. */
void swiftlet_options_init(swiftlet_options *options);

/* Makes a pipeline; NULL `options` takes all defaults. On failure *pipeline is NULL. */
swiftlet_status swiftlet_pipeline_create(
    const swiftlet_options *options, swiftlet_pipeline **pipeline, swiftlet_error *error);

/* Frees a pipeline and stops its threads; NULL is ignored. Views of it end here. */
swiftlet_status swiftlet_pipeline_destroy(swiftlet_pipeline *pipeline);

/* Announces the sensors and makes every buffer they need, so that no later call allocates.
 * Calling it again changes the rig and forgets all earlier frames. */
swiftlet_status swiftlet_pipeline_set_rig(
    swiftlet_pipeline *pipeline, const swiftlet_rig *rig, swiftlet_error *error);

/* One frame: project, update, fuse. Changes every view. A sensor whose data cannot be used is masked
 * and reported by swiftlet_pipeline_findings; a tensor or count that would be unsafe to read fails
 * the call and leaves the results as they were. Allocates nothing. */
swiftlet_status swiftlet_pipeline_process(
    swiftlet_pipeline *pipeline, const swiftlet_frame *frame, swiftlet_error *error);

/* The same in three calls, for a caller that measures them or gives a late frame up between them:
 * each once, in this order, for one frame. Leaving `fuse` out keeps the fused map of the frame before,
 * leaving `update` out as well keeps the voxel window too; the next `project` begins a new frame.
 * The frame's tensors, points and maps stay borrowed until `fuse` returns, another frame begins or the
 * pipeline is reset. Allocate nothing. */
swiftlet_status swiftlet_pipeline_project(
    swiftlet_pipeline *pipeline, const swiftlet_frame *frame, swiftlet_error *error);
swiftlet_status swiftlet_pipeline_update(swiftlet_pipeline *pipeline, swiftlet_error *error);
swiftlet_status swiftlet_pipeline_fuse(swiftlet_pipeline *pipeline, swiftlet_error *error);

/* Forgets all earlier frames: later results equal those of a new pipeline. Allocates nothing. */
swiftlet_status swiftlet_pipeline_reset(swiftlet_pipeline *pipeline, swiftlet_error *error);

/* The configuration in use as commented JSON: writes at most `capacity` bytes without a NUL and the
 * full size to *size. `buffer` may be NULL to ask for the size. */
swiftlet_status swiftlet_pipeline_configuration(
    swiftlet_pipeline *pipeline, char *buffer, size_t capacity, size_t *size,
    swiftlet_error *error);

/* ----------------------------------------------------------------- weights */

/* Weights that were read, checked and packed for one pipeline. */
typedef struct swiftlet_weights swiftlet_weights;

/* Weights from a .safetensors file's bytes, for pipelines of this one's configuration and number of
 * threads. The one call on a pipeline that another thread may make while it processes frames. */
swiftlet_status swiftlet_weights_create(
    swiftlet_pipeline *pipeline, const void *bytes, size_t size, swiftlet_weights **weights,
    swiftlet_error *error);
swiftlet_status swiftlet_weights_destroy(swiftlet_weights *weights);
/* Uses them from the next frame's `fuse` on. The handle then holds those that were replaced: free them
 * where time does not matter, or swap them back. Allocates nothing. */
swiftlet_status swiftlet_pipeline_swap_weights(
    swiftlet_pipeline *pipeline, swiftlet_weights *weights, swiftlet_error *error);

/* ----------------------------------------------------------------- results */

typedef int32_t swiftlet_map;
enum {
  SWIFTLET_MAP_FUSED = 0,
  SWIFTLET_MAP_CAMERA = 1,
  SWIFTLET_MAP_LIDAR = 2,
  /* Maps given with the last frame, moved to its axes. */
  SWIFTLET_MAP_RADAR = 3,
  SWIFTLET_MAP_PRIOR = 4
};

/* A bird's-eye-view map, cell (0, 0) at the grid's lower bounds, x along columns. */
typedef struct swiftlet_map_view {
  /* [row y][column x][channel] */
  const float *features;
  /* [row y][column x], 1 valid, 0 not */
  const uint8_t *validity;
  int64_t rows, columns, channels;
  /* x and y of cell (0, 0)'s lower corner in ego, and the edge of a cell. */
  double lower_x, lower_y, cell_size;
} swiftlet_map_view;

/* A map of the last frame. Allocates nothing. */
swiftlet_status swiftlet_pipeline_map(
    swiftlet_pipeline *pipeline, swiftlet_map map, swiftlet_map_view *view, swiftlet_error *error);

/* How old the fused map's cells are: *ages is [row y][column x], milliseconds between the frame and
 * the youngest data in the cell, 65535 where there is none. Allocates nothing. */
swiftlet_status swiftlet_pipeline_ages(
    swiftlet_pipeline *pipeline, const uint16_t **ages, swiftlet_error *error);

typedef int32_t swiftlet_head;
enum {
  SWIFTLET_HEAD_OCCUPANCY = 0,
  SWIFTLET_HEAD_SEMANTIC = 1
};

/* What a head of the weights reads off the fused map. */
typedef struct swiftlet_head_view {
  /* [row y][column x][height][class] */
  const float *logits;
  /* [row y][column x][height]: class of the largest logit, 255 where the cell is not valid */
  const uint8_t *labels;
  int64_t rows, columns, heights, classes;
} swiftlet_head_view;

/* A head's answer to the last frame; SWIFTLET_ERROR_STATE where the configuration has none. Allocates
 * nothing. */
swiftlet_status swiftlet_pipeline_head(
    swiftlet_pipeline *pipeline, swiftlet_head head, swiftlet_head_view *view,
    swiftlet_error *error);

/* The voxel window's own memory. */
typedef struct swiftlet_occupancy_view {
  /* [slot y][slot x][word][64]: log-odds in steps of 1 / steps_per_unit; -128 unknown. The slot of
   * the voxel with key x is x modulo cells_x (never negative), likewise y. */
  const int8_t *log_odds;
  /* [slot y][slot x][word]: bit z % 64 of word z / 64. */
  const uint64_t *occupied;
  const uint64_t *known;
  /* Key of the window's first voxel: the voxel with key k covers [k, k + 1) * voxel_size. */
  int32_t origin[3];
  int32_t cells[3];
  int32_t words_per_column;
  int32_t reserved;
  double voxel_size;
  double steps_per_unit;
} swiftlet_occupancy_view;

/* The voxel window after the last frame. Allocates nothing. */
swiftlet_status swiftlet_pipeline_occupancy(
    swiftlet_pipeline *pipeline, swiftlet_occupancy_view *view, swiftlet_error *error);

typedef int32_t swiftlet_finding_kind;
enum {
  SWIFTLET_CAMERA_CALIBRATION_INVALID = 1,
  SWIFTLET_CAMERA_INPUT_INVALID = 2,
  SWIFTLET_LIDAR_POSE_INVALID = 3,
  SWIFTLET_POINTS_NOT_FINITE = 4,
  /* `count` values of features or depth are NaN or infinite. */
  SWIFTLET_CAMERA_FEATURES_NOT_FINITE = 5,
  /* A map (`sensor` is its place in the frame) has no rigid pose or the weights no embedding. */
  SWIFTLET_BEV_INVALID = 6,
  /* `count` values of a map are NaN or infinite. */
  SWIFTLET_BEV_NOT_FINITE = 7,
  /* A finding newer than this header. */
  SWIFTLET_FINDING_OTHER = 255
};

/* Something the last frame lacked: the result is defined, the sensor masked. */
typedef struct swiftlet_finding {
  swiftlet_finding_kind kind;
  /* Position among the cameras or LiDARs; -1 where it concerns none alone. */
  int32_t sensor;
  int64_t count;
} swiftlet_finding;

/* Writes at most `capacity` findings of the last frame and their number to *count. Allocates
 * nothing. */
swiftlet_status swiftlet_pipeline_findings(
    swiftlet_pipeline *pipeline, swiftlet_finding *findings, size_t capacity, size_t *count,
    swiftlet_error *error);

/* ------------------------------------------------------------------ digest */

/* XXH3 (64 bit) over the results, equal to what `swiftlet replay` prints for the same frames,
 * configuration, weights and engine. A frame's digest takes camera_bev and its validity (with
 * cameras and projection on), lidar_bev and its validity, fused_bev and its validity, radar_bev,
 * map_prior and their validity (where the frame had them), the heads' occupancy_logits,
 * occupancy_logits_labels, semantic_logits and semantic_logits_labels (where the configuration has
 * them), then (with occupancy on) occupancy_origin (3 int64) and occupancy: for each the name's UTF-8
 * bytes, the byte count (uint64) and the bytes, little-endian. The run's digest is XXH3 over the
 * frames' digests (uint64, little-endian) in order. */
typedef struct swiftlet_digest swiftlet_digest;

swiftlet_status swiftlet_digest_create(swiftlet_digest **digest, swiftlet_error *error);
swiftlet_status swiftlet_digest_destroy(swiftlet_digest *digest);
/* Adds the last frame's results; writes the frame's digest where `frame_digest` is not NULL. */
swiftlet_status swiftlet_digest_add(
    swiftlet_digest *digest, swiftlet_pipeline *pipeline, uint64_t *frame_digest,
    swiftlet_error *error);
/* The run's digest so far. */
swiftlet_status swiftlet_digest_value(
    swiftlet_digest *digest, uint64_t *run_digest, swiftlet_error *error);

/* ----------------------------------------------------------- save and load */

/* The state that the next frame builds on (voxel window, fused map, its pose) as .safetensors bytes:
 * a pipeline of the same configuration that loads them goes on as this one would. Writes the size
 * to *size; SWIFTLET_ERROR_BUFFER where `capacity` is less (`buffer` may then be NULL). */
swiftlet_status swiftlet_pipeline_save(
    swiftlet_pipeline *pipeline, void *buffer, size_t capacity, size_t *size,
    swiftlet_error *error);
/* Takes over a saved state; nothing changes when it fails. Needs a rig. */
swiftlet_status swiftlet_pipeline_load(
    swiftlet_pipeline *pipeline, const void *bytes, size_t size, swiftlet_error *error);

/* ------------------------------------------------------------- frame files */

/* The files `swiftlet export` writes, read in place from the caller's bytes (mmap them): tensors and
 * points are not copied, so the bytes must stay alive and unchanged as long as the handle's views
 * are used. */
typedef struct swiftlet_frame_file swiftlet_frame_file;

swiftlet_status swiftlet_frame_file_open(
    const void *bytes, size_t size, swiftlet_frame_file **file, swiftlet_error *error);
swiftlet_status swiftlet_frame_file_destroy(swiftlet_frame_file *file);
/* The rig of a rig.safetensors; the handle's until it is destroyed. */
swiftlet_status swiftlet_frame_file_rig(
    swiftlet_frame_file *file, const swiftlet_rig **rig, swiftlet_error *error);
/* The frame of a frame-NNNNNN.safetensors; the handle's until it is destroyed. */
swiftlet_status swiftlet_frame_file_frame(
    swiftlet_frame_file *file, const swiftlet_frame **frame, swiftlet_error *error);

/* ----------------------------------------------------------------- queries */

typedef uint8_t swiftlet_voxel_state;
enum {
  SWIFTLET_VOXEL_UNKNOWN = 0,
  SWIFTLET_VOXEL_FREE = 1,
  SWIFTLET_VOXEL_OCCUPIED = 2
};

/* States of the voxels that hold `count` positions (x y z in world, float64, tightly packed);
 * unknown outside the window and for positions that are not finite. Allocates nothing. */
swiftlet_status swiftlet_query_states(
    swiftlet_pipeline *pipeline, const double *positions, size_t count,
    swiftlet_voxel_state *states, swiftlet_error *error);

/* The window resampled (nearest) to an ego-aligned volume [x][y][z] as Occ3D stores it: cell
 * (0, 0, 0) has its lower corner at lower[3], `states` has counts[0] * counts[1] * counts[2] bytes.
 * Allocates nothing. */
swiftlet_status swiftlet_query_volume(
    swiftlet_pipeline *pipeline, const double world_from_ego[12], const double lower[3],
    double cell_size, const int32_t counts[3], swiftlet_voxel_state *states,
    swiftlet_error *error);

/* Why a ray ended. */
typedef uint8_t swiftlet_ray_state;
enum {
  SWIFTLET_RAY_RANGE_REACHED = 0,
  SWIFTLET_RAY_OCCUPIED = 1,
  SWIFTLET_RAY_UNKNOWN = 2,
  SWIFTLET_RAY_LEFT_WINDOW = 3,
  SWIFTLET_RAY_NO_DIRECTION = 4
};

/* The first occupied voxel along `count` rays from one origin (x y z in world); directions are x y z
 * of any length. Writes for each the distance to the voxel it ended in, why, and that voxel's key
 * [count][3]. Allocates nothing. */
swiftlet_status swiftlet_query_rays(
    swiftlet_pipeline *pipeline, const double origin[3], const float *directions, size_t count,
    double maximum_range, int32_t stops_at_unknown, float *distances, swiftlet_ray_state *states,
    int32_t *keys, swiftlet_error *error);

/* Voxels that a box overlaps, by state; `outside` are those among the unknown beyond the window. */
typedef struct swiftlet_box_result {
  int64_t free, unknown, occupied, outside;
} swiftlet_box_result;

/* What an oriented box holds: its middle and axes in world, its length, width and height along them.
 * Allocates nothing. */
swiftlet_status swiftlet_query_box(
    swiftlet_pipeline *pipeline, const double world_from_box[12], const double size[3],
    swiftlet_box_result *result, swiftlet_error *error);

/* What a box sweeps along a path. */
typedef struct swiftlet_path_result {
  /* Occupied where anything is, else unknown where anything is, else free. */
  swiftlet_voxel_state state;
  uint8_t reserved[3];
  /* The first pose whose way to it, or itself, meets an occupied voxel, and one that is not free; -1
   * for none. */
  int32_t first_occupied, first_not_free;
  int32_t reserved_too;
  /* Metres along the path to the first occupied step; the path's length where there is none. */
  double clear_distance;
  /* Boxes looked at, the ones between the poses included. */
  int64_t steps;
} swiftlet_path_result;

/* The voxels that a box of `size` sweeps along `count` poses [count][12], in steps of at most half a
 * voxel. `results` [count] receives the worst step up to each pose, `summary` the whole; after
 * `maximum_steps` boxes (0 takes 100,000) the rest counts as unknown. Allocates nothing but for a path
 * longer than any before. */
swiftlet_status swiftlet_query_path(
    swiftlet_pipeline *pipeline, const double *world_from_boxes, size_t count, const double size[3],
    int64_t maximum_steps, swiftlet_box_result *results, swiftlet_path_result *summary,
    swiftlet_error *error);

/* What distance, cost-map and obstacle queries are made with; lengths in metres. */
typedef struct swiftlet_query_options {
  uint32_t struct_size;
  int32_t minimum_voxels;
  int32_t obstacle_capacity;
  int32_t reserved;
  /* Farther distances report this one. */
  double maximum_distance;
  /* Costs: 99 within the inscribed radius, falling with `decay` per metre to 0 at the inflation's. */
  double inscribed_radius, inflation_radius, decay;
  /* How far the ground lies below the ego's origin, how much it may step from column to column, and
   * which heights above it are obstacles. */
  double ground_below_ego, ground_step, lowest, highest;
} swiftlet_query_options;

void swiftlet_query_options_init(swiftlet_query_options *options);

/* Makes the buffers of these queries; NULL takes the defaults. */
swiftlet_status swiftlet_pipeline_prepare_queries(
    swiftlet_pipeline *pipeline, const swiftlet_query_options *options, swiftlet_error *error);
/* Brings them up to date with the last frame; needed after every frame before they are asked.
 * Allocates nothing. */
swiftlet_status swiftlet_pipeline_update_queries(
    swiftlet_pipeline *pipeline, swiftlet_error *error);

/* Metres from `count` positions (x y z in world) to the nearest occupied voxel, centre to centre; NaN
 * outside the window. Allocates nothing. */
swiftlet_status swiftlet_query_distances(
    swiftlet_pipeline *pipeline, const double *positions, size_t count, float *distances,
    swiftlet_error *error);

/* Costs in nav_msgs/OccupancyGrid's terms: -1 unknown, 0 free ... 98 near, 99 inscribed, 100
 * obstacle. Valid until the queries are updated again. */
typedef struct swiftlet_cost_map_view {
  /* [row y][column x] */
  const int8_t *costs;
  int64_t rows, columns;
  /* x and y in world of cell (0, 0)'s lower corner, and the edge of a cell. */
  double lower_x, lower_y, cell_size;
} swiftlet_cost_map_view;

swiftlet_status swiftlet_query_cost_map(
    swiftlet_pipeline *pipeline, swiftlet_cost_map_view *view, swiftlet_error *error);

/* One connected group of occupied voxels above the ground, in world. */
typedef struct swiftlet_obstacle {
  double center[3];
  /* Along its heading, across it, upward. */
  double size[3];
  /* Metres per second; 0 until it was followed for long enough. */
  double velocity[3];
  /* Heading of the box, counter-clockwise from world x, radians. */
  double yaw;
  /* Of the top above the ground. */
  double height;
  int64_t voxels;
  /* The same for as long as it is followed. */
  uint64_t identity;
} swiftlet_obstacle;

/* Writes at most `capacity` obstacles and their number to *count. Allocates nothing. */
swiftlet_status swiftlet_query_obstacles(
    swiftlet_pipeline *pipeline, swiftlet_obstacle *obstacles, size_t capacity, size_t *count,
    swiftlet_error *error);

/* ----------------------------------------------------------------- kernels */

/* A pool of threads and an engine for the kernels below, which work on the caller's arrays: all
 * tight, row-major, float32 or int32. The options' configuration and weights are not used. */
typedef struct swiftlet_kernels swiftlet_kernels;

swiftlet_status swiftlet_kernels_create(
    const swiftlet_options *options, swiftlet_kernels **kernels, swiftlet_error *error);
swiftlet_status swiftlet_kernels_destroy(swiftlet_kernels *kernels);

/* The feature maps of a rig of equal cameras and their depth bins, and the grid they are pooled to. */
typedef struct swiftlet_pool_shape {
  int64_t cameras, bins, height, width, channels;
  /* Cells of the grid: ranks run over 0 ... cells - 1. */
  int64_t cells;
} swiftlet_pool_shape;

/* BEVPoolv2 (BEVDet): output[cell][channel] = sum over the points with that rank of depth[point] *
 * features[camera][y][x][channel], added by ascending point index; every other cell 0. `depth` and
 * `ranks` are [camera][bin][y][x], a rank of -1 leaves the point out; `features` is
 * [camera][y][x][channel]; `output` [cells][channel] is overwritten. */
swiftlet_status swiftlet_bev_pool(
    swiftlet_kernels *kernels, const swiftlet_pool_shape *shape, const float *depth,
    const float *features, const int32_t *ranks, float *output, swiftlet_error *error);

/* Sizes of a deformable attention. */
typedef struct swiftlet_attention_shape {
  int64_t heads;
  /* Channels of one head. */
  int64_t channels;
  int64_t levels, points, queries;
} swiftlet_attention_shape;

/* Multi-scale deformable attention (mmcv): values [token][head][channel], `level_sizes`
 * [level][height, width] with their tokens one level after another, locations
 * [query][head][level][point][x, y] in 0...1, weights [query][head][level][point], output
 * [query][head][channel]. Works on copies of the four arrays. */
swiftlet_status swiftlet_deformable_attention(
    swiftlet_kernels *kernels, const swiftlet_attention_shape *shape, const int32_t *level_sizes,
    const float *values, const float *locations, const float *weights, float *output,
    swiftlet_error *error);

/* OctoMap's map: unbounded, float32 log-odds, the definition the voxel window is held to. It takes
 * over the engine and the number of threads of a kernels handle and is independent of it then. */
typedef struct swiftlet_octomap swiftlet_octomap;

/* OctoMap's sensor model as probabilities. */
typedef struct swiftlet_sensor_model {
  double hit, miss, clamp_minimum, clamp_maximum, occupied_threshold;
} swiftlet_sensor_model;

/* NULL `model` takes OctoMap's 0.7, 0.4, 0.1192, 0.971, 0.5. */
swiftlet_status swiftlet_octomap_create(
    swiftlet_kernels *kernels, double voxel_size, const swiftlet_sensor_model *model,
    swiftlet_octomap **octomap, swiftlet_error *error);
swiftlet_status swiftlet_octomap_destroy(swiftlet_octomap *octomap);

typedef int32_t swiftlet_insert_mode;
enum {
  /* insertPointCloud */
  SWIFTLET_INSERT_SCAN = 0,
  /* insertPointCloud with discretize */
  SWIFTLET_INSERT_DISCRETIZED = 1,
  /* insertPointCloudRays: no maximum range */
  SWIFTLET_INSERT_RAYS = 2
};

/* Inserts a scan: `count` points in world axes (x y z float32, tightly packed) seen from `origin`.
 * Points beyond `maximum_range` only clear up to it; negative means unlimited. */
swiftlet_status swiftlet_octomap_insert(
    swiftlet_octomap *octomap, const float *points, size_t count, const float origin[3],
    double maximum_range, swiftlet_insert_mode mode, swiftlet_error *error);
/* Every known voxel sorted by x, y, z: keys [n][3] and log-odds [n]; n goes to *count.
 * SWIFTLET_ERROR_BUFFER where `capacity` (voxels) is less; both arrays may then be NULL. */
swiftlet_status swiftlet_octomap_voxels(
    swiftlet_octomap *octomap, int32_t *keys, float *log_odds, size_t capacity, size_t *count,
    swiftlet_error *error);

#ifdef __cplusplus
}
#endif

#endif /* SWIFTLET_H */
