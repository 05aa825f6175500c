import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PAIRING_TOLERANCE_TICKS, ticksBetween } from '../../src/client/message-timeline.js';
import { lengthPrefixed, Timeline, Track, type FrameSink, type PacketizedFrame } from '../../src/media/index.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { seededRandom } from '../helpers/random.js';

class RecordingSink implements FrameSink {
  pendingBytes = 0;
  readonly frames: PacketizedFrame[] = [];
  send(frame: PacketizedFrame): void {
    this.frames.push(frame);
  }
}

interface Frame {
  readonly mediaTimeMs: number;
  readonly rtpTimestamp: number;
}

/** Sent frames whose timestamp is another frame's, or too close to one that there are messages for. */
function mistaken(track: Track, sent: readonly Frame[], isLiveAt: (mediaTimeMs: number) => boolean): Frame[] {
  const told = [...new Set(sent.map(({ mediaTimeMs }) => mediaTimeMs))].filter(isLiveAt);
  return sent.filter((frame) =>
    told.some(
      (mediaTimeMs) =>
        mediaTimeMs !== frame.mediaTimeMs &&
        Math.abs(ticksBetween(track.rtpTimestampAt(mediaTimeMs), frame.rtpTimestamp)) <= PAIRING_TOLERANCE_TICKS,
    ),
  );
}

function setUp(intervalMs: number) {
  const clock = new FakeClock();
  const track = new Track({ name: 't', codec: 'h264', timeline: new Timeline(), clock });
  const sink = new RecordingSink();
  let frames = 0;
  const write = async (count: number, gop: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const keyframe = frames % gop === 0;
      track.write({ data: lengthPrefixed([Buffer.alloc(50, keyframe ? 0x65 : 0x41)]), mediaTimeMs: frames++ * intervalMs, keyframe });
      await clock.advance(intervalMs);
    }
  };
  return { clock, track, sink, write };
}

const ascends = (frames: readonly Frame[]): boolean =>
  frames.every((frame, i) => i === 0 || ((frame.rtpTimestamp - (frames[i - 1] as Frame).rtpTimestamp) | 0) > 0);

describe('a frame and the message about it', () => {
  it('pair for a newcomer, after a replay that was asked for, and when a stream flows again', async () => {
    const random = seededRandom(3);
    for (let run = 0; run < 60; run++) {
      const intervalMs = [16.667, 20, 33.333, 40, 100][Math.floor(random() * 5)] ?? 40;
      const gop = 1 + Math.floor(random() * 90);
      const { clock, track, sink, write } = setUp(intervalMs);
      await write(1 + Math.floor(random() * 120), gop);
      const first = track.subscribe(sink);
      await write(Math.floor(random() * 40), gop);
      await clock.advance(600);
      first.requestKeyframe();
      await write(2 + Math.floor(random() * 40), gop);
      const seen = sink.frames.length;
      assert.deepEqual(
        mistaken(track, sink.frames, (ms) => first.isLiveAt(ms)),
        [],
        `run ${run}`,
      );
      first.close();
      await write(Math.floor(random() * 30), gop);
      const second = track.subscribe(sink, first.lastTimestamp);
      await write(2 + Math.floor(random() * 40), gop);
      assert.ok(ascends(sink.frames), `run ${run}: timestamps ascend`);
      assert.deepEqual(
        mistaken(track, sink.frames.slice(seen), (ms) => second.isLiveAt(ms)),
        [],
        `run ${run}: flows again`,
      );
    }
  });

  it('are told apart from the frames that were replayed before the newcomer was live', async () => {
    const { track, sink, write } = setUp(40);
    await write(10, 20);
    const subscription = track.subscribe(sink);
    assert.equal(subscription.isLiveAt(320), false);
    assert.equal(subscription.isLiveAt(360), true);
  });

  it('have no timestamp before there is a picture', async () => {
    const { track, sink, write } = setUp(40);
    const subscription = track.subscribe(sink);
    assert.equal(subscription.isLiveAt(0), false);
    await write(1, 5);
    assert.equal(subscription.isLiveAt(0), true);
  });
});
