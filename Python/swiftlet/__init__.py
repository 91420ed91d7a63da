"""Camera-to-BEV projection, voxel occupancy and attention fusion on CPUs.

Arrays go in as numpy arrays and are read in place where their strides allow; results come out as
views of the library's own memory, valid until the next call on the object that gave them (call
``.copy()`` to keep one).
"""

from ._kernels import Kernels, OctoMap
from ._library import SwiftletError, library
from ._pipeline import (
    CameraMount, CameraSample, CostMap, Digest, Finding, FrameFile, Head, LidarMount, LidarSample, Map,
    MapSample, Occupancy, PathOccupancy, Pipeline, Weights, replay_folder,
)
from ._report import Report, read_report

__version__: str = library.swiftlet_version().decode()
best_instruction_set: str = library.swiftlet_best_instruction_set().decode()

__all__ = [
    "CameraMount", "CameraSample", "CostMap", "Digest", "Finding", "FrameFile", "Head", "Kernels",
    "LidarMount", "LidarSample", "Map", "MapSample", "Occupancy", "OctoMap", "PathOccupancy",
    "Pipeline", "Report", "SwiftletError", "Weights", "best_instruction_set", "read_report", "replay_folder",
]
