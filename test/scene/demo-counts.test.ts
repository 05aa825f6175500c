/** The demo clip's labels as they are, and through the tracker at detection rate: who crosses the middle of the picture. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { ObjectTracker } from '../../src/detection/index.js';
import { SceneCounter } from '../../src/scene/index.js';
import { resolveZones } from '../../src/scene/resolve.js';
import type { TrackedObject } from '../../src/media/index.js';
import { projectRoot } from '../helpers/assets.js';
import { seededRandom } from '../helpers/random.js';

interface Labels {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly labels: readonly string[];
  /** Of each picture: identity, class, left, top, width, height. */
  readonly objects: readonly (readonly [number, number, number, number, number, number][])[];
}

const demo = JSON.parse(readFileSync(path.join(projectRoot, 'test/fixtures/demo.labels.json'), 'utf8')) as Labels;

/** Simply: an identity that is left of the middle in one picture and right of it in the next, and not gone in between. */
function truth(): string[] {
  const crossings: string[] = [];
  for (let frame = 1; frame < demo.objects.length; frame++) {
    for (const [identity, classId, x, , width] of demo.objects[frame]!) {
      const before = demo.objects[frame - 1]!.find(([other]) => other === identity);
      if (!before) continue;
      const wasRight = before[2] + before[4] / 2 >= demo.width / 2;
      const isRight = x + width / 2 >= demo.width / 2;
      // Who enters again on the other side of the picture has not walked through its middle.
      const isStep = Math.abs(x + width / 2 - before[2] - before[4] / 2) < 100;
      if (wasRight !== isRight && isStep) crossings.push(`${isRight ? 'in' : 'out'} ${demo.labels[classId] ?? ''}`);
    }
  }
  return crossings;
}

function counted(everyFrames: number, objectsOf: (frame: number, mediaTimeMs: number) => readonly TrackedObject[]): string[] {
  const size = { widthPx: demo.width, heightPx: demo.height };
  const layout = resolveZones({ units: 'fraction', lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0] }] }, size);
  const counter = new SceneCounter({ layout, wallClock: () => 0 });
  const crossings: string[] = [];
  for (let frame = 0; frame < demo.objects.length; frame += everyFrames) {
    const mediaTimeMs = (frame * 1000) / demo.fps;
    for (const { direction = '', label } of counter.observe(objectsOf(frame, mediaTimeMs), mediaTimeMs).events)
      crossings.push(`${direction} ${label}`);
  }
  return crossings;
}

const sorted = (crossings: readonly string[]): string[] => [...crossings].sort();

it('who crosses in the demo clip is counted as its labels say', () => {
  const objectsOf = (frame: number): TrackedObject[] =>
    demo.objects[frame]!.map(([objectId, classId, ...box]) => ({
      objectId,
      classId,
      label: demo.labels[classId]!,
      score: 0.9,
      box,
      velocity: [0, 0],
      isObserved: true,
    }));
  assert.equal(truth().length, 17);
  assert.deepEqual(sorted(counted(1, objectsOf)), sorted(truth()));
});

for (const everyFrames of [2, 3]) {
  it(`who crosses in the demo clip is counted through the tracker with trembling boxes, every ${everyFrames} pictures`, () => {
    const random = seededRandom(everyFrames);
    const tremble = (value: number, size: number): number => value + (random() - 0.5) * 0.06 * size;
    const tracker = new ObjectTracker({ widthPx: demo.width, heightPx: demo.height });
    const objectsOf = (frame: number, mediaTimeMs: number): TrackedObject[] =>
      tracker.update(
        demo.objects[frame]!.map(([, classId, x, y, width, height]) => ({
          classId,
          label: demo.labels[classId]!,
          score: 0.9,
          box: [tremble(x, width), tremble(y, height), width, height] as const,
        })),
        mediaTimeMs,
      );
    assert.deepEqual(sorted(counted(everyFrames, objectsOf)), sorted(truth()));
  });
}
