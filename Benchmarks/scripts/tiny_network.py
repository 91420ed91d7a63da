"""A camera network of random weights, to try run_network.py: 64 channels and 59 depth bins at
stride 16. `python3 tiny_network.py tiny.onnx` exports it."""
import sys

import torch
from torch import nn


class TinyNetwork(nn.Module):
    def __init__(self, channels=64, bins=59):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=4, padding=2), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU())
        self.features = nn.Conv2d(64, channels, 1)
        self.depth = nn.Conv2d(64, bins, 1)

    def forward(self, image):
        body = self.body(image)
        return self.features(body), self.depth(body)


def make():
    torch.manual_seed(0)
    return TinyNetwork().eval()


if __name__ == "__main__":
    torch.onnx.export(
        make(), torch.zeros(1, 3, 256, 704), sys.argv[1], input_names=["image"],
        output_names=["features", "depth"], dynamo=False)
