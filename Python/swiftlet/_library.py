"""The C library through ctypes: structures as in swiftlet.h, and what a failing call raises."""

from __future__ import annotations

import ctypes as c
import os
import pathlib
from typing import Any, TypeVar

ABI_VERSION = 1
Doubles12 = c.c_double * 12
_S = TypeVar("_S", bound=c.Structure)


class SwiftletError(Exception):
    """A failed call: ``status`` is its name (``SWIFTLET_ERROR_INPUT``), the text says what to do."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Error(c.Structure):
    _fields_ = [("status", c.c_int32), ("message", c.c_char * 508)]


class Tensor(c.Structure):
    _fields_ = [
        ("data", c.c_void_p), ("byte_count", c.c_size_t), ("element_type", c.c_int32),
        ("reserved", c.c_int32), ("shape", c.c_int64 * 3), ("strides", c.c_int64 * 3),
    ]


class Image(c.Structure):
    _fields_ = [
        ("data", c.c_void_p), ("byte_count", c.c_size_t), ("width", c.c_int32),
        ("height", c.c_int32), ("row_stride", c.c_int64),
    ]


class Camera(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("lens", c.c_int32), ("name", c.c_char_p),
        ("focal_x", c.c_double), ("focal_y", c.c_double), ("center_x", c.c_double),
        ("center_y", c.c_double), ("distortion", c.c_double * 8), ("distortion_count", c.c_int32),
        ("width", c.c_int32), ("height", c.c_int32), ("network_width", c.c_int32),
        ("network_height", c.c_int32), ("feature_width", c.c_int32), ("feature_height", c.c_int32),
        ("reserved", c.c_int32), ("network_from_raw", c.c_double * 6),
        ("ego_from_camera", Doubles12),
    ]


class Lidar(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("reserved", c.c_uint32), ("name", c.c_char_p),
        ("ego_from_lidar", Doubles12),
    ]


class Rig(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("camera_count", c.c_uint32), ("cameras", c.POINTER(Camera)),
        ("lidars", c.POINTER(Lidar)), ("lidar_count", c.c_uint32), ("flags", c.c_uint32),
    ]


class CameraFrame(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("timestamp_ns", c.c_int64),
        ("key_ego_from_camera", Doubles12), ("features", Tensor), ("depth", Tensor),
        ("image", Image),
    ]


class LidarFrame(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("timestamp_ns", c.c_int64),
        ("world_from_lidar", Doubles12), ("points", c.c_void_p), ("byte_count", c.c_size_t),
        ("point_count", c.c_size_t), ("record_stride", c.c_size_t), ("x_offset", c.c_int32),
        ("y_offset", c.c_int32), ("z_offset", c.c_int32), ("intensity_offset", c.c_int32),
    ]


class BevFrame(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("timestamp_ns", c.c_int64),
        ("world_from_ego", Doubles12), ("features", Tensor), ("validity", c.c_void_p),
        ("validity_byte_count", c.c_size_t), ("kind", c.c_int32), ("reserved", c.c_int32),
    ]


class Frame(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("timestamp_ns", c.c_int64),
        ("world_from_ego", Doubles12), ("cameras", c.POINTER(CameraFrame)),
        ("lidars", c.POINTER(LidarFrame)), ("maps", c.POINTER(BevFrame)),
        ("camera_count", c.c_uint32), ("lidar_count", c.c_uint32), ("map_count", c.c_uint32),
        ("reserved", c.c_uint32),
    ]


class Options(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("configuration", c.c_char_p),
        ("configuration_size", c.c_size_t), ("weights", c.c_char_p), ("weights_size", c.c_size_t),
        ("engine", c.c_char_p), ("thread_count", c.c_int32), ("realtime_priority", c.c_int32),
        ("cpus", c.POINTER(c.c_int32)), ("cpu_count", c.c_uint32), ("reserved", c.c_uint32),
        ("spin_ns", c.c_int64), ("maximum_points", c.c_size_t), ("maximum_bytes", c.c_size_t),
    ]


class MapView(c.Structure):
    _fields_ = [
        ("features", c.c_void_p), ("validity", c.c_void_p), ("rows", c.c_int64),
        ("columns", c.c_int64), ("channels", c.c_int64), ("lower_x", c.c_double),
        ("lower_y", c.c_double), ("cell_size", c.c_double),
    ]


class HeadView(c.Structure):
    _fields_ = [
        ("logits", c.c_void_p), ("labels", c.c_void_p), ("rows", c.c_int64),
        ("columns", c.c_int64), ("heights", c.c_int64), ("classes", c.c_int64),
    ]


class OccupancyView(c.Structure):
    _fields_ = [
        ("log_odds", c.c_void_p), ("occupied", c.c_void_p), ("known", c.c_void_p),
        ("origin", c.c_int32 * 3), ("cells", c.c_int32 * 3), ("words_per_column", c.c_int32),
        ("reserved", c.c_int32), ("voxel_size", c.c_double), ("steps_per_unit", c.c_double),
    ]


class Finding(c.Structure):
    _fields_ = [("kind", c.c_int32), ("sensor", c.c_int32), ("count", c.c_int64)]


class PoolShape(c.Structure):
    _fields_ = [(n, c.c_int64) for n in ("cameras", "bins", "height", "width", "channels", "cells")]


class AttentionShape(c.Structure):
    _fields_ = [(n, c.c_int64) for n in ("heads", "channels", "levels", "points", "queries")]


class SensorModel(c.Structure):
    _fields_ = [
        (n, c.c_double)
        for n in ("hit", "miss", "clamp_minimum", "clamp_maximum", "occupied_threshold")
    ]


class QueryOptions(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("minimum_voxels", c.c_int32),
        ("obstacle_capacity", c.c_int32), ("reserved", c.c_int32),
        *[
            (n, c.c_double)
            for n in (
                "maximum_distance", "inscribed_radius", "inflation_radius", "decay",
                "ground_below_ego", "ground_step", "lowest", "highest",
            )
        ],
    ]


class BoxResult(c.Structure):
    _fields_ = [(n, c.c_int64) for n in ("free", "unknown", "occupied", "outside")]


class PathResult(c.Structure):
    _fields_ = [
        ("state", c.c_uint8), ("reserved", c.c_uint8 * 3), ("first_occupied", c.c_int32),
        ("first_not_free", c.c_int32), ("reserved_too", c.c_int32), ("clear_distance", c.c_double),
        ("steps", c.c_int64),
    ]


class CostMapView(c.Structure):
    _fields_ = [
        ("costs", c.c_void_p), ("rows", c.c_int64), ("columns", c.c_int64),
        ("lower_x", c.c_double), ("lower_y", c.c_double), ("cell_size", c.c_double),
    ]


class Obstacle(c.Structure):
    _fields_ = [
        ("center", c.c_double * 3), ("size", c.c_double * 3), ("velocity", c.c_double * 3),
        ("yaw", c.c_double), ("height", c.c_double), ("voxels", c.c_int64),
        ("identity", c.c_uint64),
    ]


def _candidates() -> list[str]:
    here = pathlib.Path(__file__).parent
    named = os.environ.get("SWIFTLET_LIBRARY")
    soname = f"libswiftlet.so.{ABI_VERSION}"
    return ([named] if named else []) + [str(here / soname), soname]


def _load() -> c.CDLL:
    errors = []
    for path in _candidates():
        try:
            return c.CDLL(path)
        except OSError as error:
            errors.append(f"{path}: {error}")
    raise ImportError(
        "libswiftlet not found; install the wheel or set SWIFTLET_LIBRARY\n" + "\n".join(errors)
    )


library = _load()
P = c.c_void_p
SIZE = c.c_size_t
ERROR = c.POINTER(Error)
_SIGNATURES: dict[str, list[Any]] = {
    "pipeline_create": [c.POINTER(Options), c.POINTER(P), ERROR],
    "pipeline_set_rig": [P, c.POINTER(Rig), ERROR],
    "pipeline_process": [P, c.POINTER(Frame), ERROR],
    "pipeline_project": [P, c.POINTER(Frame), ERROR],
    "pipeline_update": [P, ERROR],
    "pipeline_fuse": [P, ERROR],
    "pipeline_reset": [P, ERROR],
    "weights_create": [P, P, SIZE, c.POINTER(P), ERROR],
    "pipeline_swap_weights": [P, P, ERROR],
    "pipeline_ages": [P, c.POINTER(P), ERROR],
    "pipeline_head": [P, c.c_int32, c.POINTER(HeadView), ERROR],
    "pipeline_configuration": [P, P, SIZE, c.POINTER(SIZE), ERROR],
    "pipeline_map": [P, c.c_int32, c.POINTER(MapView), ERROR],
    "pipeline_occupancy": [P, c.POINTER(OccupancyView), ERROR],
    "pipeline_findings": [P, c.POINTER(Finding), SIZE, c.POINTER(SIZE), ERROR],
    "pipeline_save": [P, P, SIZE, c.POINTER(SIZE), ERROR],
    "pipeline_load": [P, P, SIZE, ERROR],
    "digest_create": [c.POINTER(P), ERROR],
    "digest_add": [P, P, c.POINTER(c.c_uint64), ERROR],
    "digest_value": [P, c.POINTER(c.c_uint64), ERROR],
    "frame_file_open": [P, SIZE, c.POINTER(P), ERROR],
    "frame_file_rig": [P, c.POINTER(c.POINTER(Rig)), ERROR],
    "frame_file_frame": [P, c.POINTER(c.POINTER(Frame)), ERROR],
    "query_states": [P, P, SIZE, P, ERROR],
    "query_volume": [P, P, P, c.c_double, P, P, ERROR],
    "pipeline_prepare_queries": [P, c.POINTER(QueryOptions), ERROR],
    "pipeline_update_queries": [P, ERROR],
    "query_rays": [P, P, P, SIZE, c.c_double, c.c_int32, P, P, P, ERROR],
    "query_box": [P, P, P, c.POINTER(BoxResult), ERROR],
    "query_path": [
        P, P, SIZE, P, c.c_int64, c.POINTER(BoxResult), c.POINTER(PathResult), ERROR,
    ],
    "query_distances": [P, P, SIZE, P, ERROR],
    "query_cost_map": [P, c.POINTER(CostMapView), ERROR],
    "query_obstacles": [P, c.POINTER(Obstacle), SIZE, c.POINTER(SIZE), ERROR],
    "kernels_create": [c.POINTER(Options), c.POINTER(P), ERROR],
    "bev_pool": [P, c.POINTER(PoolShape), P, P, P, P, ERROR],
    "deformable_attention": [P, c.POINTER(AttentionShape), P, P, P, P, P, ERROR],
    "octomap_create": [P, c.c_double, c.POINTER(SensorModel), c.POINTER(P), ERROR],
    "octomap_insert": [P, P, SIZE, P, c.c_double, c.c_int32, ERROR],
    "octomap_voxels": [P, P, P, SIZE, c.POINTER(SIZE), ERROR],
}
for _name, _arguments in _SIGNATURES.items():
    _function = getattr(library, f"swiftlet_{_name}")
    _function.argtypes = _arguments
    _function.restype = c.c_int32
for _name in ("pipeline", "weights", "digest", "frame_file", "kernels", "octomap"):
    getattr(library, f"swiftlet_{_name}_destroy").argtypes = [P]
for _name in (
    "camera", "lidar", "rig", "camera_frame", "lidar_frame", "bev_frame", "frame", "options",
    "query_options",
):
    getattr(library, f"swiftlet_{_name}_init").restype = None
library.swiftlet_status_name.restype = c.c_char_p
library.swiftlet_status_name.argtypes = [c.c_int32]
library.swiftlet_version.restype = c.c_char_p
library.swiftlet_best_instruction_set.restype = c.c_char_p
library.swiftlet_abi_version.restype = c.c_uint32
if library.swiftlet_abi_version() != ABI_VERSION:
    raise ImportError(
        f"libswiftlet has ABI {library.swiftlet_abi_version()}, this package needs {ABI_VERSION}"
    )


def call(name: str, *arguments: object, allowed: tuple[int, ...] = ()) -> int:
    """Calls ``swiftlet_<name>`` and raises what it reports, except ``allowed`` statuses."""
    error = Error()
    status: int = getattr(library, f"swiftlet_{name}")(*arguments, c.byref(error))
    if status != 0 and status not in allowed:
        raise SwiftletError(
            library.swiftlet_status_name(status).decode(), error.message.decode("utf-8", "replace")
        )
    return status


def initialised(kind: type[_S], name: str) -> _S:
    """A structure with its defaults and size."""
    value: Any = kind()
    getattr(library, f"swiftlet_{name}_init")(c.byref(value))
    if value.struct_size != c.sizeof(kind):
        raise ImportError(f"{name}: the library has {value.struct_size} bytes, not {c.sizeof(kind)}")
    made: _S = value
    return made
