import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnsOf, nowText, PLOTS, sampleOf, withSample, type Sample } from '../../../src/page/watch/samples.js';

const latency = { totalMs: 60, serverMs: 10, networkMs: 20, playoutMs: 30 };
const at = (atS: number): Sample =>
  sampleOf(atS, { bitrateBps: 2_250_000, fps: 30, jitterBufferMs: 12.4 }, latency, { inferenceMs: 13.94, perSecond: 25 });
const [bitrate, , stages, queue, detector] = PLOTS;

describe('the last minute of a viewing', () => {
  it('is what it keeps', () => {
    let samples: readonly Sample[] = [];
    for (let second = 0; second < 200; second++) samples = withSample(samples, at(second));
    assert.equal(samples.length, 60);
    assert.deepEqual([samples[0]?.atS, samples.at(-1)?.atS], [140, 199]);
  });

  it('says what holds now, the stages of latency together, and nothing of what nobody tells', () => {
    const samples = [at(1)];
    assert.deepEqual(
      [bitrate, stages, queue, detector].map((plot) => nowText(plot, samples)),
      ['2.3 Mbit/s', '60 ms', '12 ms', '13.9 ms'],
    );
    assert.equal(nowText(detector, [sampleOf(1, {}, undefined, undefined)]), undefined);
    assert.equal(nowText(bitrate, []), undefined);
  });

  it('is drawn with each stage upon those before it, and with gaps where nothing was known', () => {
    assert.deepEqual(columnsOf(stages, [at(1), sampleOf(2, {}, undefined, undefined)]), [
      [1, 2],
      [10, null],
      [30, null],
      [60, null],
    ]);
  });
});
