"""The demo detector: a small anchor-free network with one output grid of stride 8.

The network takes a BGR picture with values 0..255 and gives one row for each grid cell, in
row-major order: centre x, centre y (relative to the cell, in cells), log width, log height (in
cells), objectness and one value for each class. This is the YOLOX layout.
"""

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn

from scene import LABELS

INPUT_WIDTH, INPUT_HEIGHT = 384, 224
STRIDE = 8


def unit(inputs, outputs, kernel=3, stride=1, groups=1):
    """A convolution with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """A bottleneck with half of the channels, added to its input."""

    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(unit(channels, channels // 2, 1), unit(channels // 2, channels))

    def forward(self, x):
        return x + self.body(x)


class Branch(nn.Sequential):
    """A depthwise and a pointwise convolution, then the output values."""

    def __init__(self, channels, *outputs):
        super().__init__(unit(channels, channels, 3, groups=channels), unit(channels, channels, 1))
        self.outputs = nn.ModuleList([nn.Conv2d(channels, count, 1) for count in outputs])

    def forward(self, x):
        x = self[1](self[0](x))
        return [output(x) for output in self.outputs]


class Detector(nn.Module):
    """Stages of stride 4, 8 and 16, fused at stride 8; box and class have their own branches.

    The stride 4 stage reaches the fusion by a path of its own, which keeps fine detail for
    objects that are only a few pixels high.
    """

    def __init__(self, classes=len(LABELS)):
        super().__init__()
        self.stem = unit(3, 16, 3, 2)
        self.stage4 = nn.Sequential(unit(16, 32, 3, 2), Residual(32))
        self.stage8 = nn.Sequential(unit(32, 56, 3, 2), Residual(56), Residual(56))
        self.stage16 = nn.Sequential(unit(56, 72, 3, 2), Residual(72), Residual(72))
        self.fine = unit(32, 24, 3, 2)
        self.wide = unit(72, 48, 1)
        self.fuse = unit(56 + 24 + 48, 64, 1)
        self.head = unit(64, 64)
        self.box = Branch(64, 4, 1)
        self.category = Branch(64, classes)
        nn.init.constant_(self.box.outputs[0].bias, 0.5)
        nn.init.constant_(self.box.outputs[1].bias, -4.0)
        nn.init.constant_(self.category.outputs[0].bias, -1.0)

    def forward(self, x):
        """Return rows of raw values; objectness and classes are logits."""
        quarter = self.stage4(self.stem(x * (1 / 255)))
        eighth = self.stage8(quarter)
        context = functional.interpolate(self.wide(self.stage16(eighth)), scale_factor=2.0, mode="nearest")
        x = self.head(self.fuse(torch.cat([eighth, self.fine(quarter), context], 1)))
        box, objectness = self.box(x)
        category, = self.category(x)
        return torch.cat([box, objectness, category], 1).flatten(2).transpose(1, 2)


class Exported(nn.Module):
    """The detector as the ONNX file has it: objectness and classes are probabilities."""

    def __init__(self, detector):
        super().__init__()
        self.detector = detector

    def forward(self, images):
        rows = self.detector(images)
        return torch.cat([rows[..., :4], torch.sigmoid(rows[..., 4:])], 2)


def cells(width=INPUT_WIDTH, height=INPUT_HEIGHT):
    """Return the x, y index of each grid cell of an input, in the order of the output rows."""
    y, x = torch.meshgrid(torch.arange(height // STRIDE), torch.arange(width // STRIDE), indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1).float()


def decode(rows, grid):
    """Turn raw rows into boxes x0, y0, x1, y1 in input pixels."""
    centre = (rows[..., :2] + grid) * STRIDE
    half = torch.exp(rows[..., 2:4].clamp(-4, 5)) * (STRIDE / 2)
    return torch.cat([centre - half, centre + half], -1)


def overlaps(box, boxes):
    """Return the intersection over union of one box with many."""
    wide = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    tall = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    common = wide.clip(0) * tall.clip(0)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return common / ((box[2] - box[0]) * (box[3] - box[1]) + area - common + 1e-9)


def detections(boxes, scores, threshold=0.02, iou=0.45):
    """Select boxes class by class with non-maximum suppression.

    boxes is N x 4, scores N x classes. Returns rows of class, score, x0, y0, x1, y1.
    """
    found = []
    for category in range(scores.shape[1]):
        order = np.argsort(-scores[:, category], kind="stable")
        order = order[scores[order, category] > threshold]
        while len(order):
            best, order = order[0], order[1:]
            found.append((category, scores[best, category], *boxes[best]))
            order = order[overlaps(boxes[best], boxes[order]) < iou]
    return np.array(found, np.float32).reshape(-1, 6)


def load(path):
    """Load a detector from a checkpoint, ready for inference."""
    detector = Detector()
    detector.load_state_dict(torch.load(path, map_location="cpu"))
    return detector.eval()


def detect(detector, image, threshold=0.02):
    """Run a detector on one letterboxed picture."""
    with torch.no_grad():
        rows = detector(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float()[None])[0]
        scores = torch.sigmoid(rows[:, 5:]) * torch.sigmoid(rows[:, 4:5])
        return detections(decode(rows, cells()).numpy(), scores.numpy(), threshold)
