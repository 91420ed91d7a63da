"""The pipeline: rig, frames, results."""

from __future__ import annotations

import ctypes as c
import mmap
import pathlib
from dataclasses import dataclass, field
from typing import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from . import _library as lib

Transform = npt.ArrayLike
"""3x4 or 4x4, rows of [R | t]; maps coordinates of the second frame to the first's."""

_IDENTITY = np.eye(4)
_BEV_KINDS = {"radar": 0, "prior": 1}
_ELEMENT_TYPES = {np.dtype(np.float32): 0, np.dtype(np.float16): 1}
FINDINGS = {
    1: "camera-calibration-invalid", 2: "camera-input-invalid", 3: "lidar-pose-invalid",
    4: "points-not-finite", 5: "camera-features-not-finite", 6: "bev-map-invalid",
    7: "bev-map-not-finite",
}


def _rows(transform: Transform) -> "c.Array[c.c_double]":
    values = np.asarray(transform, dtype=np.float64)
    if values.shape not in ((3, 4), (4, 4)):
        raise ValueError(f"a transform has shape (3, 4) or (4, 4), not {values.shape}")
    return lib.Doubles12(*values[:3].ravel())


def _extent(array: np.ndarray) -> int:
    """Bytes from the first element to the end of the last; the library checks against it."""
    return int(sum((n - 1) * s for n, s in zip(array.shape, array.strides)) + array.itemsize)


def _readable(array: np.ndarray) -> np.ndarray:
    """The array itself where the library can read it in place, else a copy."""
    steps = [s for n, s in zip(array.shape, array.strides) if n > 1]
    fits = array.dtype in _ELEMENT_TYPES and all(s > 0 and s % array.itemsize == 0 for s in steps)
    fits = fits and array.flags.aligned
    return array if fits else np.ascontiguousarray(array, dtype=np.float32)


def _tensor(array: npt.ArrayLike, keep: list[object]) -> lib.Tensor:
    values = _readable(np.asarray(array))
    if values.ndim != 3:
        raise ValueError(f"a tensor has 3 dimensions, not {values.ndim}")
    keep.append(values)
    result = lib.Tensor(
        data=values.ctypes.data, byte_count=_extent(values),
        element_type=_ELEMENT_TYPES[values.dtype],
    )
    result.shape[:] = values.shape
    # A size of 1 is never stepped over, so its stride may be anything.
    result.strides[:] = [
        max(s // values.itemsize, 1) for s in values.strides
    ]
    return result


@dataclass
class CameraMount:
    """One camera as it is mounted; see ``swiftlet_camera`` in swiftlet.h."""

    name: str
    intrinsics: Sequence[float]
    """focal x, focal y, centre x, centre y, pixels"""
    size: tuple[int, int]
    """width, height of the images the calibration is for"""
    network_size: tuple[int, int]
    ego_from_camera: Transform
    network_from_raw: Sequence[float] = (1, 0, 0, 0, 1, 0)
    feature_size: tuple[int, int] = (0, 0)
    lens: int = 0
    distortion: Sequence[float] = ()

    def _structure(self) -> lib.Camera:
        s = lib.initialised(lib.Camera, "camera")
        s.name = self.name.encode()
        s.lens = self.lens
        s.focal_x, s.focal_y, s.center_x, s.center_y = self.intrinsics
        s.distortion_count = len(self.distortion)
        for index, value in enumerate(self.distortion):
            s.distortion[index] = value
        s.width, s.height = self.size
        s.network_width, s.network_height = self.network_size
        s.feature_width, s.feature_height = self.feature_size
        s.network_from_raw[:] = self.network_from_raw
        s.ego_from_camera = _rows(self.ego_from_camera)
        return s


@dataclass
class LidarMount:
    name: str
    ego_from_lidar: Transform = field(default_factory=lambda: _IDENTITY)

    def _structure(self) -> lib.Lidar:
        s = lib.initialised(lib.Lidar, "lidar")
        s.name = self.name.encode()
        s.ego_from_lidar = _rows(self.ego_from_lidar)
        return s


@dataclass
class CameraSample:
    """One camera's part in a frame."""

    features: npt.ArrayLike | None
    """[y][x][channel], float32 or float16, any positive strides"""
    depth: npt.ArrayLike | None
    """[bin][y][x]"""
    key_ego_from_camera: Transform
    timestamp_ns: int = 0
    depth_is_logits: bool = False
    image: npt.NDArray[np.uint8] | None = None

    def _structure(self, keep: list[object]) -> lib.CameraFrame:
        s = lib.initialised(lib.CameraFrame, "camera_frame")
        s.flags = 1 | (2 if self.depth_is_logits else 0)
        s.timestamp_ns = self.timestamp_ns
        s.key_ego_from_camera = _rows(self.key_ego_from_camera)
        if self.features is not None:
            s.features = _tensor(self.features, keep)
        if self.depth is not None:
            s.depth = _tensor(self.depth, keep)
        if self.image is not None:
            image = np.ascontiguousarray(self.image, dtype=np.uint8)
            keep.append(image)
            s.image = lib.Image(
                data=image.ctypes.data, byte_count=image.nbytes, width=image.shape[1],
                height=image.shape[0],
            )
        return s


@dataclass
class LidarSample:
    """One scan: ``points`` is float32 [n][3 or more] (x y z first), in place where rows are."""

    points: npt.NDArray[np.float32]
    world_from_lidar: Transform
    timestamp_ns: int = 0

    def _structure(self, keep: list[object]) -> lib.LidarFrame:
        points = np.asarray(self.points)
        if points.ndim != 2 or points.shape[1] < 3:
            raise ValueError(f"points have shape (n, 3 or more), not {points.shape}")
        in_place = points.dtype == np.float32 and points.strides[1] == 4 and points.strides[0] >= 12
        if not in_place:
            points = np.ascontiguousarray(points, dtype=np.float32)
        keep.append(points)
        s = lib.initialised(lib.LidarFrame, "lidar_frame")
        s.flags = 1
        s.timestamp_ns = self.timestamp_ns
        s.world_from_lidar = _rows(self.world_from_lidar)
        s.points = points.ctypes.data
        s.point_count = points.shape[0]
        s.byte_count = _extent(points) if points.size else 0
        s.record_stride = points.strides[0] if points.shape[0] > 1 else points.shape[1] * 4
        s.intensity_offset = 12 if points.shape[1] > 3 else -1
        return s


@dataclass
class MapSample:
    """A bird's-eye-view map of a radar network or of the place."""

    kind: str
    """``radar`` or ``prior``"""
    features: npt.ArrayLike
    """[row y][column x][channel] on the configuration's grid, float32 or float16"""
    world_from_ego: Transform
    """at the map's own time"""
    timestamp_ns: int = 0
    validity: npt.ArrayLike | None = None
    """[row y][column x], 0 where the map knows nothing"""

    def _structure(self, keep: list[object]) -> lib.BevFrame:
        s = lib.initialised(lib.BevFrame, "bev_frame")
        s.flags, s.kind = 1, _BEV_KINDS[self.kind]
        s.timestamp_ns = self.timestamp_ns
        s.world_from_ego = _rows(self.world_from_ego)
        s.features = _tensor(self.features, keep)
        if self.validity is not None:
            cells = np.ascontiguousarray(self.validity, dtype=np.uint8)
            keep.append(cells)
            s.validity, s.validity_byte_count = cells.ctypes.data, cells.nbytes
        return s


@dataclass
class Head:
    """What a head reads off the fused map: views, changed by the pipeline's next frame."""

    logits: npt.NDArray[np.float32]
    """[row y][column x][height][class]"""
    labels: npt.NDArray[np.uint8]
    """[row y][column x][height], 255 where the cell is not valid"""


@dataclass
class Map:
    """A bird's-eye-view map: views of the pipeline's memory, changed by its next frame."""

    features: npt.NDArray[np.float32]
    """[row y][column x][channel]"""
    validity: npt.NDArray[np.uint8]
    lower: tuple[float, float]
    cell_size: float


@dataclass
class Occupancy:
    """The voxel window: views of the pipeline's memory, changed by its next frame."""

    log_odds: npt.NDArray[np.int8]
    """[slot y][slot x][z]: steps of 1 / steps_per_unit, -128 unknown"""
    origin: tuple[int, int, int]
    cells: tuple[int, int, int]
    voxel_size: float
    steps_per_unit: float
    _occupied: npt.NDArray[np.uint64]

    def occupied_keys(self) -> npt.NDArray[np.int32]:
        """Keys [n][x y z] of the occupied voxels."""
        bits = np.unpackbits(self._occupied.view(np.uint8), axis=-1, bitorder="little")
        y, x, z = np.nonzero(bits)
        ox, oy, oz = self.origin
        return np.stack(
            [ox + (x - ox) % self.cells[0], oy + (y - oy) % self.cells[1], oz + z], axis=1
        ).astype(np.int32)


@dataclass
class CostMap:
    """nav_msgs' costs: -1 unknown, 0 free ... 100 obstacle; a view until the next update."""

    costs: npt.NDArray[np.int8]
    """[row y][column x]"""
    lower: tuple[float, float]
    """x and y in world of cell (0, 0)'s lower corner"""
    cell_size: float


@dataclass
class PathOccupancy:
    """What a box sweeps along a path."""

    state: int
    """2 where anything is occupied, else 0 where anything is unknown, else 1"""
    first_occupied: int
    first_not_free: int
    """poses; -1 for none"""
    clear_distance: float
    steps: int
    boxes: list[dict[str, int]]
    """the worst step up to each pose"""


@dataclass
class Finding:
    """Something the last frame lacked; its sensor was masked."""

    kind: str
    sensor: int
    count: int


def _view(address: int, shape: tuple[int, ...], dtype: npt.DTypeLike, owner: object) -> np.ndarray:
    kind = np.dtype(dtype)
    count = int(np.prod(shape)) * kind.itemsize
    memory = (c.c_char * count).from_address(address)
    setattr(memory, "_owner", owner)  # the array keeps its pipeline alive
    array: np.ndarray = np.frombuffer(memoryview(memory), dtype=kind).reshape(shape)
    array.flags.writeable = False
    return array


def make_options(
    configuration: bytes | None = None, weights: bytes | None = None, engine: str | None = None,
    threads: int = 1, cpus: Sequence[int] = (), priority: int = 0, lock_memory: bool = False,
    encoder: bool = False, maximum_points: int = 0, maximum_bytes: int = 0,
) -> lib.Options:
    o = lib.initialised(lib.Options, "options")
    o.flags = (1 if lock_memory else 0) | (2 if encoder else 0)
    if configuration is not None:
        o.configuration, o.configuration_size = configuration, len(configuration)
    if weights is not None:
        o.weights, o.weights_size = weights, len(weights)
    if engine is not None:
        o.engine = engine.encode()
    o.thread_count, o.realtime_priority = threads, priority
    if cpus:
        o.cpus, o.cpu_count = (c.c_int32 * len(cpus))(*cpus), len(cpus)
    o.maximum_points, o.maximum_bytes = maximum_points, maximum_bytes
    return o


class Handle:
    """An opaque pointer, freed with its object."""

    _kind = ""

    def __init__(self) -> None:
        self._pointer = c.c_void_p()

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            getattr(lib.library, f"swiftlet_{self._kind}_destroy")(self._pointer)


class FrameFile(Handle):
    """A file of ``swiftlet export``, read in place."""

    _kind = "frame_file"

    def __init__(self, data: bytes | mmap.mmap | np.ndarray) -> None:
        super().__init__()
        self._bytes = np.frombuffer(data, dtype=np.uint8)
        lib.call(
            "frame_file_open", self._bytes.ctypes.data, self._bytes.size, c.byref(self._pointer)
        )

    @classmethod
    def open(cls, path: str | pathlib.Path) -> "FrameFile":
        with open(path, "rb") as file:
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def _rig(self) -> "c._Pointer[lib.Rig]":
        rig = c.POINTER(lib.Rig)()
        lib.call("frame_file_rig", self._pointer, c.byref(rig))
        return rig

    def _frame(self) -> "c._Pointer[lib.Frame]":
        frame = c.POINTER(lib.Frame)()
        lib.call("frame_file_frame", self._pointer, c.byref(frame))
        return frame


class Weights(Handle):
    """Weights packed for a pipeline, from a .safetensors file's bytes; after a swap, those that were
    replaced."""

    _kind = "weights"

    def __init__(self, pipeline: "Pipeline", data: bytes) -> None:
        super().__init__()
        bytes_ = np.frombuffer(data, dtype=np.uint8)
        lib.call(
            "weights_create", pipeline._pointer, bytes_.ctypes.data, bytes_.size,
            c.byref(self._pointer),
        )


class Pipeline(Handle):
    """One pipeline. ``configuration`` is the text of a pipeline.json."""

    _kind = "pipeline"

    def __init__(
        self, configuration: str | bytes | None = None, *, weights: bytes | None = None,
        engine: str | None = None, threads: int = 1, cpus: Sequence[int] = (), priority: int = 0,
        lock_memory: bool = False, encoder: bool = False, maximum_points: int = 0,
        maximum_bytes: int = 0,
    ) -> None:
        super().__init__()
        text = configuration.encode() if isinstance(configuration, str) else configuration
        options = make_options(
            text, weights, engine, threads, cpus, priority, lock_memory, encoder, maximum_points,
            maximum_bytes,
        )
        lib.call("pipeline_create", c.byref(options), c.byref(self._pointer))

    def set_rig(
        self, cameras: Sequence[CameraMount] | FrameFile = (), lidars: Sequence[LidarMount] = (),
        maps: Sequence[str] = (),
    ) -> None:
        """Announces the sensors (or takes those of a rig file) and forgets all earlier frames."""
        if isinstance(cameras, FrameFile):
            lib.call("pipeline_set_rig", self._pointer, cameras._rig())
            return
        rig = lib.initialised(lib.Rig, "rig")
        rig.camera_count, rig.lidar_count = len(cameras), len(lidars)
        rig.cameras = (lib.Camera * max(len(cameras), 1))(*[m._structure() for m in cameras])
        rig.lidars = (lib.Lidar * max(len(lidars), 1))(*[m._structure() for m in lidars])
        rig.flags = sum(1 << kind for kind in {_BEV_KINDS[name] for name in maps})
        lib.call("pipeline_set_rig", self._pointer, c.byref(rig))

    def process(
        self, world_from_ego: Transform | FrameFile, cameras: Sequence[CameraSample | None] = (),
        lidars: Sequence[LidarSample | None] = (), maps: Sequence[MapSample] = (), *,
        timestamp_ns: int = 0, reset_history: bool = False,
    ) -> None:
        """One frame; a sensor given as None is masked. Arrays are only read during the call."""
        if isinstance(world_from_ego, FrameFile):
            lib.call("pipeline_process", self._pointer, world_from_ego._frame())
            return
        keep: list[object] = []
        frame = lib.initialised(lib.Frame, "frame")
        frame.flags = 1 if reset_history else 0
        frame.timestamp_ns = timestamp_ns
        frame.world_from_ego = _rows(world_from_ego)
        frame.camera_count, frame.lidar_count = len(cameras), len(lidars)
        frame.cameras = (lib.CameraFrame * max(len(cameras), 1))(
            *[
                s._structure(keep) if s else lib.initialised(lib.CameraFrame, "camera_frame")
                for s in cameras
            ]
        )
        frame.lidars = (lib.LidarFrame * max(len(lidars), 1))(
            *[
                s._structure(keep) if s else lib.initialised(lib.LidarFrame, "lidar_frame")
                for s in lidars
            ]
        )
        frame.map_count = len(maps)
        frame.maps = (lib.BevFrame * max(len(maps), 1))(*[m._structure(keep) for m in maps])
        lib.call("pipeline_process", self._pointer, c.byref(frame))

    def swap_weights(self, weights: Weights) -> None:
        """Uses them from the next frame on; ``weights`` then holds those that were replaced."""
        lib.call("pipeline_swap_weights", self._pointer, weights._pointer)

    def reset(self) -> None:
        lib.call("pipeline_reset", self._pointer)

    def map(self, which: str = "fused") -> Map:
        """``fused``, ``camera``, ``lidar``, ``radar`` or ``prior``."""
        view = lib.MapView()
        kinds: Mapping[str, int] = {"fused": 0, "camera": 1, "lidar": 2, "radar": 3, "prior": 4}
        lib.call("pipeline_map", self._pointer, kinds[which], c.byref(view))
        return Map(
            features=_view(view.features, (view.rows, view.columns, view.channels), "f4", self),
            validity=_view(view.validity, (view.rows, view.columns), "u1", self),
            lower=(view.lower_x, view.lower_y), cell_size=view.cell_size,
        )

    def ages(self) -> npt.NDArray[np.uint16]:
        """Milliseconds [row y][column x] since the youngest data of a fused cell; 65535: none."""
        first = c.c_void_p()
        view = lib.MapView()
        lib.call("pipeline_map", self._pointer, 0, c.byref(view))
        lib.call("pipeline_ages", self._pointer, c.byref(first))
        return _view(first.value or 0, (view.rows, view.columns), "u2", self)

    def head(self, which: str) -> Head:
        """``occupancy`` or ``semantic``."""
        view = lib.HeadView()
        lib.call("pipeline_head", self._pointer, {"occupancy": 0, "semantic": 1}[which], c.byref(view))
        shape = (view.rows, view.columns, view.heights)
        return Head(
            logits=_view(view.logits, (*shape, view.classes), "f4", self),
            labels=_view(view.labels, shape, "u1", self),
        )

    def occupancy(self) -> Occupancy:
        view = lib.OccupancyView()
        lib.call("pipeline_occupancy", self._pointer, c.byref(view))
        cells, words = tuple(view.cells), view.words_per_column
        return Occupancy(
            log_odds=_view(view.log_odds, (cells[1], cells[0], words * 64), "i1", self),
            origin=tuple(view.origin), cells=cells, voxel_size=view.voxel_size,
            steps_per_unit=view.steps_per_unit,
            _occupied=_view(view.occupied, (cells[1], cells[0], words), "u8", self),
        )

    def findings(self) -> list[Finding]:
        room = (lib.Finding * 64)()
        count = c.c_size_t()
        lib.call("pipeline_findings", self._pointer, room, 64, c.byref(count))
        return [
            Finding(FINDINGS.get(f.kind, "other"), f.sensor, f.count)
            for f in room[: min(count.value, 64)]
        ]

    def configuration(self) -> str:
        return self._text("pipeline_configuration").decode()

    def save(self) -> bytes:
        """The state that the next frame builds on."""
        return self._text("pipeline_save")

    def load(self, state: bytes) -> None:
        data = np.frombuffer(state, dtype=np.uint8)
        lib.call("pipeline_load", self._pointer, data.ctypes.data, data.size)

    def _text(self, name: str) -> bytes:
        size = c.c_size_t()
        lib.call(name, self._pointer, None, 0, c.byref(size), allowed=(10,))
        buffer = np.empty(size.value, dtype=np.uint8)
        lib.call(name, self._pointer, buffer.ctypes.data, buffer.size, c.byref(size))
        return buffer.tobytes()

    def states(self, positions: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """0 unknown, 1 free, 2 occupied at world positions [n][3]."""
        points = np.ascontiguousarray(positions, dtype=np.float64).reshape(-1, 3)
        states = np.empty(len(points), dtype=np.uint8)
        lib.call(
            "query_states", self._pointer, points.ctypes.data, len(points), states.ctypes.data
        )
        return states

    def volume(
        self, world_from_ego: Transform, lower: Sequence[float], cell_size: float,
        counts: Sequence[int],
    ) -> npt.NDArray[np.uint8]:
        """The window resampled to an ego-aligned volume [x][y][z] of states."""
        states = np.empty(tuple(counts), dtype=np.uint8)
        lib.call(
            "query_volume", self._pointer, _rows(world_from_ego), (c.c_double * 3)(*lower),
            cell_size, (c.c_int32 * 3)(*counts), states.ctypes.data,
        )
        return states


    def prepare_queries(self, **settings: float) -> None:
        """Makes the buffers of distance, cost-map and obstacle queries; settings as in
        ``swiftlet_query_options``."""
        options = lib.initialised(lib.QueryOptions, "query_options")
        for name, value in settings.items():
            setattr(options, name, value)
        lib.call("pipeline_prepare_queries", self._pointer, c.byref(options))

    def update_queries(self) -> None:
        """Needed after every frame before distances, the cost map or obstacles are asked for."""
        lib.call("pipeline_update_queries", self._pointer)

    def rays(
        self, origin: Sequence[float], directions: npt.ArrayLike, maximum_range: float,
        stops_at_unknown: bool = False,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
        """Distances, states (1 occupied, 0 range reached, 2 unknown, 3 left the window, 4 no
        direction) and keys [n][3] of rays with directions [n][3]."""
        ways = np.ascontiguousarray(directions, dtype=np.float32).reshape(-1, 3)
        distances = np.empty(len(ways), dtype=np.float32)
        states = np.empty(len(ways), dtype=np.uint8)
        keys = np.empty((len(ways), 3), dtype=np.int32)
        lib.call(
            "query_rays", self._pointer, (c.c_double * 3)(*origin), ways.ctypes.data, len(ways),
            maximum_range, int(stops_at_unknown), distances.ctypes.data, states.ctypes.data,
            keys.ctypes.data,
        )
        return distances, states, keys

    def box(self, world_from_box: Transform, size: Sequence[float]) -> dict[str, int]:
        """Voxels an oriented box overlaps: free, unknown, occupied, outside."""
        result = lib.BoxResult()
        lib.call(
            "query_box", self._pointer, _rows(world_from_box), (c.c_double * 3)(*size),
            c.byref(result),
        )
        return {field[0]: getattr(result, field[0]) for field in lib.BoxResult._fields_}

    def path(
        self, world_from_boxes: Sequence[Transform], size: Sequence[float], maximum_steps: int = 0
    ) -> PathOccupancy:
        """What a box sweeps along poses."""
        poses = np.array([list(_rows(pose)) for pose in world_from_boxes], dtype=np.float64)
        results = (lib.BoxResult * max(len(poses), 1))()
        summary = lib.PathResult()
        lib.call(
            "query_path", self._pointer, poses.ctypes.data, len(poses), (c.c_double * 3)(*size),
            maximum_steps, results, c.byref(summary),
        )
        names = [field[0] for field in lib.BoxResult._fields_]
        return PathOccupancy(
            state=summary.state, first_occupied=summary.first_occupied,
            first_not_free=summary.first_not_free, clear_distance=summary.clear_distance,
            steps=summary.steps,
            boxes=[{n: getattr(results[i], n) for n in names} for i in range(len(poses))],
        )

    def distances(self, positions: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Metres to the nearest occupied voxel at world positions [n][3]; NaN outside."""
        points = np.ascontiguousarray(positions, dtype=np.float64).reshape(-1, 3)
        result = np.empty(len(points), dtype=np.float32)
        lib.call(
            "query_distances", self._pointer, points.ctypes.data, len(points), result.ctypes.data
        )
        return result

    def cost_map(self) -> CostMap:
        view = lib.CostMapView()
        lib.call("query_cost_map", self._pointer, c.byref(view))
        return CostMap(
            costs=_view(view.costs, (view.rows, view.columns), "i1", self),
            lower=(view.lower_x, view.lower_y), cell_size=view.cell_size,
        )

    def obstacles(self) -> list[dict[str, object]]:
        """Connected groups above the ground: centre, size, velocity, yaw, height, voxels, identity."""
        count = c.c_size_t()
        lib.call("query_obstacles", self._pointer, None, 0, c.byref(count))
        room = (lib.Obstacle * max(count.value, 1))()
        lib.call("query_obstacles", self._pointer, room, count.value, c.byref(count))
        return [
            {
                entry[0]: tuple(value) if isinstance(value := getattr(o, entry[0]), c.Array) else value
                for entry in lib.Obstacle._fields_
            }
            for o in room[: count.value]
        ]


class Digest(Handle):
    """XXH3 over results, as ``swiftlet replay`` prints it."""

    _kind = "digest"

    def __init__(self) -> None:
        super().__init__()
        lib.call("digest_create", c.byref(self._pointer))

    def add(self, pipeline: Pipeline) -> str:
        """Adds the last frame's results and returns the frame's digest."""
        value = c.c_uint64()
        lib.call("digest_add", self._pointer, pipeline._pointer, c.byref(value))
        return f"{value.value:016x}"

    @property
    def value(self) -> str:
        value = c.c_uint64()
        lib.call("digest_value", self._pointer, c.byref(value))
        return f"{value.value:016x}"


def replay_folder(
    folder: str | pathlib.Path, pipeline: Pipeline | None = None, *, engine: str | None = None,
    threads: int = 1, weights: bytes | None = None,
) -> Iterator[Pipeline]:
    """Processes the frames of ``swiftlet export`` in order and yields the pipeline after each; one made
    with the folder's configuration where none is given."""
    root = pathlib.Path(folder)
    pipeline = pipeline or Pipeline(
        (root / "pipeline.json").read_bytes(), engine=engine, threads=threads, weights=weights)
    pipeline.set_rig(FrameFile.open(root / "rig.safetensors"))
    for path in sorted(root.glob("frame-*.safetensors")):
        pipeline.process(FrameFile.open(path))
        yield pipeline
