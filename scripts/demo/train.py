"""Train the demo detector on rendered scenes and write its checkpoint.

    /usr/bin/python3 scripts/demo/train.py [--checkpoint FILE]

Two stages: most is learnt on small pictures, which are cheap; then the same weights are refined on
pictures of the final size, on scenes that they have not seen. A second process renders scenes
without pause; the training itself uses one thread. Everything follows from fixed seeds, so a
second run on the same kind of machine gives the same weights. On processors with bfloat16
instructions most of the arithmetic is done in bfloat16.
"""

import argparse
import math
import multiprocessing
import os
import time
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn

import scene
from model import INPUT_HEIGHT, INPUT_WIDTH, STRIDE, Detector, cells, decode

BATCH = 16
FRESH = 4  # new scenes in each iteration
POOL = 4000  # scenes kept for reuse
DECAY = 5e-4
DEMO_SHARE = 0.1  # share of scenes that show the street of the demo clip
MOST_OBJECTS = 14


class Stage(NamedTuple):
    """Iterations on pictures of one size, with a cosine schedule of the learning rate."""

    width: int
    height: int
    iterations: int
    rate: float
    seed: int


STAGES = (Stage(320, 192, 7000, 2.5e-3, 1), Stage(INPUT_WIDTH, INPUT_HEIGHT, 5000, 1.5e-3, 2))


def render(queue, stage):
    """Render scenes for ever; scene after scene follows from the stage's seed."""
    os.nice(10)
    rng = np.random.default_rng([stage.seed, 7])
    while True:
        street = scene.demo_street() if rng.random() < DEMO_SHARE else None
        for item in scene.random_scenes(rng, stage.width, stage.height, 3, street):
            queue.put(item)


def batch_of(rng, pool):
    """Take random scenes of the pool, mirror some, and swap the colour channels of a few."""
    height, width = pool[0][0].shape[:2]
    pictures = np.empty((BATCH, 3, height, width), np.uint8)
    objects = np.full((BATCH, MOST_OBJECTS, 5), -1, np.float32)
    for row, index in enumerate(rng.integers(0, len(pool), BATCH)):
        picture, boxes = pool[index]
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
            boxes = np.stack([boxes[:, 0], width - boxes[:, 3], boxes[:, 2], width - boxes[:, 1], boxes[:, 4]], 1)
        if rng.random() < 0.2:
            picture = picture[..., rng.permutation(3)]
        pictures[row] = picture.transpose(2, 0, 1)
        objects[row, :len(boxes)] = boxes[:MOST_OBJECTS]
    return torch.from_numpy(pictures).float(), torch.from_numpy(objects)


def assign(objects, grid):
    """Decide which grid cells learn which object.

    A cell learns the object whose centre is nearest, if the cell lies inside of the box and
    within 1.5 cells of its centre; the cell next to a centre always learns. Returns the mask
    of learning cells, the object's index for each cell, and a weight that balances objects
    with few cells against those with many.
    """
    point = ((grid + 0.5) * STRIDE)[None, :, None, :]
    valid = objects[:, :, 0] >= 0
    low, high = objects[:, None, :, 1:3], objects[:, None, :, 3:5]
    distance = (point - (low + high) / 2).abs().amax(-1)
    inside = ((point > low - 2) & (point < high + 2)).all(-1)
    good = inside & (distance < 1.5 * STRIDE)
    nearest = distance.argmin(1, keepdim=True)
    good.scatter_(1, nearest, True)
    good &= valid[:, None, :]
    area = (high - low).prod(-1)
    cost = torch.where(good, distance + 1e-3 * area, torch.full_like(distance, 1e9))
    best = cost.argmin(2)
    mask = good.any(2)
    counts = torch.zeros(valid.shape).scatter_add_(1, best, mask.float())
    weight = (4 / counts.clamp(min=1)).sqrt().clamp(0.6, 2).gather(1, best)
    return mask, best, weight


def box_losses(predicted, target):
    """Return the IoU and the generalised IoU of pairs of boxes."""
    def area(box):
        return (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])

    common = (torch.minimum(predicted[:, 2:], target[:, 2:]) - torch.maximum(predicted[:, :2], target[:, :2])).clamp(0).prod(1)
    union = area(predicted) + area(target) - common
    iou = common / (union + 1e-6)
    hull = (torch.maximum(predicted[:, 2:], target[:, 2:]) - torch.minimum(predicted[:, :2], target[:, :2])).prod(1)
    return iou, iou - (hull - union) / (hull + 1e-6)


def losses(rows, objects, grid):
    """Return the losses for objectness, class and box, and the mean IoU."""
    mask, best, weight = assign(objects, grid)
    target = objects.gather(1, best[..., None].expand(-1, -1, 5))[mask]
    weight = weight[mask]
    total = weight.sum().clamp(min=1)

    wanted = mask.float()
    importance = torch.ones_like(wanted)
    importance[mask] = weight
    objectness = functional.binary_cross_entropy_with_logits(rows[..., 4], wanted, importance, reduction="sum") / total

    predicted = decode(rows, grid)[mask]
    iou, generalised = box_losses(predicted, target[:, 1:])
    size = target[:, 3:] - target[:, 1:3]
    shift = ((predicted[:, :2] + predicted[:, 2:]) - (target[:, 1:3] + target[:, 3:])) / (2 * size)
    stretch = torch.log((predicted[:, 2:] - predicted[:, :2]) / size)
    fine = functional.smooth_l1_loss(torch.cat([shift * 2, stretch], 1), torch.zeros(len(size), 4), beta=0.1, reduction="none")
    box = ((1 - generalised + 0.4 * fine.sum(1)) * weight).sum() / total

    truth = functional.one_hot(target[:, 0].long(), rows.shape[2] - 5).float() * iou.detach().clamp(0, 1)[:, None]
    category = functional.binary_cross_entropy_with_logits(rows[..., 5:][mask], truth, reduction="none")
    category = (category.sum(1) * weight).sum() / total
    return objectness, category, box, iou.mean()


def fast_arithmetic():
    """Tell whether the processor has bfloat16 instructions."""
    try:
        with open("/proc/cpuinfo", encoding="ascii") as info:
            return "avx512_bf16" in info.read()
    except OSError:
        return False


def train(stage, weights, checkpoint):
    """Run one stage, from given weights if any, save the averaged weights and return them."""
    torch.set_num_threads(1)
    torch.manual_seed(stage.seed)
    rng = np.random.default_rng(stage.seed)
    queue = multiprocessing.Queue(96)
    renderer = multiprocessing.Process(target=render, args=(queue, stage), daemon=True)
    renderer.start()

    detector = Detector()
    if weights:
        detector.load_state_dict(weights)
    detector = detector.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(detector.parameters(), stage.rate, weight_decay=DECAY)
    average = {name: value.clone() for name, value in detector.state_dict().items()}
    grid, bfloat = cells(stage.width, stage.height), fast_arithmetic()
    print("parameters", sum(p.numel() for p in detector.parameters()), "bfloat16", bfloat, flush=True)

    pool = [queue.get() for _ in range(10 * BATCH)]
    arrived, start = len(pool), time.process_time()
    for step in range(1, stage.iterations + 1):
        progress = step / stage.iterations
        rate = stage.rate * min(1, step / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        for _ in range(FRESH):
            if len(pool) < POOL:
                pool.append(queue.get())
            else:
                pool[arrived % POOL] = queue.get()
            arrived += 1
        pictures, objects = batch_of(rng, pool)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat):
            rows = detector(pictures.to(memory_format=torch.channels_last))
        objectness, category, box, iou = losses(rows.float(), objects, grid)
        optimiser.zero_grad()
        (objectness + category + 3 * box).backward()
        nn.utils.clip_grad_norm_(detector.parameters(), 10.0)
        optimiser.step()
        keep = min(0.9985, step / (step + 20))
        with torch.no_grad():
            for name, value in detector.state_dict().items():
                if value.dtype.is_floating_point:
                    average[name].lerp_(value, 1 - keep)
                else:
                    average[name].copy_(value)
        if step % 100 == 0:
            print(f"{step} {time.process_time() - start:.0f}s objectness {objectness.item():.3f} "
                  f"class {category.item():.3f} box {box.item():.3f} iou {iou.item():.3f} scenes {arrived}", flush=True)
        if step % 1000 == 0:
            torch.save(average, checkpoint)
    torch.save(average, checkpoint)
    print(f"trained {stage.iterations} iterations in {time.process_time() - start:.0f} s of processor time", flush=True)
    renderer.terminate()
    return average


def main():
    parser = argparse.ArgumentParser(description="Train the demo detector.")
    parser.add_argument("--checkpoint", default=".cache/demo/detector.pt")
    options = parser.parse_args()
    os.makedirs(os.path.dirname(os.path.abspath(options.checkpoint)), exist_ok=True)
    weights = None
    for stage in STAGES:
        weights = train(stage, weights, options.checkpoint)


if __name__ == "__main__":
    main()
