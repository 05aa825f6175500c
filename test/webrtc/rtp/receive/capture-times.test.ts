/** When frames of a publisher were captured, on our clock, from what it says on its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeNtp } from '../../../../src/webrtc/rtp/rtcp.js';
import { CaptureTimes } from '../../../../src/webrtc/rtp/receive/capture-times.js';
import { Timeline } from '../../../../src/media/index.js';
import { seededRandom } from '../../../helpers/random.js';

const NOW_MS = Date.UTC(2026, 10, 30, 12);
const NTP_EPOCH_MS = 2_208_988_800_000;
/** The publisher's clock is behind ours. */
const BEHIND_MS = 7_000;

/** The extension of a frame that was captured at a time of the publisher's clock. @param offsetMs of that clock from the one of its reports */
function extension(capturedMs: number, offsetMs?: number): Buffer {
  const value = Buffer.alloc(offsetMs === undefined ? 8 : 16);
  writeNtp(value, 0, capturedMs);
  if (offsetMs !== undefined) value.writeBigInt64BE(BigInt(Math.round((offsetMs / 1000) * 2 ** 32)), 8);
  return value;
}

const rounded = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms));

test('a time of capture is told on our clock, by the report that was quickest on its way', () => {
  const times = new CaptureTimes();
  times.packet(1, extension(NOW_MS - BEHIND_MS));
  assert.equal(times.take(1), undefined, 'no report yet: nobody knows its clock');
  times.senderReport(NOW_MS - BEHIND_MS + NTP_EPOCH_MS, NOW_MS + 300, 40);
  times.senderReport(NOW_MS - BEHIND_MS + NTP_EPOCH_MS + 1000, NOW_MS + 1020, 40);
  times.packet(2, extension(NOW_MS - BEHIND_MS + 500));
  assert.equal(rounded(times.take(2)), NOW_MS + 500);
  assert.equal(times.take(2), undefined, 'once');
  assert.equal(times.take(3), undefined, 'a frame without one');
});

test('a camera behind a mixer has a clock of its own, which the extension tells', () => {
  const times = new CaptureTimes();
  times.senderReport(NOW_MS + NTP_EPOCH_MS, NOW_MS);
  times.packet(9, extension(NOW_MS + 3_600_000, 3_600_000));
  assert.equal(rounded(times.take(9)), NOW_MS);
});

test('what is no time, and packets without end, are bounded', () => {
  const times = new CaptureTimes();
  times.senderReport(NOW_MS + NTP_EPOCH_MS, NOW_MS);
  const random = seededRandom(3);
  for (let i = 0; i < 5000; i++) times.packet(i, Buffer.alloc(Math.floor(random() * 17), Math.floor(random() * 256)));
  times.packet(5000, undefined);
  const held = Array.from({ length: 5001 }, (_unused, i) => times.take(i)).filter((time) => time !== undefined);
  assert.ok(held.length <= 16 && held.every(Number.isFinite), `${held.length} are held`);
});

test('the timeline of a source tells what was captured when, as far as whoever captured it says so credibly', () => {
  const timeline = new Timeline();
  assert.equal(timeline.capturedAt(0), undefined);
  timeline.captured(0, NOW_MS);
  timeline.anchor(0, NOW_MS);
  assert.equal(timeline.capturedAt(1000), NOW_MS + 1000);
  timeline.captured(1000, NOW_MS + 1000 - 80);
  assert.equal(timeline.capturedAt(2000), NOW_MS + 1920);
  for (const incredible of [NOW_MS + 2000, NOW_MS - 3_600_000, NaN, Infinity]) timeline.captured(1000, incredible);
  assert.equal(timeline.capturedAt(2000), NOW_MS + 1920);
  assert.equal(timeline.mediaTimeAt(NOW_MS + 2000), 2000, 'sound and pictures stay together by what they are tied to');
  timeline.captured(3000, undefined);
  assert.equal(timeline.capturedAt(4000), NOW_MS + 4000);
});
