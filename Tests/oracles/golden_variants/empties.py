"""Tensors without elements, where an operation has a meaning without rows, points or queries."""
import numpy as np

from cameras import camera_model
from metrics import ray_iou


def zeros(*shape):
    return np.zeros(shape, np.float32)


def add_rows(writer):
    weight, bias = writer.normal(5, 7), writer.normal(5)
    writer.add("linear", 10, "linear_no_rows", {"in.x": zeros(0, 7), "param.weight": weight, "param.bias": bias},
               {"out.y": zeros(0, 5)})
    writer.add("feed_forward", 10, "ffn_no_rows",
               {"in.x": zeros(0, 7), "param.ffn0.weight": weight, "param.ffn0.bias": bias,
                "param.ffn1.weight": writer.normal(7, 5), "param.ffn1.bias": writer.normal(7)},
               {"out.relu": zeros(0, 7), "out.gelu": zeros(0, 7)})
    writer.add("layer_norm", 10, "layer_norm_no_rows",
               {"in.rows": zeros(0, 7), "param.rows.weight": writer.normal(7), "param.rows.bias": writer.normal(7)},
               {"out.rows": zeros(0, 7)})
    writer.add("gelu", 10, "gelu_nothing", {"in.x": zeros(0)},
               {"out.erf": zeros(0), "out.tanh": zeros(0), "out.relu": zeros(0)})


def add_queries(writer):
    writer.add("scaled_dot_product_attention", 10, "sdpa_no_queries",
               {"in.q": zeros(2, 0, 8), "in.k": writer.normal(2, 5, 8), "in.v": writer.normal(2, 5, 3)},
               {"out.out": zeros(2, 0, 3)}, dict(heads=2, scale=0.3))
    writer.add("multi_scale_deformable_attention", 7, "msda_no_queries",
               {"in.value": writer.normal(6, 2, 4), "in.spatial_shapes": np.array([[2, 3]], np.int32),
                "in.level_start": np.zeros(1, np.int32), "in.locations": zeros(0, 2, 1, 3, 2),
                "in.weights": zeros(0, 2, 1, 3)}, {"out.out": zeros(0, 8)})


def add_samples(writer):
    for axes in (2, 3):
        names = ("linear_centers", "nearest_centers", "linear_corners", "nearest_corners")
        writer.add(f"grid_sample_{axes}d", 6, f"gridsample{axes}d_no_points",
                   {"in.x": writer.normal(1, 2, *[3] * axes), "in.grid": zeros(1, 0, *[4] * (axes - 1), axes)},
                   {f"out.{name}": zeros(1, 2, 0, *[4] * (axes - 1)) for name in names})
    inputs = {"in.intrin": np.array([[300, 0, 200], [0, 300, 100], [0, 0, 1]], np.float32), "in.distortion": zeros(5),
              "in.points": zeros(0, 3), "in.pixels": zeros(0, 2)}
    writer.add("camera_model", 5, "camera_no_points", inputs, camera_model(inputs, dict(model="brown")), dict(model="brown"))


def add_rays(writer):
    inputs = {"in.pred": np.zeros((2, 3, 1), np.uint8), "in.gt": np.zeros((2, 3, 1), np.uint8),
              "in.origins": zeros(0, 3), "in.ends": zeros(0, 3)}
    attributes = dict(classes=3, free_class=2, voxel_size=0.5, thresholds_m=[1, 2, 4])
    writer.add("ray_iou", 14, "rayiou_no_rays", inputs, ray_iou(inputs, attributes), attributes)


def add_all(writer, count):
    add_rows(writer)
    add_queries(writer)
    add_samples(writer)
    add_rays(writer)
