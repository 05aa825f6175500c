"""A straightforward second opinion on detections: what each detector family's published contract says, written with
numpy and OpenCV alone, without a look at Sightline's adapters. `npm run bench -- correctness` runs it.

    reference_decode.py planes FOLDER    writes the input that the family's own tools would give the net
    reference_decode.py compare FOLDER   compares Sightline's boxes with those decoded here from the same tensors

FOLDER/cases.json holds the model (family, input size, thresholds) and, per picture, its size, its I420 file, the planes
and tensors as float32 files and Sightline's boxes. Both commands print one JSON object.
"""
import json
import math
import os
import sys

import cv2
import numpy as np

CLASS_WISE_NMS = {"yolox": 0.45, "yolov5": 0.45, "yolov8": 0.45, "fastestdet": 0.45, "yolo-fastestv2": 0.45, "nanodet": 0.6}
STRETCHED = {"detr", "fastestdet", "yolo-fastestv2"}
CENTRED = {"yolov5", "yolov8", "yolo-end2end", "nanodet"}
BGR = {"yolox", "fastestdet", "yolo-fastestv2", "nanodet"}
NANODET_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
NANODET_STD = np.array([57.375, 57.12, 58.395], np.float32)
FASTEST_V2_ANCHORS = [
    [[12.64, 19.39], [37.88, 51.48], [55.71, 138.31]],
    [[126.91, 78.23], [131.57, 214.55], [279.92, 258.87]],
]


# Boxes below are seldom shown.
SHOWN_SCORE = 0.4


# Geometry: how the picture lies in the input, in the words of the family's own preprocessing.

def geometry(family, width, height, input_width, input_height):
    """Scale in x and y, offset in x and y: input = picture * scale + offset."""
    if family in STRETCHED:
        return input_width / width, input_height / height, 0, 0
    ratio = min(input_width / width, input_height / height)
    if family not in CENTRED:
        return ratio, ratio, 0, 0
    # Ultralytics and NanoDet lay a whole number of pixels to the left and above.
    left = (input_width - round(width * ratio)) / 2
    top = (input_height - round(height * ratio)) / 2
    return ratio, ratio, int(round(left - 0.1)), int(round(top - 0.1))


def planes_of(family, bgr, input_width, input_height):
    height, width = bgr.shape[:2]
    scale_x, scale_y, left, top = geometry(family, width, height, input_width, input_height)
    pad = 0 if family == "nanodet" else 114
    canvas = np.full((input_height, input_width, 3), pad, np.uint8)
    # YOLOX cuts fractions of pixels off, the others round.
    whole = int if family == "yolox" else round
    size = (min(input_width, max(1, whole(width * scale_x))), min(input_height, max(1, whole(height * scale_y))))
    canvas[top:top + size[1], left:left + size[0]] = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    values = canvas.astype(np.float32)
    if family == "nanodet":
        values = (values - NANODET_MEAN) / NANODET_STD
    elif family != "yolox":
        values /= 255
    if family not in BGR:
        values = values[:, :, ::-1]
    return np.ascontiguousarray(values.transpose(2, 0, 1))


# Decoding: tensors to (box in input pixels as x1 y1 x2 y2, score, class), before any suppression.

def sigmoid(values):
    return 1 / (1 + np.exp(-values.astype(np.float64)))


def corners(cx, cy, w, h):
    return np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1)


def decode_yolox(tensors, model):
    rows = tensors[0].reshape(-1, tensors[0].shape[-1]).astype(np.float64)
    cx, cy, w, h = rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3]
    if not model.get("decoded"):
        grid, strides = [], []
        for stride in model.get("strides", [8, 16, 32]):
            for y in range(model["height"] // stride):
                for x in range(model["width"] // stride):
                    grid.append((x, y))
                    strides.append(stride)
        grid, strides = np.array(grid, np.float64), np.array(strides, np.float64)
        cx, cy = (cx + grid[:, 0]) * strides, (cy + grid[:, 1]) * strides
        w, h = np.exp(w) * strides, np.exp(h) * strides
    classes = rows[:, 5:]
    return corners(cx, cy, w, h), rows[:, 4] * classes.max(1), classes.argmax(1)


def decode_yolov5(tensors, _model):
    rows = tensors[0].reshape(-1, tensors[0].shape[-1]).astype(np.float64)
    return corners(*rows[:, :4].T), rows[:, 4] * rows[:, 5:].max(1), rows[:, 5:].argmax(1)


def decode_yolov8(tensors, _model):
    channels = tensors[0][0].astype(np.float64)
    return corners(*channels[:4]), channels[4:].max(0), channels[4:].argmax(0)


def decode_end2end(tensors, _model):
    rows = tensors[0].reshape(-1, 6).astype(np.float64)
    return rows[:, :4], rows[:, 4], np.round(rows[:, 5]).astype(int)


def decode_detr(tensors, model):
    by_name = dict(zip(model["outputs"], tensors))
    if "logits" in by_name:
        probabilities = sigmoid(by_name["logits"].reshape(-1, by_name["logits"].shape[-1]))
        cx, cy, w, h = by_name["pred_boxes"].reshape(-1, 4).astype(np.float64).T
        size = [model["width"], model["height"]] * 2
        return corners(cx, cy, w, h) * size, probabilities.max(1), probabilities.argmax(1)
    boxes = by_name["boxes"].reshape(-1, 4).astype(np.float64)
    target_width, target_height = model["targetSize"]
    boxes = boxes * np.array([model["width"] / target_width, model["height"] / target_height] * 2)
    return boxes, by_name["scores"].reshape(-1).astype(np.float64), by_name["labels"].reshape(-1).astype(int)


def decode_fastestdet(tensors, model):
    channels = tensors[0][0].astype(np.float64)
    rows, columns = channels.shape[1:]
    gy, gx = np.mgrid[0:rows, 0:columns]
    scores = channels[0] ** 0.6 * channels[5:].max(0) ** 0.4
    cx = (gx + np.tanh(channels[1])) / columns * model["width"]
    cy = (gy + np.tanh(channels[2])) / rows * model["height"]
    boxes = corners(cx, cy, sigmoid(channels[3]) * model["width"], sigmoid(channels[4]) * model["height"])
    return boxes.reshape(-1, 4), scores.reshape(-1), channels[5:].argmax(0).reshape(-1)


def decode_fastest_v2(tensors, model):
    found = []
    grids = sorted({tensor.shape[2] for tensor in tensors}, reverse=True)
    for anchors, size in zip(FASTEST_V2_ANCHORS, grids):
        reg, obj, cls = (next(t for t in tensors if t.shape[2] == size and t.shape[1] == channels)[0].astype(np.float64)
                         for channels in (12, 3, len_classes(tensors)))
        rows, columns = reg.shape[1:]
        stride = model["width"] / columns
        gy, gx = np.mgrid[0:rows, 0:columns]
        exponents = np.exp(cls - cls.max(0))
        probabilities = exponents / exponents.sum(0)
        for anchor, (anchor_width, anchor_height) in enumerate(anchors):
            x, y, w, h = sigmoid(reg[anchor * 4:anchor * 4 + 4])
            boxes = corners((x * 2 - 0.5 + gx) * stride, (y * 2 - 0.5 + gy) * stride, (w * 2) ** 2 * anchor_width, (h * 2) ** 2 * anchor_height)
            scores = sigmoid(obj[anchor]) * probabilities.max(0)
            found.append((boxes.reshape(-1, 4), scores.reshape(-1), probabilities.argmax(0).reshape(-1)))
    return tuple(np.concatenate(parts) for parts in zip(*found))


def len_classes(tensors):
    return next(t.shape[1] for t in tensors if t.shape[1] not in (3, 12))


def decode_nanodet(tensors, model):
    found = []
    for stride in (8, 16, 32):
        columns = math.ceil(model["width"] / stride)
        rows = math.ceil(model["height"] / stride)
        scores = next(t for n, t in zip(model["outputs"], tensors) if n == f"cls_pred_stride_{stride}").reshape(rows * columns, -1)
        distances = next(t for n, t in zip(model["outputs"], tensors) if n == f"dis_pred_stride_{stride}").reshape(rows * columns, 4, 8)
        exponents = np.exp(distances.astype(np.float64) - distances.max(-1, keepdims=True))
        sides = stride * (exponents / exponents.sum(-1, keepdims=True) @ np.arange(8))
        gy, gx = np.mgrid[0:rows, 0:columns]
        cx = (gx * stride + 0.5 * (stride - 1)).reshape(-1)
        cy = (gy * stride + 0.5 * (stride - 1)).reshape(-1)
        boxes = np.stack([cx - sides[:, 0], cy - sides[:, 1], cx + sides[:, 2], cy + sides[:, 3]], -1)
        found.append((boxes, scores.max(1).astype(np.float64), scores.argmax(1)))
    return tuple(np.concatenate(parts) for parts in zip(*found))


DECODERS = {
    "yolox": decode_yolox, "yolov5": decode_yolov5, "yolov8": decode_yolov8, "yolo-end2end": decode_end2end,
    "detr": decode_detr, "fastestdet": decode_fastestdet, "yolo-fastestv2": decode_fastest_v2, "nanodet": decode_nanodet,
}


# From raw boxes to detections.

def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def suppress(boxes, scores, classes, limit):
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        if all(classes[i] != classes[j] or iou(boxes[i], boxes[j]) <= limit for j in kept):
            kept.append(i)
    return kept


def detections(model, case, tensors):
    """(x1 y1 x2 y2 in picture pixels, score, class), weakest last."""
    family = model["family"]
    boxes, scores, classes = DECODERS[family](tensors, model)
    strong = scores >= model["threshold"]
    boxes, scores, classes = boxes[strong], scores[strong], classes[strong]
    scale_x, scale_y, left, top = geometry(family, case["width"], case["height"], model["width"], model["height"])
    boxes = (boxes - [left, top, left, top]) / [scale_x, scale_y, scale_x, scale_y]
    limit = CLASS_WISE_NMS.get(family)
    kept = suppress(boxes, scores, classes, limit) if limit else np.argsort(-scores, kind="stable")
    result = []
    for i in kept:
        x1, x2 = np.clip(boxes[i][[0, 2]], 0, case["width"])
        y1, y2 = np.clip(boxes[i][[1, 3]], 0, case["height"])
        if x2 > x1 and y2 > y1:
            result.append(((x1, y1, x2, y2), float(scores[i]), int(classes[i])))
    return result


def match(ours, theirs):
    """Pairs of one class by overlap, best first; what is left over on both sides."""
    candidates = sorted(((iou(a[0], b[0]), i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if a[2] == b[2]), reverse=True)
    pairs, left, right = [], set(range(len(ours))), set(range(len(theirs)))
    for overlap, i, j in candidates:
        if overlap > 0 and i in left and j in right:
            left.remove(i)
            right.remove(j)
            pairs.append((overlap, abs(ours[i][1] - theirs[j][1])))
    return pairs, [ours[i] for i in left], [theirs[j] for j in right]


def summary(threshold, margin, name_pairs):
    """Boxes on one side alone count unless their score is that of the threshold, give or take the margin."""
    overlaps, scores, missing, boxes = [], [], [], 0
    for name, ours, theirs in name_pairs:
        pairs, extra, lost = match(ours, theirs)
        boxes += len(theirs)
        overlaps += [overlap for overlap, _ in pairs]
        scores += [difference for _, difference in pairs]
        for side, rest in (("Sightline alone", extra), ("reference alone", lost)):
            missing += [f"{name}: {side}: class {c} {s:.4f} {[round(float(v), 1) for v in b]}" for b, s, c in rest if s > threshold + margin]
    return {
        "boxes": boxes, "minIou": min(overlaps, default=1), "meanIou": float(np.mean(overlaps)) if overlaps else 1,
        "maxScoreDifference": max(scores, default=0), "unmatched": len(missing), "faults": missing[:5],
    }


# Commands.

def read(folder, file, dims):
    return np.fromfile(os.path.join(folder, file), np.float32).reshape(dims)


def write_planes(folder, model, cases):
    largest, sums = 0.0, []
    for case in cases:
        i420 = np.fromfile(os.path.join(folder, case["i420"]), np.uint8).reshape(case["height"] * 3 // 2, case["width"])
        planes = planes_of(model["family"], cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420), model["width"], model["height"])
        planes.tofile(os.path.join(folder, case["referencePlanes"]))
        ours = read(folder, case["planes"], planes.shape)
        # Back to levels of 0-255, whatever the family's range.
        level = 255 if model["family"] not in ("yolox", "nanodet") else 1
        difference = np.abs(ours - planes) * (NANODET_STD[:, None, None] if model["family"] == "nanodet" else level)
        largest, sums = max(largest, float(difference.max())), sums + [float(difference.mean())]
    return {"meanLevels": float(np.mean(sums)), "maxLevels": largest}


def compare(folder, model, cases):
    def tensors(case, key):
        return [read(folder, each["file"], each["dims"]) for each in case[key]]

    def ours(case, key):
        return [((x, y, x + w, y + h), score, c) for (x, y, w, h), score, c in case[key]]

    def both(case, key, threshold):
        theirs = detections({**model, "targetSize": case["targetSize"]}, case, tensors(case, key))
        return case["name"], *([each for each in side if each[1] >= threshold] for side in (ours(case, "detections"), theirs))

    # Two inputs that differ a little give scores that differ a little: weak boxes come and go.
    return {
        "decode": summary(model["threshold"], 1e-3, [both(case, "tensors", model["threshold"]) for case in cases]),
        "letterbox": summary(SHOWN_SCORE, 0.1, [both(case, "referenceTensors", SHOWN_SCORE) for case in cases]),
    }


if __name__ == "__main__":
    command, directory = sys.argv[1:]
    with open(os.path.join(directory, "cases.json"), encoding="utf8") as file:
        content = json.load(file)
    print(json.dumps({"planes": write_planes, "compare": compare}[command](directory, content["model"], content["cases"])))
