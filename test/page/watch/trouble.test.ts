import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameAge, age, troubleOf, type Observed } from '../../../src/page/watch/trouble.js';

describe('the one voice in trouble', () => {
  const heard = { silenceMs: 100 };
  const live = { state: 'live', fps: 25 } as const;

  it('is silent where pictures and detections come', () => {
    assert.equal(troubleOf({ video: live, frameAgeMs: 40, overlay: heard, detectorLoaded: true }), '');
    assert.equal(troubleOf({ video: live, frameAgeMs: 40, detectorLoaded: true }), '');
    assert.equal(troubleOf({ overlay: heard, detectorLoaded: true }), '');
  });

  it("tells the worst alone: that the camera is away, with the server's reason and the age of the frame", () => {
    const everything: Observed = {
      video: { ...live, state: 'waiting', reason: 'Connection refused' },
      frameAgeMs: 12_000,
      overlay: { trouble: 'detection is off', silenceMs: 9e9 },
      detectorLoaded: true,
    };
    assert.equal(troubleOf(everything), 'Waiting for the camera: Connection refused. The picture is 12 s old.');
    assert.equal(troubleOf({ ...everything, frameAgeMs: 500 }), 'Waiting for the camera: Connection refused.');
    assert.equal(troubleOf({ ...everything, video: live }), 'No new picture comes. The picture is 12 s old.');
    assert.equal(troubleOf({ ...everything, video: live, frameAgeMs: 500 }), 'detection is off');
    assert.equal(
      troubleOf({ video: live, frameAgeMs: 500, overlay: { silenceMs: 5_000 }, detectorLoaded: true }),
      'The server sends no detections.',
    );
    assert.match(troubleOf({ video: live, frameAgeMs: 500, detectorLoaded: false }), /without a detector/);
  });

  it('says that the network is slow, and what it carries, but not of a quality that was asked for', () => {
    const of = (quality: string, reason: string, frameAgeMs = 40): string =>
      troubleOf({ video: live, frameAgeMs, overlay: heard, quality: { quality, reason, estimateKbps: 900 }, detectorLoaded: true });
    assert.equal(of('360p', 'congestion'), 'Slow network: 360p.');
    assert.equal(of('540p', 'room'), 'Slow network: 540p.');
    assert.equal(of('keyframes', 'congestion', 4_000), 'Slow network: a picture now and then.');
    assert.equal(of('sound', 'congestion', 60_000), 'Slow network: sound only.');
    assert.match(of('360p', 'congestion', 12_000), /12 s old/);
    assert.equal(of('360p', 'wish') + of('source', 'room'), '');
  });

  it('does not take a slow source for one that stands still', () => {
    const slow = { state: 'live', fps: 0.2 } as const;
    assert.equal(troubleOf({ video: slow, frameAgeMs: 14_000, detectorLoaded: true }), '');
    assert.match(troubleOf({ video: slow, frameAgeMs: 16_000, detectorLoaded: true }), /16 s old/);
  });

  it('knows when the newest frame came, and asks nothing of a page that looked away', () => {
    const watch = new FrameAge();
    watch.look(0, 0);
    assert.equal(watch.at, undefined);
    for (const [count, now, at] of [
      [1, 500, 500],
      [1, 1000, 500],
      [2, 1500, 1500],
      [2, 2000, 1500],
      [2, 60_000, 60_000],
    ] as const) {
      watch.look(count, now);
      assert.equal(watch.at, at, `at ${now} ms`);
    }
  });

  it('tells ages in seconds, and long ones in minutes', () => {
    assert.deepEqual([400, 12_400, 99_000, 180_000].map(age), ['0 s', '12 s', '99 s', '3 min']);
  });
});
