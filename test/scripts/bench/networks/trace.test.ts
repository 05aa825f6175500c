import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as read from '../../../../scripts/bench/networks/trace.js';
import type { Picture, ServerSample, Trace } from '../../../../scripts/bench/networks/trace.js';

/** 30 pictures a second from 0 to 10 s, none of them between 4 and 5 s, 360 lines from 6 to 8 s. */
const pictures = Array.from({ length: 300 }, (_, i): Picture => [(i * 1000) / 30, i >= 180 && i < 240 ? 360 : 720, i + 1]).filter(
  ([atMs]) => atMs < 4000 || atMs >= 5000,
);
const said = (atMs: number, quality: string, switches: number, estimateKbps: number): ServerSample => ({
  ...{ atMs, quality, switches, estimateKbps, queueMs: 0, reason: 'room' },
});
const trace: Trace = {
  joinedMs: 0,
  pictures,
  server: [said(0, 'source', 0, 1000), said(5900, '360p', 1, 700), said(8000, 'source', 2, 3000)],
  queue: Array.from({ length: 100 }, (_, i) => ({ atMs: i * 100, queueMs: i, bytes: 1200 })),
  dropped: 0,
};
const whole = { fromMs: 0, toMs: 10_000 };

describe('the trace of a viewer', () => {
  it('tells how long the picture stood still, also at the ends of a span', () => {
    assert.ok(Math.abs(read.longestGapMs(trace, whole) - 1033) < 1);
    assert.ok(Math.abs(read.frozenPercent(trace, whole) - 10.33) < 0.1);
    assert.equal(read.longestGapMs(trace, { fromMs: 4500, toMs: 4800 }), 300);
    assert.equal(read.frozenPercent(trace, { fromMs: 6000, toMs: 9000 }), 0);
  });

  it('counts pictures that were shown without a callback', () => {
    const [first, ...rest] = pictures.slice(0, 30);
    assert.equal(read.fps({ ...trace, pictures: [first as Picture, ...rest.slice(10)] }, { fromMs: 0, toMs: 1000 }), 30);
    assert.equal(read.fps(trace, { fromMs: 4100, toMs: 4900 }), 0);
  });

  it('tells rungs by what the server says, or by the height of pictures', () => {
    const span = { fromMs: 5500, toMs: 10_000 };
    assert.equal(read.lowerRungMs(trace, span), 5900);
    assert.equal(read.lowerRungMs({ ...trace, server: [] }, span), 6000);
    assert.equal(read.switches(trace, span), 1);
    assert.equal(read.switches({ ...trace, server: [] }, span), 2);
    assert.equal(read.stablyFromMs(trace, span, 720), 8000);
    assert.equal(read.stablyFromMs(trace, { fromMs: 6000, toMs: 7000 }, 720), Infinity);
    assert.ok(Math.abs(read.sharePercent(trace, { fromMs: 6000, toMs: 10_000 }, 720) - 50) < 1);
    assert.equal(read.bestEstimateKbps(trace, { fromMs: 5000, toMs: 7000 }), 700);
  });

  it('tells what waited at the link', () => {
    assert.equal(read.queueP95Ms(trace, whole), 94);
    assert.equal(read.queueP95Ms(trace, { fromMs: 20_000, toMs: 30_000 }), 0);
  });
});
