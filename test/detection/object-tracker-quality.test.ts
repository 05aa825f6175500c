import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ObjectTracker } from '../../src/detection/index.js';
import { demoSequence } from '../helpers/demo-labels.js';
import { HEIGHT, labelSequence, SCENARIOS, WIDTH, type LabelSequence } from '../helpers/label-sequences.js';
import { PlainTracker } from '../helpers/plain-tracker.js';
import { labelsOf, simulateDetections, track, type AnyTracker, type DetectorFaults } from '../helpers/simulated-detector.js';
import { scoreTracking, type TrackingScore } from '../helpers/tracking-metrics.js';

/** The tracker's options were chosen on the seeds from 1 to 30. */
const SEEDS = [101, 102, 103, 104];

const ours = (): AnyTracker => new ObjectTracker({ widthPx: WIDTH, heightPx: HEIGHT });
const plain = (): AnyTracker => new PlainTracker();

function scoreOf(sequence: LabelSequence, seed: number, tracker: AnyTracker, faults?: DetectorFaults): TrackingScore {
  return scoreTracking(track(labelsOf(sequence), simulateDetections(sequence, seed, faults), tracker));
}

const mean = (scores: readonly TrackingScore[], value: (score: TrackingScore) => number): number =>
  scores.reduce((sum, score) => sum + value(score), 0) / scores.length;

describe('ObjectTracker on label sequences, ten late detections a second', () => {
  const scores = SCENARIOS.map((name) => SEEDS.map((seed) => scoreOf(labelSequence(name, seed), seed, ours())));

  it('keeps ids: mean IDF1 of at least 0.955, and 0.925 in every scenario', () => {
    scores.forEach((ofScenario, i) =>
      assert.ok(mean(ofScenario, ({ idf1 }) => idf1) >= 0.925, `${SCENARIOS[i]}: ${mean(ofScenario, ({ idf1 }) => idf1)}`),
    );
    assert.ok(mean(scores.flat(), ({ idf1 }) => idf1) >= 0.955, `IDF1 ${mean(scores.flat(), ({ idf1 }) => idf1)}`);
  });

  it('lays boxes on the objects between detections: mean IoU of at least 0.87, and 0.83 in every scenario', () => {
    scores.forEach((ofScenario, i) =>
      assert.ok(
        mean(ofScenario, ({ iouBetween }) => iouBetween) >= 0.83,
        `${SCENARIOS[i]}: ${mean(ofScenario, ({ iouBetween }) => iouBetween)}`,
      ),
    );
    assert.ok(mean(scores.flat(), ({ iouBetween }) => iouBetween) >= 0.87, `IoU ${mean(scores.flat(), ({ iouBetween }) => iouBetween)}`);
  });

  it('keeps ids when one class of five is wrong', () => {
    const wavering = SEEDS.map((seed) => scoreOf(labelSequence('traffic', seed), seed, ours(), { wrongClassRate: 0.2 }));
    assert.ok(mean(wavering, ({ idf1 }) => idf1) >= 0.93, `IDF1 ${mean(wavering, ({ idf1 }) => idf1)}`);
  });

  const demo = demoSequence();
  it(
    'follows the objects of the demo clip better than boxes that stand still',
    { skip: !demo && 'needs test/fixtures/demo.labels.json' },
    () => {
      const [own, standing] = [scoreOf(demo!, 1, ours()), scoreOf(demo!, 1, plain())];
      assert.ok(own.idf1 >= 0.9 && own.idf1 > standing.idf1 + 0.1, `IDF1 ${own.idf1}, standing ${standing.idf1}`);
      assert.ok(own.iouBetween > standing.iouBetween + 0.1, `IoU ${own.iouBetween}, standing ${standing.iouBetween}`);
    },
  );
});
