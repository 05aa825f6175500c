import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { Detector } from '../../src/detection/index.js';
import { iou } from '../../src/detection/boxes.js';
import type { Detection } from '../../src/media/index.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { projectRoot } from '../helpers/assets.js';
import { pictureAt } from '../helpers/pictures.js';

/** What `upload/demo.mp4` shows, by frame: object, class, left, top, width, height in pixels. */
interface ClipLabels {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly frames: number;
  readonly labels: readonly string[];
  readonly objects: readonly (readonly [objectId: number, classId: number, x: number, y: number, width: number, height: number])[][];
}

const modelPath = path.join(projectRoot, 'models/sightline-demo.json');
const clip = path.join(projectRoot, 'upload/demo.mp4');
const labelsPath = path.join(projectRoot, 'test/fixtures/demo.labels.json');
const absent = [modelPath, clip, labelsPath].find((file) => !existsSync(file));
const SAMPLES = 30;

describe('the bundled model', () => {
  const ledger = new ResourceLedger();
  after(() => assert.deepEqual([ledger.snapshot().workers, ledger.snapshot().timers], [0, 0]));

  it('finds the labelled objects of the demo clip and little else', { skip: absent && `needs ${absent}` }, async () => {
    const truth = JSON.parse(readFileSync(labelsPath, 'utf8')) as ClipLabels;
    const detector = await Detector.open({ modelPath, clock: systemClock(ledger), logger: silentLogger, ledger });
    assert.deepEqual(detector.model.labels, truth.labels);
    let found = 0;
    let expected = 0;
    let detected = 0;
    for (let i = 0; i < SAMPLES; i++) {
      const frame = Math.floor(((i + 0.5) * truth.frames) / SAMPLES);
      // Half a frame early: ffmpeg takes the first picture from there on, whatever its stamps were rounded to.
      const picture = await pictureAt(clip, Math.max(0, frame - 0.5) / truth.fps, truth.width, truth.height);
      const detections = (await detector.detect(picture)).detections.filter(({ score }) => score >= detector.model.scoreThreshold);
      const objects = truth.objects[frame]!;
      found += matches(
        objects.map(([, classId, ...box]) => ({ classId, box })),
        detections,
      );
      expected += objects.length;
      detected += detections.length;
    }
    await detector.close();
    assert.ok(found / expected >= 0.9, `recall ${found}/${expected}`);
    assert.ok(found / detected >= 0.9, `precision ${found}/${detected}`);
  });
});

/** How many objects have a detection of their own, of their class, at IoU 0.5; sure detections choose first. */
function matches(objects: readonly Pick<Detection, 'classId' | 'box'>[], detections: readonly Detection[]): number {
  const free = new Set(objects);
  for (const detection of detections) {
    const best = [...free]
      .filter(({ classId, box }) => classId === detection.classId && iou(box, detection.box) >= 0.5)
      .sort((a, b) => iou(b.box, detection.box) - iou(a.box, detection.box))[0];
    if (best) free.delete(best);
  }
  return objects.length - free.size;
}
