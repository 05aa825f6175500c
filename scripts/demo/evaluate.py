"""Measure the demo detector on fresh scenes.

    /usr/bin/python3 scripts/demo/evaluate.py [--model FILE.onnx | --checkpoint FILE.pt]
        [--seeds 101 202] [--scenes 300] [--clip FILE] [--write FOLDER]

Reports, for each seed, the average precision of each class at IoU 0.5 and 0.75 (COCO's 101
points), and the score threshold with the best F1. The scenes show random streets; the street
of the demo clip is not among them. An ONNX file is run by OpenCV.

--clip FILE measures precision and recall on every fifth frame of the demo clip instead, at the
score threshold of the model's description, against the clip's ground truth.

--write stores the scenes for other programs instead of measuring:

    FOLDER/scenes.json   {"width", "height", "labels", "scenes": [{"file", "objects"}]}
    FOLDER/00000.bgr     height x width x 3 bytes, letterboxed, ready for the detector

where objects are rows of class, x0, y0, x1, y1 in pixels of the stored picture.
"""

import argparse
import json
import os
import subprocess

import cv2
import numpy as np

import scene

INPUT_WIDTH, INPUT_HEIGHT, STRIDE = 384, 224, 8


def scenes(seed, count):
    """Yield fresh scenes and their boxes."""
    rng = np.random.default_rng([seed, 99])
    made = 0
    while made < count:
        for item in scene.random_scenes(rng, INPUT_WIDTH, INPUT_HEIGHT, 2):
            if made < count:
                made += 1
                yield item


def onnx_detector(path):
    """Return a function from a letterboxed picture to rows of class, score, x0, y0, x1, y1."""
    from model import detections

    network = cv2.dnn.readNetFromONNX(path)
    y, x = np.mgrid[:INPUT_HEIGHT // STRIDE, :INPUT_WIDTH // STRIDE]
    grid = np.stack([x.ravel(), y.ravel()], 1)

    def run(image, threshold=0.02):
        network.setInput(image.transpose(2, 0, 1)[None].astype(np.float32), "images")
        rows = network.forward("output")[0]
        centre, half = (rows[:, :2] + grid) * STRIDE, np.exp(rows[:, 2:4]) * STRIDE / 2
        return detections(np.concatenate([centre - half, centre + half], 1), rows[:, 5:] * rows[:, 4:5], threshold)
    return run


def checkpoint_detector(path):
    """The same for a checkpoint."""
    import torch
    from model import detect, load

    torch.set_num_threads(1)
    network = load(path)
    return lambda image, threshold=0.02: detect(network, image, threshold)


def match(found, truth, iou):
    """Tell for each detection, best score first, whether it hits an object not yet taken."""
    from model import overlaps

    taken, hits = set(), []
    for row in found[np.argsort(-found[:, 1], kind="stable")]:
        hit = False
        if len(truth):
            shares = overlaps(row[2:], truth)
            shares[list(taken)] = 0
            best = int(shares.argmax())
            hit = bool(shares[best] >= iou)
            if hit:
                taken.add(best)
        hits.append((float(row[1]), hit))
    return hits


def average_precision(hits, total):
    """Return the mean precision at 101 recall values."""
    order = sorted(hits, key=lambda item: -item[0])
    right = np.cumsum([hit for _, hit in order])
    precision, recall = right / np.arange(1, len(order) + 1), right / max(1, total)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101))
    return float(np.mean([precision[i] if i < len(order) else 0 for i in at]))


def best_threshold(hits, total):
    """Return (F1, score, precision, recall) at the score threshold with the best F1."""
    order = sorted(hits, key=lambda item: -item[0])
    right = np.cumsum([hit for _, hit in order])
    precision, recall = right / np.arange(1, len(order) + 1), right / max(1, total)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1.argmax())
    return float(f1[best]), order[best][0], float(precision[best]), float(recall[best])


def measure(run, seed, count):
    """Run a detector over fresh scenes and return its figures."""
    classes = range(len(scene.LABELS))
    hits = {iou: [[] for _ in classes] for iou in (0.5, 0.75)}
    totals = [0 for _ in classes]
    for image, boxes in scenes(seed, count):
        found = run(image)
        for c in classes:
            truth = boxes[boxes[:, 0] == c][:, 1:]
            totals[c] += len(truth)
            for iou, lists in hits.items():
                lists[c] += match(found[found[:, 0] == c], truth, iou)
    report = {"seed": seed, "scenes": count, "objects": dict(zip(scene.LABELS, totals))}
    for iou, lists in hits.items():
        values = [average_precision(lists[c], totals[c]) for c in classes]
        name = str(round(iou * 100))
        report["mAP" + name] = round(float(np.mean(values)), 4)
        report["AP" + name] = {label: round(value, 4) for label, value in zip(scene.LABELS, values)}
    f1, threshold, precision, recall = best_threshold(sum(hits[0.5], []), sum(totals))
    report["bestF1"] = {"f1": round(f1, 4), "threshold": round(threshold, 3),
                        "precision": round(precision, 4), "recall": round(recall, 4)}
    return report


def frames(path, width, height):
    """Yield the decoded pictures of a video."""
    process = subprocess.Popen(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "bgr24", "pipe:1"],
                               stdout=subprocess.PIPE)
    while True:
        data = process.stdout.read(width * height * 3)
        if len(data) < width * height * 3:
            break
        yield np.frombuffer(data, np.uint8).reshape(height, width, 3)
    process.wait()


def measure_clip(run, clip, labels, threshold, sampling, step=5):
    """Return precision and recall of each class at IoU 0.5 on a clip with ground truth."""
    with open(labels, encoding="utf-8") as file:
        truth = json.load(file)
    right, found_total, wanted_total = (np.zeros(len(scene.LABELS), int) for _ in range(3))
    for number, image in enumerate(frames(clip, truth["width"], truth["height"])):
        if number % step:
            continue
        small, ratio = scene.letterbox(image, INPUT_WIDTH, INPUT_HEIGHT, sampling)
        found = run(small, threshold)
        objects = np.array(truth["objects"][number], np.float32).reshape(-1, 6)
        for c in range(len(scene.LABELS)):
            boxes = objects[objects[:, 1] == c][:, 2:] * ratio
            boxes[:, 2:] += boxes[:, :2]
            hits = match(found[found[:, 0] == c], boxes, 0.5)
            right[c] += sum(hit for _, hit in hits)
            found_total[c] += len(hits)
            wanted_total[c] += len(boxes)
    report = {label: {"precision": round(float(r / max(1, f)), 4), "recall": round(float(r / max(1, w)), 4)}
              for label, r, f, w in zip(scene.LABELS, right, found_total, wanted_total)}
    report["all"] = {"precision": round(float(right.sum() / max(1, found_total.sum())), 4),
                     "recall": round(float(right.sum() / max(1, wanted_total.sum())), 4)}
    return report


def write(folder, seed, count):
    """Store fresh scenes as raw pictures and one JSON file."""
    os.makedirs(folder, exist_ok=True)
    entries = []
    for index, (image, boxes) in enumerate(scenes(seed, count)):
        name = f"{index:05d}.bgr"
        image.tofile(os.path.join(folder, name))
        objects = [[int(row[0]), *(round(float(v), 2) for v in row[1:])] for row in boxes]
        entries.append({"file": name, "objects": objects})
    with open(os.path.join(folder, "scenes.json"), "w", encoding="utf-8") as file:
        json.dump({"width": INPUT_WIDTH, "height": INPUT_HEIGHT, "labels": scene.LABELS, "scenes": entries}, file)


def main():
    parser = argparse.ArgumentParser(description="Measure the demo detector.")
    parser.add_argument("--model", default="models/sightline-demo.onnx")
    parser.add_argument("--checkpoint")
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 202])
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--clip")
    parser.add_argument("--labels", default="test/fixtures/demo.labels.json")
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--write", metavar="FOLDER")
    options = parser.parse_args()
    if options.write:
        write(options.write, options.seeds[0], options.scenes)
        return
    run = checkpoint_detector(options.checkpoint) if options.checkpoint else onnx_detector(options.model)
    if options.clip:
        threshold = options.threshold
        if threshold is None:
            with open(os.path.splitext(options.model)[0] + ".json", encoding="utf-8") as file:
                threshold = json.load(file)["score_threshold"]
        for name, sampling in (("area", cv2.INTER_AREA), ("bilinear", cv2.INTER_LINEAR)):
            report = measure_clip(run, options.clip, options.labels, threshold, sampling)
            print(json.dumps({"sampling": name, "threshold": threshold, **report}), flush=True)
        return
    for seed in options.seeds:
        print(json.dumps(measure(run, seed, options.scenes)), flush=True)


if __name__ == "__main__":
    main()
