import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReceivedPacket } from '../../../../src/webrtc/rtp/receive/rtp.js';
import { SendTimes } from '../../../../src/webrtc/rtp/receive/send-time.js';

const packet = (more: Partial<ReceivedPacket> = {}): ReceivedPacket => ({
  ...{ ssrc: 1, payloadType: 96, sequenceNumber: 0, timestamp: 0, marker: false, payload: Buffer.alloc(1) },
  ...more,
});

/** A packet whose extension 3 holds abs-send-time. */
function bytesAt(seconds: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes[0] = 0x90;
  bytes.writeUInt16BE(0xbede, 12);
  bytes.writeUInt16BE(1, 14);
  bytes[16] = 0x32;
  bytes.writeUIntBE(Math.round(seconds * 2 ** 18) % 2 ** 24, 17, 3);
  return bytes;
}

describe('send times', () => {
  it('go on where abs-send-time wraps after 64 s, and leave order as it is', () => {
    const times = new SendTimes(3, () => true);
    const first = times.of(packet(), bytesAt(63.9)) ?? NaN;
    const ms = [63.95, 64.0, 64.1, 63.99, 64.2, 130].map((seconds) => Math.round((times.of(packet(), bytesAt(seconds)) ?? NaN) - first));
    assert.deepEqual(ms, [50, 100, 200, 90, 300, 300 + 65_800 - 64_000]);
  });

  it('are unknown where the extension is missing or malformed', () => {
    const times = new SendTimes(3, () => true);
    assert.equal(times.of(packet(), Buffer.alloc(20)), undefined);
    const short = bytesAt(1);
    short[16] = 0x31;
    assert.equal(times.of(packet(), short), undefined);
  });

  it('are those of the frames of one video where there is no extension', () => {
    const times = new SendTimes(undefined, ({ payloadType }) => payloadType === 96);
    const at = (timestamp: number, more: Partial<ReceivedPacket> = {}): number | undefined =>
      times.of(packet({ timestamp, ...more }), Buffer.alloc(12));
    assert.equal(at(2 ** 32 - 900), 0);
    assert.equal(at(900), 20, 'over the wrap');
    assert.equal(at(0), 10, 'an older one');
    assert.equal(at(1800), 30);
    assert.equal(at(1800, { payloadType: 97 }), undefined, 'a repair');
  });
});
