import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stepFor } from '../../../src/page/timeline/history.js';
import { lengthOf } from '../../../src/page/timeline/scale.js';
import { Looking } from '../../../src/page/timeline/looking.js';
import { ServerClock } from '../../../src/page/api/server-clock.js';

const DAY = { fromS: 0, toS: 86_400 };

describe('what is looked at on a timeline', () => {
  it('follows what plays until the person looks elsewhere, and again after a seek', () => {
    const looking = new Looking(80_000, () => DAY);
    const { span } = looking;
    assert.ok(span.value.fromS < 80_000 && span.value.toS > 80_000);
    looking.follow(86_000);
    assert.ok(span.value.toS > 86_000);
    looking.pan(-5, 86_000);
    const before = span.value;
    assert.equal(looking.follows.value, false);
    looking.follow(86_010);
    assert.equal(span.value, before);
    looking.goTo(before.fromS + 1800);
    assert.equal(looking.follows.value, true);
  });

  it('goes on following where zooming leaves in sight what plays', () => {
    const looking = new Looking(80_000, () => DAY);
    looking.zoom(4, 80_000, 80_000);
    assert.equal(lengthOf(looking.span.value), 900);
    assert.equal(looking.follows.value, true);
    looking.zoom(4, looking.span.value.fromS, 80_000);
    assert.equal(looking.follows.value, false);
  });

  it('marks a clip that begins before it ends', () => {
    const looking = new Looking(1000, () => DAY);
    looking.mark('in', 500);
    looking.mark('out', 600);
    assert.deepEqual(looking.marked.value, { inS: 500, outS: 600 });
    looking.mark('in', 700);
    assert.deepEqual(looking.marked.value, { inS: 700, outS: undefined });
    looking.mark('out', 650);
    assert.deepEqual(looking.marked.value, { inS: undefined, outS: 650 });
    looking.unmark();
    assert.deepEqual(looking.marked.value, { inS: undefined, outS: undefined });
  });

  it('is asked for in steps that can be told apart, at most 2000', () => {
    for (const length of [1, 60, 3600, 86_400, 604_800])
      for (const width of [1, 320, 1280, 7680]) {
        const step = stepFor({ fromS: 0, toS: length }, width);
        assert.ok(Number.isInteger(step) && (length * 2) / step < 2000, `${length} s on ${width} px: ${step}`);
      }
    assert.equal(stepFor({ fromS: 0, toS: 3600 }, 1200), 10);
  });
});

describe('the clock of the server', () => {
  const T = Date.parse('2026-12-01T12:00:00Z');

  it('is taken to be that of the browser while both fit', () => {
    const clock = new ServerClock();
    clock.learn('Tue, 01 Dec 2026 12:00:00 GMT', T + 400, T + 450);
    assert.equal(clock.aheadMs, 0);
    clock.learn('not a date', T, T);
    clock.learn(null, T, T);
    assert.equal(clock.aheadMs, 0);
  });

  it('is known within a fraction of a second where they differ by hours', () => {
    const clock = new ServerClock();
    const aheadMs = -3 * 3_600_000 - 250;
    for (let i = 0; i < 12; i++) {
      const nowMs = T + i * 1370;
      clock.learn(new Date(Math.floor((nowMs + aheadMs + 10) / 1000) * 1000).toUTCString(), nowMs, nowMs + 20);
    }
    assert.ok(Math.abs(clock.aheadMs - aheadMs) < 150, `${clock.aheadMs}`);
  });

  it('is learnt anew where one of them was set', () => {
    const clock = new ServerClock();
    clock.learn('Tue, 01 Dec 2026 12:00:00 GMT', T, T);
    clock.learn('Tue, 01 Dec 2026 14:00:00 GMT', T, T);
    assert.ok(Math.abs(clock.aheadMs - 7_200_500) <= 500);
  });
});
