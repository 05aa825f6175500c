import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Timeline } from '../../../src/media/index.js';
import { LiveClock } from '../../../src/source/live/clock.js';
import { seededRandom } from '../../helpers/random.js';
import { FakeClock } from '../../helpers/fake-clock.js';

function setUp() {
  const clock = new FakeClock();
  const timeline = new Timeline();
  return { clock, timeline, live: new LiveClock(timeline, clock) };
}

describe('LiveClock', () => {
  it('begins at 0 wherever the publisher begins, and moves pictures and sound by the same amount', async () => {
    const { clock, live, timeline } = setUp();
    const publication = {};
    assert.equal(live.video(publication, 9e9), 0);
    await clock.advance(20);
    assert.equal(live.audio(publication, 9e9 + 13), 13);
    assert.equal(live.video(publication, 9e9 + 33), 33);
    assert.equal(timeline.mediaTimeAt(clock.wallClock()), 20);
  });

  it('goes on at the present with another publication, whose clock says anything', async () => {
    const { clock, live } = setUp();
    live.video({}, 5000);
    await clock.advance(700);
    const next = {};
    assert.equal(live.audio(next, 3), 700);
    assert.equal(live.video(next, 13), 710);
  });

  it('moves sound as well when the first picture after a stand-in is older than that', async () => {
    const { clock, live } = setUp();
    const publication = {};
    live.video(publication, 1000);
    await clock.advance(3000);
    const standInMs = live.standIn();
    assert.equal(standInMs, 3000);
    // Captured before the stand-in was made.
    const shownMs = live.videoAfterStandIn(publication, 3900);
    assert.equal(shownMs, 3002);
    assert.equal(live.audio(publication, 3910), 3012);
  });

  it('leaves sound where it is when the clock of the pictures stood still while a stand-in was shown', async () => {
    const { clock, live } = setUp();
    const publication = {};
    live.video(publication, 1000);
    for (let i = 0; i < 230; i++) {
      await clock.advance(20);
      live.audio(publication, 1020 + i * 20);
    }
    const standInMs = live.standIn();
    assert.equal(live.videoAfterStandIn(publication, 1040), standInMs + 2);
    assert.equal(live.audio(publication, 5620), 4620);
  });

  it('bears a clock that jumps, either way', async () => {
    const { clock, live } = setUp();
    const publication = {};
    live.video(publication, 0);
    for (const jumpMs of [1e6, -5e6, 20_000, -20_000]) {
      await clock.advance(33);
      const before = live.presentMs;
      const timeMs = live.video(publication, jumpMs);
      assert.ok(timeMs >= before && timeMs - before < 50, `${timeMs} after ${before}`);
    }
  });

  it('never steps back, whatever comes', async () => {
    const random = seededRandom(5);
    const { clock, live, timeline } = setUp();
    let publication = {};
    let [video, audio] = [-Infinity, -Infinity];
    for (let i = 0; i < 3000; i++) {
      if (random() < 0.02) publication = {};
      const timeMs = random() < 0.05 ? random() * 1e9 : i * 20 + random() * 60;
      const kind = Math.floor(random() * 4);
      const next = kind === 0 ? live.standIn() : kind === 1 ? live.videoAfterStandIn(publication, timeMs) : live.video(publication, timeMs);
      assert.ok(next > video, `${next} after ${video}`);
      video = next;
      const sound = live.audio(publication, timeMs);
      assert.ok(sound === undefined || sound > audio);
      audio = sound ?? audio;
      await clock.advance(random() * 40);
    }
    // Jitter of 60 ms and jumps add up to little over a minute.
    assert.ok(Math.abs(timeline.newestMs - clock.now()) < 10_000, `${timeline.newestMs} ms of media in ${clock.now()} ms`);
  });
});
