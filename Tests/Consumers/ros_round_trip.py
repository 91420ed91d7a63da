#!/usr/bin/env python3
"""The ROS 2 example's message code through MCAP files, with another implementation on both ends.

    python3 ros_round_trip.py ROS_MESSAGES_PROGRAM [plant]

mcap-ros2-support writes a PointCloud2, a TransformStamped and a camera's features and depth as
Float32MultiArray; the program reads their bytes as the bag holds them and answers with an OccupancyGrid,
which goes into a bag and is read back. The costs and the frame's digest must be those that the Python
package gives for the same scan and tensors.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from mcap.reader import make_reader
from mcap.writer import Writer as RawWriter
from mcap_ros2.decoder import DecoderFactory
from mcap_ros2.writer import Writer

import swiftlet

HEADER = "std_msgs/Header header\n"
SEPARATOR = "=" * 80 + "\n"
COMMON = (
    SEPARATOR + "MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
    + SEPARATOR + "MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)
POINTS = (
    HEADER + "uint32 height\nuint32 width\nsensor_msgs/PointField[] fields\nbool is_bigendian\n"
    "uint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense\n"
    + SEPARATOR + "MSG: sensor_msgs/PointField\nstring name\nuint32 offset\nuint8 datatype\nuint32 count\n"
    + COMMON
)
VECTORS = (
    SEPARATOR + "MSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n"
    + SEPARATOR + "MSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n"
)
TRANSFORM = (
    HEADER + "string child_frame_id\ngeometry_msgs/Transform transform\n"
    + SEPARATOR + "MSG: geometry_msgs/Transform\ngeometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation\n"
    + VECTORS + COMMON
)
ARRAY = (
    "std_msgs/MultiArrayLayout layout\nfloat32[] data\n"
    + SEPARATOR + "MSG: std_msgs/MultiArrayLayout\nstd_msgs/MultiArrayDimension[] dim\nuint32 data_offset\n"
    + SEPARATOR + "MSG: std_msgs/MultiArrayDimension\nstring label\nuint32 size\nuint32 stride\n"
)
GRID = (
    HEADER + "nav_msgs/MapMetaData info\nint8[] data\n"
    + SEPARATOR + "MSG: nav_msgs/MapMetaData\nbuiltin_interfaces/Time map_load_time\nfloat32 resolution\n"
    "uint32 width\nuint32 height\ngeometry_msgs/Pose origin\n"
    + SEPARATOR + "MSG: geometry_msgs/Pose\ngeometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n"
    + SEPARATOR + "MSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n" + VECTORS + COMMON
)
CONFIGURATION = """{"schema_version": 1, "channels": 32,
    "grid": {"lower_meters": [-8, -8, -10], "upper_meters": [8, 8, 10], "step_meters": [0.8, 0.8, 20]},
    "depth": {"lower_meters": 1, "upper_meters": 8, "step_meters": 1},
    "occupancy": {"extent_meters": [16, 16, 6.4], "voxel_size_meters": 0.4, "maximum_range_meters": 7}}"""


# The first camera of Scene.hpp.
MOUNT = [[0, 0, 1, 1], [-1, 0, 0, 0], [0, -1, 0, 1.6]]


def multi_array(values: np.ndarray, labels: str) -> dict:
    dims = [
        {"label": label, "size": size, "stride": int(np.prod(values.shape[axis:]))}
        for axis, (label, size) in enumerate(zip(labels, values.shape))
    ]
    # Two values in front that do not belong to the tensor.
    return {"layout": {"dim": dims, "data_offset": 2}, "data": [7.0, 7.0, *values.ravel().tolist()]}


def main(program: str, plant: bool) -> int:
    work = pathlib.Path(tempfile.mkdtemp())
    random = np.random.default_rng(4)
    cloud = random.uniform(-6, 6, (777, 3)).astype(np.float32)
    cloud[:, 2] = random.uniform(-1.8, 0.5, 777)
    features = random.standard_normal((4, 11, 32), dtype=np.float32)
    depth = random.random((7, 4, 11), dtype=np.float32)
    # 18-byte records as some drivers send them: a time, x, y, z, a byte of intensity, padding.
    records = np.zeros(777, dtype={"names": ["t", "x", "y", "z", "i"], "formats": ["<u4", "<f4", "<f4", "<f4", "u1"], "offsets": [0, 4, 8, 12, 16], "itemsize": 18})
    for axis, name in enumerate("xyz"):
        records[name] = cloud[:, axis]
    field = lambda name, offset, kind: {"name": name, "offset": offset, "datatype": kind, "count": 1}
    stamp = {"sec": 12, "nanosec": 345}
    angle = 0.3
    turn = {"x": 0.0, "y": 0.0, "z": float(np.sin(angle / 2)), "w": float(np.cos(angle / 2))}
    shift = {"x": 3.0, "y": -2.0, "z": 1.8}

    bag = work / "in.mcap"
    with open(bag, "wb") as file:
        writer = Writer(file)
        points_schema = writer.register_msgdef("sensor_msgs/msg/PointCloud2", POINTS)
        transform_schema = writer.register_msgdef("geometry_msgs/msg/TransformStamped", TRANSFORM)
        writer.write_message("/points", points_schema, {
            "header": {"stamp": stamp, "frame_id": "lidar"}, "height": 1, "width": 777,
            "fields": [field("t", 0, 6), field("x", 4, 7), field("y", 8, 7), field("z", 12, 7), field("intensity", 16, 2)],
            "is_bigendian": False, "point_step": 18, "row_step": 18 * 777,
            "data": records.tobytes(), "is_dense": True})
        writer.write_message("/tf", transform_schema, {
            "header": {"stamp": stamp, "frame_id": "map"}, "child_frame_id": "lidar",
            "transform": {"translation": shift, "rotation": turn}})
        array_schema = writer.register_msgdef("std_msgs/msg/Float32MultiArray", ARRAY)
        writer.write_message("/features", array_schema, multi_array(features, "yxc"))
        writer.write_message("/depth", array_schema, multi_array(depth, "byx"))
        writer.finish()
    payloads = {}
    with open(bag, "rb") as file:
        for _, channel, message in make_reader(file).iter_messages():
            payloads[channel.topic] = message.data
    files = []
    for topic in ("points", "tf", "features", "depth"):
        files.append(work / f"{topic}.cdr")
        files[-1].write_bytes(payloads[f"/{topic}"])
    printed = subprocess.run(
        [program, *files, work / "grid.cdr"], check=True, text=True, capture_output=True).stdout.strip()
    print(printed)

    out = work / "out.mcap"
    with open(out, "wb") as file:
        raw = RawWriter(file)
        raw.start(profile="ros2")
        schema = raw.register_schema("nav_msgs/msg/OccupancyGrid", "ros2msg", GRID.encode())
        channel = raw.register_channel("/costs", "cdr", schema)
        raw.add_message(channel, 12, (work / "grid.cdr").read_bytes(), 12)
        raw.finish()
    with open(out, "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        (_, _, _, grid), = reader.iter_decoded_messages()

    c, s = np.cos(angle), np.sin(angle)
    world = np.array([[c, -s, 0, 3], [s, c, 0, -2], [0, 0, 1, 1.8], [0, 0, 0, 1]])
    ego = world.copy()
    ego[2, 3] = 0
    pipeline = swiftlet.Pipeline(CONFIGURATION)
    pipeline.set_rig(
        [swiftlet.CameraMount("FRONT", (90, 90, 88, 32), (176, 64), (176, 64), MOUNT)],
        [swiftlet.LidarMount("lidar")])
    camera = swiftlet.CameraSample(features, depth, MOUNT, 12_000_000_345)
    pipeline.process(ego, [camera], [swiftlet.LidarSample(cloud + (0.4 if plant else 0), world, 12_000_000_345)], timestamp_ns=12_000_000_345)
    pipeline.prepare_queries()
    pipeline.update_queries()
    expected = pipeline.cost_map()
    got = np.array(grid.data, dtype=np.int8).reshape(grid.info.height, grid.info.width)
    digest = swiftlet.Digest()
    digest.add(pipeline)
    same = np.array_equal(got, expected.costs) and printed.endswith(f"digest {digest.value}")
    assert (grid.header.frame_id, grid.header.stamp.sec, grid.header.stamp.nanosec) == ("map", 12, 345)
    assert abs(grid.info.resolution - 0.4) < 1e-6
    assert (grid.info.origin.position.x, grid.info.origin.position.y) == expected.lower
    print(f"costs and digest {'as the package gives them' if same else 'together with the package differ'}: {int((got == 100).sum())} obstacle cells, {int((got < 0).sum())} unknown")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "plant" in sys.argv[2:]))
