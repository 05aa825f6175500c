import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isH264Keyframe, isVp8Keyframe } from '../../../scripts/load-test/decodable.js';
import { RtpMeter } from '../../../scripts/load-test/rtp-meter.js';

const KEY = Buffer.from([1]);
const DELTA = Buffer.from([0]);

function videoMeter(): RtpMeter {
  return new RtpMeter({ clockRateHz: 90_000, isKeyframe: (payloads) => payloads[0]?.[0] === 1 });
}

/** Frames of two packets each, 30 a second; `arrives` may drop or move a packet. */
function play(
  meter: RtpMeter,
  frames: number,
  arrives: (sequence: number, atMs: number) => number | undefined = (_sequence, atMs) => atMs,
): void {
  for (let i = 0; i < frames * 2; i++) {
    const frame = Math.floor(i / 2);
    const atMs = arrives(i, (frame * 1000) / 30 + (i % 2));
    // Numbers begin just below the wrap.
    if (atMs !== undefined)
      meter.arrived(
        {
          sequenceNumber: (65_530 + i) & 0xffff,
          timestamp: (4_294_960_000 + frame * 3000) >>> 0,
          marker: i % 2 === 1,
          payload: frame % 30 === 0 ? KEY : DELTA,
        },
        atMs,
      );
  }
}

describe('the RTP meter', () => {
  it('finds nothing wrong with an even stream across both wraps', () => {
    const meter = videoMeter();
    play(meter, 90);
    const { packets, lost, freezes, frames, jitterMs, firstPacketAtMs, firstFrameAtMs } = meter.figures();
    assert.deepEqual(
      { packets, lost, freezes, frames, firstPacketAtMs, firstFrameAtMs },
      { packets: 180, lost: 0, freezes: 0, frames: 90, firstPacketAtMs: 0, firstFrameAtMs: 1 },
    );
    assert.ok(jitterMs < 1.2, `jitter ${jitterMs}`);
  });

  it('counts what is missing, and waits for the next whole keyframe', () => {
    const meter = videoMeter();
    play(meter, 60, (sequence, atMs) => (sequence === 1 || sequence === 40 ? undefined : atMs));
    const { lost, frames, firstFrameAtMs } = meter.figures();
    assert.equal(lost, 2);
    assert.equal(frames, 58 - 1, 'the two frames with a hole, and the one after a lost marker whose beginning is uncertain');
    assert.equal(Math.round(firstFrameAtMs ?? 0), 1001);
  });

  it('does not count a packet twice, nor a repaired one as lost', () => {
    const meter = videoMeter();
    meter.arrived({ sequenceNumber: 1, timestamp: 0, marker: false, payload: KEY }, 0);
    meter.arrived({ sequenceNumber: 3, timestamp: 0, marker: true, payload: KEY }, 1);
    assert.deepEqual([meter.figures().lost, meter.figures().frames], [1, 0]);
    meter.arrived({ sequenceNumber: 2, timestamp: 0, marker: false, payload: KEY }, 40);
    meter.arrived({ sequenceNumber: 2, timestamp: 0, marker: false, payload: KEY }, 41);
    const { packets, lost, frames, firstFrameAtMs } = meter.figures();
    assert.deepEqual({ packets, lost, frames, firstFrameAtMs }, { packets: 3, lost: 0, frames: 1, firstFrameAtMs: 40 });
  });

  it('counts a gap of 300 ms as a freeze and one of 130 ms as none', () => {
    const meter = videoMeter();
    play(meter, 60, (sequence, atMs) => atMs + (sequence >= 60 ? 97 : 0) + (sequence >= 90 ? 300 : 0));
    const { freezes, longestGapMs } = meter.figures();
    assert.equal(freezes, 1);
    assert.equal(Math.round(longestGapMs), 333);
  });
});

describe('a picture that decoding can start with', () => {
  const stapA = (...types: number[]): Buffer => Buffer.concat([Buffer.from([24]), ...types.map((type) => Buffer.from([0, 2, type, 0]))]);

  it('is in H.264 one with SPS, PPS and the start of an IDR picture', () => {
    const idrStart = Buffer.from([28, 0x85, 0]);
    const idrMiddle = Buffer.from([28, 0x05, 0]);
    assert.equal(isH264Keyframe([stapA(7, 8), idrStart, idrMiddle]), true);
    assert.equal(isH264Keyframe([Buffer.from([0x67, 0]), Buffer.from([0x68, 0]), Buffer.from([0x65, 0])]), true);
    assert.equal(isH264Keyframe([stapA(7, 8), idrMiddle]), false);
    assert.equal(isH264Keyframe([idrStart]), false);
    assert.equal(isH264Keyframe([stapA(7, 8), Buffer.from([0x41, 0])]), false);
  });

  it('is in VP8 a key frame from its first partition on, with or without a picture id', () => {
    assert.equal(isVp8Keyframe([Buffer.from([0x10, 0x50])]), true);
    assert.equal(isVp8Keyframe([Buffer.from([0x90, 0x80, 0x81, 0x01, 0x50])]), true);
    assert.equal(isVp8Keyframe([Buffer.from([0x10, 0x51])]), false);
    assert.equal(isVp8Keyframe([Buffer.from([0x00, 0x50])]), false);
    assert.equal(isVp8Keyframe([Buffer.from([0x10])]), false);
    assert.equal(isVp8Keyframe([]), false);
  });
});
