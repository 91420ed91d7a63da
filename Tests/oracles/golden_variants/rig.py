"""A ring of cameras, and the camera models of OpenCV's documentation."""
import math

import numpy as np


def ring(cameras, width, height, z_forward_y=False):
    """[(K, camera from ego rotation, translation)] for cameras spread over the full turn, pitched a little."""
    result = []
    for n in range(cameras):
        yaw, focal = 2 * math.pi * n / cameras + 0.1, width * 0.6
        intrinsics = np.array([[focal, 0, width / 2], [0, focal * 1.1, height / 2], [0, 0, 1]])
        z = np.array([math.sin(yaw), math.cos(yaw), 0.03 - 0.02 * n])
        z /= np.linalg.norm(z)
        x = np.cross(z, [0, 0, 1])
        x /= np.linalg.norm(x)
        rotation = np.stack([x, np.cross(z, x), z])
        result.append((intrinsics, rotation, -rotation @ np.array([0.1 * n, 0.2, 1.5])))
    return result


def project(model, points, intrinsics, distortion):
    """Pixels u, v and the radius that a limit is compared with: tan of the angle, or the angle (fisheye)."""
    x, y, z = np.moveaxis(points, -1, 0)
    with np.errstate(all="ignore"):
        if model == "fisheye":
            r = np.hypot(x, y)
            radius = np.arctan2(r, z)
            distorted = radius * (1 + sum(k * radius ** (2 * i + 2) for i, k in enumerate(distortion)))
            scale = np.where(r > 0, distorted / r, 1 / z)
            a, b = x * scale, y * scale
        else:
            a, b = x / z, y / z
            r2 = a * a + b * b
            radius = np.sqrt(r2)
            k1, k2, p1, p2, k3, k4, k5, k6 = list(distortion) + [0] * (8 - len(distortion))
            ratio = (1 + k1 * r2 + k2 * r2 ** 2 + k3 * r2 ** 3) / (1 + k4 * r2 + k5 * r2 ** 2 + k6 * r2 ** 3)
            a, b = (a * ratio + 2 * p1 * a * b + p2 * (r2 + 2 * a * a),
                    b * ratio + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b)
        return intrinsics[0, 0] * a + intrinsics[0, 2], intrinsics[1, 1] * b + intrinsics[1, 2], radius
