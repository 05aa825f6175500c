"""Write a trained checkpoint as an ONNX file with its JSON description.

    /usr/bin/python3 scripts/demo/export.py [--checkpoint FILE.pt] [--folder models]

The exported file is measured on fresh scenes; the figures and the best score threshold go into
the description.
"""

import argparse
import hashlib
import json
import os

import torch

from evaluate import measure, onnx_detector
from model import INPUT_HEIGHT, INPUT_WIDTH, STRIDE, Exported, load
from scene import LABELS

NAME = "sightline-demo"
SEEDS = (101, 202)
SCENES = 300


def main():
    parser = argparse.ArgumentParser(description="Export the demo detector.")
    parser.add_argument("--checkpoint", default=".cache/demo/detector.pt")
    parser.add_argument("--folder", default="models")
    options = parser.parse_args()
    torch.set_num_threads(1)
    path = os.path.join(options.folder, NAME + ".onnx")
    network = Exported(load(options.checkpoint)).eval()
    torch.onnx.export(network, torch.zeros(1, 3, INPUT_HEIGHT, INPUT_WIDTH), path, input_names=["images"],
                      output_names=["output"], opset_version=13)
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()

    run = onnx_detector(path)
    reports = [measure(run, seed, SCENES) for seed in SEEDS]
    threshold = sum(report["bestF1"]["threshold"] for report in reports) / len(reports)
    description = {
        "name": NAME, "family": "yolox", "file": NAME + ".onnx",
        "input": {"width": INPUT_WIDTH, "height": INPUT_HEIGHT}, "strides": [STRIDE], "labels": list(LABELS),
        "score_threshold": round(threshold, 2), "nms_iou": 0.45, "decoded": False, "sha256": digest, "licence": "MIT",
        "source": "trained by scripts/demo/train.py on rendered scenes", "metrics": reports,
    }
    with open(os.path.join(options.folder, NAME + ".json"), "w", encoding="utf-8") as file:
        json.dump(description, file, indent=2)
        file.write("\n")
    print(os.path.getsize(path), "bytes", json.dumps(reports))


if __name__ == "__main__":
    main()
