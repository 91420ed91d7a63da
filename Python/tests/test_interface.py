#!/usr/bin/env python3
"""Arrays in and out of the package: in place where strides allow, errors that name their status."""

import json
import unittest

import numpy as np

import swiftlet
from swiftlet import _pipeline

CONFIGURATION = """{"schema_version": 1, "channels": 32,
  "grid": {"lower_meters": [-8, -8, -10], "upper_meters": [8, 8, 10], "step_meters": [0.8, 0.8, 20]},
  "depth": {"lower_meters": 1, "upper_meters": 8, "step_meters": 1},
  "occupancy": {"extent_meters": [16, 16, 6.4], "voxel_size_meters": 0.4, "maximum_range_meters": 7}}"""
MOUNT = [[0, 0, 1, 1], [-1, 0, 0, 0], [0, -1, 0, 1.6]]


class InterfaceTests(unittest.TestCase):
    def setUp(self) -> None:
        random = np.random.default_rng(1)
        self.features = random.standard_normal((4, 11, 32), dtype=np.float32)
        self.depth = random.random((7, 4, 11), dtype=np.float32)
        self.points = random.uniform(-7, 7, (601, 4)).astype(np.float32)
        self.pipeline = swiftlet.Pipeline(CONFIGURATION)
        self.pipeline.set_rig(
            [swiftlet.CameraMount("FRONT", (90, 90, 88, 32), (176, 64), (176, 64), MOUNT)],
            [swiftlet.LidarMount("TOP")],
        )

    def run_frame(self, features: np.ndarray, points: np.ndarray | None = None) -> np.ndarray:
        self.pipeline.reset()
        self.pipeline.process(
            np.eye(4), [swiftlet.CameraSample(features, self.depth, MOUNT)],
            [swiftlet.LidarSample(self.points if points is None else points, np.eye(4))],
        )
        return self.pipeline.map("fused").features.copy()

    def test_strided_half_and_reversed_arrays_give_what_tight_ones_give(self) -> None:
        expected = self.run_frame(self.features)
        self.assertGreater(np.abs(expected).max(), 0)
        planes = np.ascontiguousarray(self.features.transpose(2, 0, 1)).transpose(1, 2, 0)
        wide = np.zeros((4, 22, 40), np.float32)
        wide[:, ::2, :32] = self.features
        for other in (planes, wide[:, ::2, :32], self.features[::-1][::-1], self.features.astype("f8")):
            np.testing.assert_array_equal(self.run_frame(other), expected)
        half = self.features.astype(np.float16)
        np.testing.assert_array_equal(self.run_frame(half), self.run_frame(half.astype(np.float32)))
        np.testing.assert_array_equal(
            self.run_frame(self.features, np.hstack([self.points, self.points])[:, :4]), expected)

    def test_what_strides_allow_is_not_copied(self) -> None:
        for array in (self.features, self.features.transpose(2, 0, 1), self.features[:, ::2], self.features.astype("f2")):
            self.assertIs(_pipeline._readable(array), array)
        for array in (self.features[::-1], self.features.astype("f8")):
            self.assertIsNot(_pipeline._readable(array), array)

    def test_a_radar_map_is_fused_and_shown(self) -> None:
        random = np.random.default_rng(7)
        radar = random.standard_normal((20, 20, 32), dtype=np.float32)
        known = random.random((20, 20)) < 0.5
        plain = self.run_frame(self.features)
        self.pipeline.reset()
        self.pipeline.process(
            np.eye(4), [swiftlet.CameraSample(self.features, self.depth, MOUNT)],
            [swiftlet.LidarSample(self.points, np.eye(4))],
            [swiftlet.MapSample("radar", radar, np.eye(4), validity=known)],
        )
        self.assertFalse(np.array_equal(plain, self.pipeline.map("fused").features))
        shown = self.pipeline.map("radar")
        np.testing.assert_array_equal(shown.validity.astype(bool), known)
        np.testing.assert_array_equal(shown.features[known], radar[known])
        self.assertEqual(set(np.unique(self.pipeline.ages())) - {0, 65535}, set())
        with self.assertRaisesRegex(swiftlet.SwiftletError, "SWIFTLET_ERROR_STATE"):
            self.pipeline.map("prior")

    def test_weights_swap_and_swap_back(self) -> None:
        random = np.random.default_rng(8)
        shapes = {
            "in_proj.weight": (96, 32), "in_proj.bias": (96,), "out_proj.weight": (32, 32),
            "out_proj.bias": (32,), "modality_embedding": (3, 32), "query_embedding": (32,),
        }
        header, body = {}, b""
        for name, shape in shapes.items():
            data = (0.2 * random.standard_normal(shape)).astype("<f4").tobytes()
            header[f"fusion.{name}"] = {
                "dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
            body += data
        text = json.dumps(header).encode()
        plain = self.run_frame(self.features)
        weights = swiftlet.Weights(self.pipeline, len(text).to_bytes(8, "little") + text + body)
        self.pipeline.swap_weights(weights)
        self.assertFalse(np.array_equal(self.run_frame(self.features), plain))
        self.pipeline.swap_weights(weights)
        np.testing.assert_array_equal(self.run_frame(self.features), plain)
        with self.assertRaisesRegex(swiftlet.SwiftletError, "SWIFTLET_ERROR_WEIGHTS"):
            swiftlet.Weights(self.pipeline, text)

    def test_errors_name_their_status(self) -> None:
        with self.assertRaisesRegex(swiftlet.SwiftletError, "SWIFTLET_ERROR_INPUT.*shape"):
            self.run_frame(self.features[:, :, :31])
        with self.assertRaisesRegex(swiftlet.SwiftletError, "SWIFTLET_ERROR_CONFIGURATION.*nonsense"):
            swiftlet.Pipeline('{"nonsense": 1}')
        with self.assertRaisesRegex(swiftlet.SwiftletError, "SWIFTLET_ERROR_STATE"):
            self.pipeline.distances([[0, 0, 0]])

    def test_results_outlive_their_pipeline(self) -> None:
        self.run_frame(self.features)
        view = self.pipeline.map("fused").features
        kept = view.copy()
        del self.pipeline
        np.testing.assert_array_equal(view, kept)

    def test_queries_agree_with_the_window(self) -> None:
        self.run_frame(self.features)
        window = self.pipeline.occupancy()
        keys = window.occupied_keys()
        self.assertGreater(len(keys), 50)
        centres = (keys + 0.5) * window.voxel_size
        self.assertTrue((self.pipeline.states(centres) == 2).all())
        self.pipeline.prepare_queries(maximum_distance=3)
        self.pipeline.update_queries()
        self.assertTrue((self.pipeline.distances(centres) == 0).all())
        # Brute force at some free places.
        places = np.random.default_rng(2).uniform(-5, 5, (40, 3)) * [1, 1, 0.3]
        cells = (np.floor(places / window.voxel_size) + 0.5) * window.voxel_size
        nearest = np.linalg.norm(cells[:, None] - centres[None], axis=2).min(axis=1)
        got = self.pipeline.distances(places)
        np.testing.assert_allclose(got, np.minimum(nearest, 3), atol=1e-5)
        box = np.eye(4)
        box[:3, 3] = centres[0]
        self.assertEqual(self.pipeline.box(box, [0.1, 0.1, 0.1])["occupied"], 1)
        away = box.copy()
        away[:3, 3] += [0, 0, 30]
        path = self.pipeline.path([away, box, away], [0.1, 0.1, 0.1])
        self.assertEqual((path.state, path.first_occupied, path.first_not_free), (2, 1, 0))
        self.assertEqual(path.boxes[1]["occupied"], 1)
        self.assertTrue(20 < path.clear_distance <= 30 and path.steps > 100)
        with self.assertRaisesRegex(swiftlet.SwiftletError, "SWIFTLET_ERROR_INPUT.*world_from_boxes"):
            self.pipeline.path([np.full((3, 4), np.nan)], [1, 1, 1])
        self.assertEqual(self.pipeline.cost_map().costs.shape, (40, 40))
        volume = self.pipeline.volume(np.eye(4), [-8, -8, -4], 0.4, (40, 40, 16))
        self.assertEqual(volume.shape, (40, 40, 16))
        inside = np.floor((centres - [-8, -8, -4]) / 0.4 + 1e-6).astype(int)
        fits = ((inside >= 0) & (inside < volume.shape)).all(axis=1)
        self.assertTrue((volume[tuple(inside[fits].T)] == 2).all())

    def test_a_saved_state_goes_on(self) -> None:
        self.run_frame(self.features)
        state = self.pipeline.save()
        other = swiftlet.Pipeline(CONFIGURATION)
        other.set_rig(
            [swiftlet.CameraMount("FRONT", (90, 90, 88, 32), (176, 64), (176, 64), MOUNT)],
            [swiftlet.LidarMount("TOP")],
        )
        other.load(state)
        np.testing.assert_array_equal(other.occupancy().log_odds, self.pipeline.occupancy().log_odds)
        with self.assertRaisesRegex(swiftlet.SwiftletError, "SWIFTLET_ERROR_FORMAT"):
            other.load(state[:100])


if __name__ == "__main__":
    unittest.main()
