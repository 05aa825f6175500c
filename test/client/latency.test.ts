/** How old a picture is, worked out of what a browser and the server say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyMeter } from '../../src/client/latency.js';

/** Unix time of `performance.now()` 0, by the browser's clock. */
const ORIGIN = 1_800_000_000_000;
/** The server's clock is ahead by so much. */
const AHEAD_MS = 5_000;
const NTP_EPOCH_MS = 2_208_988_800_000;

/** What a browser's statistics say after a Sender Report that took `wayMs`, which came at `atMs`. */
function statistics(atMs: number, wayMs: number, roundTripMs = 40): RTCStatsReport {
  return new Map<string, unknown>([
    ['P', { type: 'candidate-pair', nominated: true, currentRoundTripTime: roundTripMs / 1000 }],
    ['R', { type: 'remote-outbound-rtp', kind: 'video', timestamp: ORIGIN + atMs, remoteTimestamp: ORIGIN + atMs - wayMs + AHEAD_MS }],
  ]);
}

/** Of a frame that was captured at `atMs` of the browser's clock. */
const captureTimestamp = (atMs: number): number => ORIGIN + atMs + AHEAD_MS + NTP_EPOCH_MS;

test('the stages add up to the age of the frame when it is shown, whatever the clocks of server and browser say', () => {
  const meter = new LatencyMeter(ORIGIN);
  meter.learn(statistics(1000, 20));
  // Captured at 2000, sent at 2050, received at 2070, shown at 2110.
  const frame = { rtpTimestamp: 90_000, receiveTime: 2070, expectedDisplayTime: 2110 };
  const latency = meter.measure(frame, { rtpTimestamp: 90_000, captureTimestamp: captureTimestamp(2000) });
  assert.deepEqual(latency, { totalMs: 110, serverMs: 50, networkMs: 20, playoutMs: 40 });
});

test('the time of capture of another frame counts by RTP timestamps, over their wrap', () => {
  const meter = new LatencyMeter(ORIGIN);
  meter.learn(statistics(1000, 20));
  const source = { rtpTimestamp: 2 ** 32 - 900, captureTimestamp: captureTimestamp(2000) };
  const later = meter.measure({ rtpTimestamp: 1800, receiveTime: 2100, expectedDisplayTime: 2140 }, source);
  assert.equal(later?.totalMs, 110);
  const earlier = meter.measure({ rtpTimestamp: 2 ** 32 - 1800, receiveTime: 2060, expectedDisplayTime: 2100 }, source);
  assert.equal(earlier?.totalMs, 110);
});

test('a report that waited in a queue does not make the picture younger', () => {
  const meter = new LatencyMeter(ORIGIN);
  meter.learn(statistics(1000, 20));
  meter.learn(statistics(2000, 400));
  const frame = { rtpTimestamp: 0, receiveTime: 2570, expectedDisplayTime: 2600 };
  assert.equal(meter.measure(frame, { rtpTimestamp: 0, captureTimestamp: captureTimestamp(2500) })?.totalMs, 100);
});

test('where the browser works out the time of capture itself, that is taken', () => {
  const meter = new LatencyMeter(ORIGIN);
  meter.learn(statistics(1000, 20));
  const frame = { rtpTimestamp: 0, receiveTime: 2070, expectedDisplayTime: 2110, captureTime: 2000 };
  assert.equal(meter.measure(frame, { rtpTimestamp: 0 })?.totalMs, 110);
  assert.equal(meter.measure(frame, undefined)?.totalMs, 110);
});

test('nothing is told where the browser tells too little, or what cannot be', () => {
  const meter = new LatencyMeter(ORIGIN);
  const source = { rtpTimestamp: 0, captureTimestamp: captureTimestamp(2000) };
  const frame = { rtpTimestamp: 0, receiveTime: 2070, expectedDisplayTime: 2110 };
  assert.equal(meter.measure(frame, source), undefined, 'no report yet: the clock of the server is not known');
  meter.learn(statistics(1000, 20));
  assert.equal(meter.measure({ rtpTimestamp: 0, expectedDisplayTime: 2110 }, source), undefined);
  assert.equal(meter.measure({ receiveTime: 2070, expectedDisplayTime: 2110 }, source), undefined);
  assert.equal(meter.measure(frame, { rtpTimestamp: 0, captureTimestamp: captureTimestamp(3000) }), undefined, 'from the future');
  assert.equal(meter.measure(frame, { rtpTimestamp: 0, captureTimestamp: captureTimestamp(-80_000) }), undefined, 'too old');
  assert.equal(meter.measure({ ...frame, receiveTime: 2200 }, source), undefined, 'shown before it came');
});
