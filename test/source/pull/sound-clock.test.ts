import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ArrivalClock } from '../../../src/source/pull/arrival-clock.js';
import { SoundClock } from '../../../src/source/pull/sound-clock.js';
import { seededRandom } from '../../helpers/random.js';

const FAULT_MS = 8_000;
const END_MS = 25_000;

/** How much later than sound pictures of the same moment are placed, from 2.5 s after the fault on. @param laterMs pictures take so much longer on their way */
function apart(faulty: 'video' | 'audio', stampOf: (ms: number) => number, laterMs: number): number[] {
  const random = seededRandom(4);
  const [video, audio] = [new ArrivalClock(), new ArrivalClock()];
  const sound = new SoundClock(video, audio);
  const arrivals: { atMs: number; kind: 'video' | 'audio'; ms: number }[] = [];
  for (let ms = 0; ms < END_MS; ms += 20) {
    arrivals.push({ atMs: ms + 40 + 15 * random(), kind: 'audio', ms });
    if (ms % 40 === 0) arrivals.push({ atMs: ms + 50 + laterMs + 15 * random(), kind: 'video', ms });
  }
  const placed = { video: new Map<number, number>(), audio: new Map<number, number>() };
  for (const { atMs, kind, ms } of arrivals.sort((a, b) => a.atMs - b.atMs)) {
    const stampMs = kind === faulty && ms >= FAULT_MS ? stampOf(ms) : ms;
    if (kind === 'audio') placed.audio.set(ms, sound.at(stampMs, atMs));
    else {
      const at = video.at(stampMs, atMs);
      sound.pictureLag(atMs - at);
      placed.video.set(ms, at);
    }
  }
  return [...placed.video].flatMap(([ms, at]) => (ms >= FAULT_MS + 2_500 ? [at - (placed.audio.get(ms) ?? NaN)] : []));
}

const FAULTS: Readonly<Record<string, (ms: number) => number>> = {
  'stay as they are': (ms) => ms,
  'jump forward by 300 ms': (ms) => ms + 300,
  'jump forward by 4 s': (ms) => ms + 4_000,
  'jump forward by an hour': (ms) => ms + 3_600_000,
  'stand still for 300 ms': (ms) => Math.max(FAULT_MS, ms - 300),
  'stand still for 700 ms': (ms) => Math.max(FAULT_MS, ms - 700),
  'fall behind by 800 ms at once': (ms) => ms - 800,
  'run 0.3 % too fast': (ms) => FAULT_MS + (ms - FAULT_MS) * 1.003,
  'run 0.3 % too slow': (ms) => FAULT_MS + (ms - FAULT_MS) * 0.997,
};

describe('sound of a camera stays with its pictures', () => {
  for (const laterMs of [0, 350]) {
    for (const faulty of ['video', 'audio'] as const) {
      for (const [name, stampOf] of Object.entries(FAULTS)) {
        it(`when stamps of ${faulty} ${name}, and pictures take ${laterMs} ms longer`, () => {
          const all = apart(faulty, stampOf, laterMs);
          const worst = all.reduce((most, ms) => (Math.abs(ms) > Math.abs(most) ? ms : most), 0);
          assert.ok(all.length > 300 && Math.abs(worst) < 130, `${worst} ms apart`);
        });
      }
    }
  }
});
