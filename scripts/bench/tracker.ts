/**
 * How well objects are followed: identities (IDF1) and boxes between detections against labels, on sequences with a
 * simulated detector and on the demo clip, with a simulated detector and with the bundled one. Each figure beside that
 * of boxes that stand still; and the tracker's processor time.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { Detector, ObjectTracker } from '../../src/detection/index.js';
import { silentLogger } from '../../src/base/logger.js';
import type { Detection } from '../../src/media/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { projectRoot } from '../../test/helpers/assets.js';
import { demoClip, demoSequence } from '../../test/helpers/demo-labels.js';
import { FPS, HEIGHT, labelSequence, SCENARIOS, WIDTH, type LabelSequence } from '../../test/helpers/label-sequences.js';
import { PlainTracker } from '../../test/helpers/plain-tracker.js';
import { seededRandom } from '../../test/helpers/random.js';
import {
  DETECT_EVERY,
  labelsOf,
  simulateDetections,
  track,
  type AnyTracker,
  type TimedDetections,
} from '../../test/helpers/simulated-detector.js';
import { scoreTracking, type TrackingScore } from '../../test/helpers/tracking-metrics.js';
import type { Row } from './bench.js';
import { clipPictures } from './clip-pictures.js';

/** The tracker's options were chosen on other seeds. */
const SEEDS = [101, 102, 103, 104, 105, 106];
const RUNS = 7;

interface Trial {
  readonly sequence: LabelSequence;
  /** Of the detector. Default 0.4. */
  readonly scoreThreshold?: number;
  readonly results: readonly TimedDetections[];
}

const ours = (scoreThreshold = 0.4): AnyTracker => new ObjectTracker({ widthPx: WIDTH, heightPx: HEIGHT, scoreThreshold });
const plain = (scoreThreshold = 0.4): AnyTracker => new PlainTracker(scoreThreshold);

export async function run(): Promise<Row[]> {
  const scenarios = SCENARIOS.map((name) => ({ name, trials: SEEDS.map((seed) => trial(labelSequence(name, seed), seed)) }));
  const rows = [
    ...scored(
      'sequences',
      scenarios.flatMap(({ trials }) => trials),
      { idf1: 0.95, iou: 0.85 },
    ),
  ];
  for (const { name, trials } of scenarios) rows.push(...scored(name, trials));
  const demo = demoSequence();
  if (demo)
    rows.push(
      ...scored(
        'demo labels',
        SEEDS.map((seed) => trial(demo, seed)),
      ),
    );
  const modelPath = path.join(projectRoot, 'models/sightline-demo.json');
  if (demo && existsSync(demoClip) && existsSync(modelPath))
    rows.push(...scored('demo clip, bundled net', [await detectClip(modelPath, demo)]));
  return [...rows, cpuRow()];
}

function trial(sequence: LabelSequence, seed: number): Trial {
  return { sequence, results: simulateDetections(sequence, seed) };
}

function scored(name: string, trials: readonly Trial[], least: { idf1?: number; iou?: number } = {}): Row[] {
  const scoresOf = (make: (scoreThreshold?: number) => AnyTracker): TrackingScore[] =>
    trials.map(({ sequence, results, scoreThreshold }) => scoreTracking(track(labelsOf(sequence), results, make(scoreThreshold))));
  const mean = (scores: readonly TrackingScore[], value: (score: TrackingScore) => number): number =>
    scores.reduce((sum, score) => sum + value(score), 0) / scores.length;
  const own = scoresOf(ours);
  const standing = scoresOf(plain);
  return [
    { figure: `${name}: IDF1`, value: mean(own, ({ idf1 }) => idf1), unit: '', ...(least.idf1 && { least: least.idf1 }) },
    { figure: `${name}: IDF1, standing boxes`, value: mean(standing, ({ idf1 }) => idf1), unit: '' },
    {
      figure: `${name}: IoU between detections`,
      value: mean(own, ({ iouBetween }) => iouBetween),
      unit: '',
      ...(least.iou && { least: least.iou }),
    },
    { figure: `${name}: IoU, standing boxes`, value: mean(standing, ({ iouBetween }) => iouBetween), unit: '' },
    { figure: `${name}: id switches`, value: mean(own, ({ idSwitches }) => idSwitches), unit: 'a sequence' },
    { figure: `${name}: id switches, standing boxes`, value: mean(standing, ({ idSwitches }) => idSwitches), unit: 'a sequence' },
  ];
}

/** What the bundled net finds in every third picture of the demo clip; results come 50 to 100 ms after it. */
async function detectClip(modelPath: string, sequence: LabelSequence): Promise<Trial> {
  const ledger = new ResourceLedger();
  const detector = await Detector.open({ modelPath, clock: systemClock(ledger), logger: silentLogger, ledger });
  const random = seededRandom(1);
  const results: TimedDetections[] = [];
  let frame = 0;
  for await (const picture of clipPictures(demoClip, { widthPx: WIDTH, heightPx: HEIGHT, fps: FPS })) {
    if (frame % DETECT_EVERY === 0) {
      const { detections, mediaTimeMs } = await detector.detect(picture);
      results.push({ frame, mediaTimeMs, availableMs: mediaTimeMs + 50 + 50 * random(), detections });
    }
    frame++;
  }
  const { scoreThreshold } = detector.model;
  await detector.close();
  return { sequence, results, scoreThreshold };
}

/** Median over runs of the processor time per picture, twenty objects, ten results a second. */
function cpuRow(): Row {
  const pictures = 30 * FPS;
  const values: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const tracker = ours();
    const results = Array.from({ length: pictures }, (_, picture) => twentyObjects((picture * 1000) / FPS));
    const { user, system } = cpuOf(() => {
      results.forEach((detections, picture) => {
        const mediaTimeMs = (picture * 1000) / FPS;
        if (picture % DETECT_EVERY === 0) tracker.update(detections, mediaTimeMs);
        tracker.predict(mediaTimeMs);
      });
    });
    // The first run warms the compiler up.
    if (run > 0) values.push((user + system) / 1000 / pictures);
  }
  values.sort((a, b) => a - b);
  return { figure: 'tracker, 20 objects', value: values[values.length >> 1] ?? NaN, unit: 'CPU ms per picture', limit: 0.1 };
}

function cpuOf(work: () => void): NodeJS.CpuUsage {
  const before = process.cpuUsage();
  work();
  return process.cpuUsage(before);
}

function twentyObjects(mediaTimeMs: number): Detection[] {
  return Array.from({ length: 20 }, (_, i) => ({
    box: [(i % 5) * 240 + 30 + 60 * Math.sin(mediaTimeMs / 900 + i), Math.floor(i / 5) * 170 + 10, 120, 90],
    classId: i % 2,
    label: String(i % 2),
    score: 0.8,
  }));
}
