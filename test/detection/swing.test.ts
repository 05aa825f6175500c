import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Swing } from '../../src/detection/swing.js';
import { seededRandom } from '../helpers/random.js';

/** Mean error 100 ms ahead of what is expected, and without the swing: the last length. */
function errors(lengthAt: (timeMs: number) => number, intervalMs = 100): { own: number; last: number; said: number } {
  const swing = new Swing();
  let own = 0;
  let last = 0;
  let said = 0;
  let previous = lengthAt(0);
  const count = 60;
  for (let i = 0; i < count; i++) {
    const timeMs = i * intervalMs;
    swing.update(lengthAt(timeMs), previous, timeMs);
    previous = lengthAt(timeMs);
    const ahead = swing.at(timeMs + 100);
    if (ahead === undefined) continue;
    said++;
    own += Math.abs(ahead - lengthAt(timeMs + 100));
    last += Math.abs(previous - lengthAt(timeMs + 100));
  }
  return { own, last, said: said / count };
}

describe('Swing', () => {
  it('foretells the width of a walker', () => {
    for (const periodMs of [480, 530, 620, 760, 900]) {
      const { own, last, said } = errors((timeMs) => 50 + 15 * Math.sin((2 * Math.PI * timeMs) / periodMs));
      assert.ok(said > 0.7 && own < 0.4 * last, `period ${periodMs}: said ${said}, error ${own} of ${last}`);
    }
  });

  it('does so whatever the rate of the detections', () => {
    for (const intervalMs of [66, 100, 125, 200]) {
      const { own, last, said } = errors((timeMs) => 50 + 15 * Math.sin((2 * Math.PI * timeMs) / 750), intervalMs);
      assert.ok(said > 0.3 && own < 0.7 * last, `interval ${intervalMs}: said ${said}, error ${own} of ${last}`);
    }
  });

  it('says nothing of lengths that do not swing', () => {
    const random = seededRandom(1);
    for (const lengthAt of [() => 50, () => 50 + 4 * (random() - 0.5), () => 20 + 60 * random()]) assert.ok(errors(lengthAt).said < 0.15);
  });

  it('falls silent when the walker stands', () => {
    const swing = new Swing();
    const lengthAt = (timeMs: number): number => (timeMs < 3000 ? 50 + 15 * Math.sin(timeMs / 90) : 40);
    for (let timeMs = 0; timeMs < 5000; timeMs += 100) swing.update(lengthAt(timeMs), lengthAt(timeMs - 100), timeMs);
    assert.equal(swing.at(5000), undefined);
  });
});
