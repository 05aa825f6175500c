import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PreRoll } from '../../src/recording/pre-roll.js';

const frame = (mediaTimeMs: number, keyframe: boolean, bytes = 100) => ({ data: Buffer.alloc(bytes), mediaTimeMs, keyframe });

/** Ten frames a second, a keyframe every second. */
function fill(preRoll: PreRoll, fromMs: number, toMs: number, keptMs: number, bytes = 100): void {
  for (let ms = fromMs; ms < toMs; ms += 100) preRoll.push('video', frame(ms, ms % 1000 === 0, bytes), keptMs);
}

describe('the seconds before an event', () => {
  it('begin with the last keyframe at or before them', () => {
    const preRoll = new PreRoll();
    fill(preRoll, 0, 10_000, 2_500);
    const { frames } = preRoll.take();
    assert.equal(frames[0]!.frame.mediaTimeMs, 7_000);
    assert.equal(frames[0]!.frame.keyframe, true);
    assert.equal(frames.at(-1)!.frame.mediaTimeMs, 9_900);
  });

  it('take the bytes of these seconds and a group, however long they wait', () => {
    const preRoll = new PreRoll();
    fill(preRoll, 0, 600_000, 5_000, 1_000);
    assert.ok(preRoll.bytes <= 7_000 * 10, `${preRoll.bytes}`);
    preRoll.take();
    assert.equal(preRoll.bytes, 0);
  });

  it('are fewer where they would take more than 64 MiB', () => {
    const preRoll = new PreRoll();
    fill(preRoll, 0, 60_000, 60_000, 400_000);
    assert.ok(preRoll.bytes <= 64 * 1024 * 1024);
    const { frames } = preRoll.take();
    assert.equal(frames[0]!.frame.keyframe, true);
    assert.equal(frames.at(-1)!.frame.mediaTimeMs, 59_900);
  });

  it('are fewer where they would be very many small frames', () => {
    const preRoll = new PreRoll();
    for (let ms = 0; ms < 60_000; ms += 5) preRoll.push('video', frame(ms, ms % 1000 === 0, 1), 60_000);
    const { frames } = preRoll.take();
    assert.ok(frames.length <= 6_600, `${frames.length}`);
    assert.equal(frames[0]!.frame.keyframe, true);
    assert.equal(frames.at(-1)!.frame.mediaTimeMs, 59_995);
  });

  it('hold no group that is larger than that by itself', () => {
    const preRoll = new PreRoll();
    preRoll.push('video', frame(0, true), 5_000);
    for (let ms = 40; ms < 20_000; ms += 40) preRoll.push('video', frame(ms, false, 1_000_000), 5_000);
    assert.equal(preRoll.bytes, 0);
    assert.deepEqual(preRoll.take().frames, []);
  });

  it('have sound and what was seen from their first frame on', () => {
    const preRoll = new PreRoll();
    const seen = (mediaTimeMs: number) => ({ mediaTimeMs }) as Parameters<PreRoll['see']>[0];
    preRoll.push('audio', frame(0, true), 1_000);
    for (let ms = 0; ms < 5_000; ms += 100) {
      preRoll.push('video', frame(ms, ms % 1000 === 0), 1_000);
      preRoll.push('audio', frame(ms, true), 1_000);
      preRoll.see(seen(ms));
    }
    const { frames, detections } = preRoll.take();
    const firstMs = frames[0]!.frame.mediaTimeMs;
    assert.equal(frames[0]!.kind, 'video');
    assert.ok(frames.some(({ kind }) => kind === 'audio'));
    assert.equal(detections[0]!.mediaTimeMs, firstMs);
  });
});
