import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lengthPrefixed, Timeline, Track, type EncodedFrame, type FrameSink, type PacketizedFrame } from '../../src/media/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

class RecordingSink implements FrameSink {
  pendingBytes = 0;
  readonly frames: PacketizedFrame[] = [];
  send(frame: PacketizedFrame): void {
    this.frames.push(frame);
  }
  get mediaTimes(): number[] {
    return this.frames.map((frame) => frame.mediaTimeMs);
  }
}

const h264 = (mediaTimeMs: number, keyframe: boolean, bytes = 100): EncodedFrame => ({
  data: lengthPrefixed([Buffer.alloc(bytes, keyframe ? 0x65 : 0x41)]),
  mediaTimeMs,
  keyframe,
});

function setUp(onKeyframeRequest?: () => boolean) {
  const clock = new FakeClock();
  const track = new Track({ name: 't', codec: 'h264', timeline: new Timeline(), clock, ...(onKeyframeRequest && { onKeyframeRequest }) });
  return { clock, track, sink: new RecordingSink() };
}

describe('Track', () => {
  it('starts a first viewer at the first keyframe', () => {
    const { track, sink } = setUp();
    track.subscribe(sink);
    track.write(h264(0, false));
    track.write(h264(40, true));
    track.write(h264(80, false));
    assert.deepEqual(sink.mediaTimes, [40, 80]);
  });

  it('has unsigned timestamps, also for sound that begins before the first picture', () => {
    const { track } = setUp();
    assert.equal(track.rtpTimestampAt(-10), 2 ** 32 - 900);
    assert.equal(track.rtpTimestampAt(2 ** 32 / 90 + 10), 900);
  });

  it('replays the open group to a late viewer, 100 ticks apart and ending at the live timestamp', () => {
    const { track, sink } = setUp();
    for (let i = 0; i < 10; i++) track.write(h264(i * 40, i % 6 === 0));
    track.subscribe(sink);
    assert.deepEqual(sink.mediaTimes, [240, 280, 320, 360]);
    assert.deepEqual(
      sink.frames.map((frame) => frame.rtpTimestamp),
      [360 * 90 - 300, 360 * 90 - 200, 360 * 90 - 100, 360 * 90],
    );
    track.write(h264(400, false));
    assert.equal(sink.frames.at(-1)!.rtpTimestamp, 400 * 90);
  });

  it('shares the payloads among viewers', () => {
    const { track, sink } = setUp();
    const other = new RecordingSink();
    track.subscribe(sink);
    track.subscribe(other);
    track.write(h264(0, true));
    assert.equal(sink.frames[0]!.payloads[0], other.frames[0]!.payloads[0]);
  });

  it('paces a long replay and keeps live frames behind it in order', async () => {
    const { track, sink, clock } = setUp();
    for (let i = 0; i < 60; i++) track.write(h264(i * 40, i === 0, 20_000));
    track.subscribe(sink);
    assert.ok(sink.frames.length < 5, 'the replay is not sent at once');
    track.write(h264(2400, false));
    await clock.advance(100);
    assert.deepEqual(
      sink.mediaTimes,
      Array.from({ length: 61 }, (_, i) => i * 40),
    );
  });

  it('drops a slow viewer to the next keyframe, counts what it lost and spares the others', () => {
    const { track, sink } = setUp();
    const other = new RecordingSink();
    const slow = track.subscribe(sink);
    track.subscribe(other);
    track.write(h264(0, true));
    sink.pendingBytes = 2 * 1024 * 1024;
    track.write(h264(40, false));
    sink.pendingBytes = 0;
    track.write(h264(80, false));
    track.write(h264(120, true));
    assert.deepEqual(sink.mediaTimes, [0, 120]);
    assert.equal(slow.dropped, 2);
    assert.deepEqual(other.mediaTimes, [0, 40, 80, 120]);
  });

  it('passes every wish for a keyframe on to who encodes, and replays nothing there', () => {
    let requests = 0;
    const { track, sink } = setUp(() => ++requests > 0);
    const a = track.subscribe(sink);
    const b = track.subscribe(new RecordingSink());
    track.write(h264(0, true));
    for (const subscription of [a, b, a]) subscription.requestKeyframe();
    assert.equal(requests, 3);
    assert.deepEqual(sink.mediaTimes, [0]);
    a.close();
    a.requestKeyframe();
    assert.equal(requests, 3);
  });

  it('says with each frame that a viewer who has lost some waits for a keyframe', () => {
    let requests = 0;
    const { track, sink } = setUp(() => ++requests > 0);
    track.subscribe(sink);
    track.write(h264(0, true));
    sink.pendingBytes = 2 * 1024 * 1024;
    track.write(h264(40, false));
    sink.pendingBytes = 0;
    for (const mediaTimeMs of [80, 120, 160]) track.write(h264(mediaTimeMs, false));
    assert.equal(requests, 3);
    track.write(h264(200, true));
    track.write(h264(240, false));
    assert.equal(requests, 3);
  });

  it('answers a keyframe request on a copied file with a replay for that viewer alone, between the last and the next timestamp', async () => {
    const { track, sink, clock } = setUp();
    const other = new RecordingSink();
    const subscription = track.subscribe(sink);
    track.subscribe(other);
    for (let i = 0; i < 5; i++) track.write(h264(i * 40, i === 0));
    await clock.advance(1000);
    subscription.requestKeyframe();
    subscription.requestKeyframe();
    assert.equal(sink.frames.length, 10, 'a second request within 500 ms is not answered');
    track.write(h264(200, false));
    const stamps = sink.frames.map((frame) => frame.rtpTimestamp);
    assert.deepEqual(
      stamps,
      [...stamps].sort((a, b) => a - b),
    );
    assert.equal(new Set(stamps).size, stamps.length);
    assert.equal(other.frames.length, 6);
  });

  it('does not begin a replay again while it is under way, however often the viewer asks', async () => {
    const { track, sink, clock } = setUp();
    for (let i = 0; i < 400; i++) track.write(h264(i * 40, i === 0, 30_000));
    const subscription = track.subscribe(sink);
    for (let i = 0; i < 30; i++) {
      await clock.advance(100);
      if (sink.frames.length === 400) break;
      subscription.requestKeyframe();
    }
    assert.deepEqual(
      sink.mediaTimes,
      Array.from({ length: 400 }, (_, i) => i * 40),
    );
  });

  it('replays nothing to a viewer that is too slow for what it gets', async () => {
    const { track, sink, clock } = setUp();
    const subscription = track.subscribe(sink);
    track.write(h264(0, true));
    await clock.advance(1000);
    sink.pendingBytes = 2 * 1024 * 1024;
    track.write(h264(40, false));
    subscription.requestKeyframe();
    assert.deepEqual(sink.mediaTimes, [0]);
    sink.pendingBytes = 0;
    subscription.requestKeyframe();
    assert.deepEqual(sink.mediaTimes, [0, 0, 40]);
  });

  it('ends with the reason and drops its subscriptions', () => {
    const { track, sink } = setUp();
    track.subscribe(sink);
    const reasons: string[] = [];
    track.onClosed((reason) => reasons.push(reason));
    track.onClosed(() => assert.fail('it has stopped listening'))();
    track.close('source-ended');
    track.close('server-closing');
    track.write(h264(0, true));
    track.onClosed((reason) => reasons.push(`late ${reason}`));
    assert.deepEqual(reasons, ['source-ended', 'late source-ended']);
    assert.equal(track.viewers, 0);
    assert.equal(sink.frames.length, 0);
  });

  it('wraps RTP timestamps at 32 bits', () => {
    const { track } = setUp();
    assert.equal(track.rtpTimestampAt(2 ** 32 / 90 + 1), 90);
  });

  it('starts audio anywhere', () => {
    const clock = new FakeClock();
    const track = new Track({ name: 'a', codec: 'opus', timeline: new Timeline(), clock });
    const sink = new RecordingSink();
    track.write({ data: Buffer.from([1]), mediaTimeMs: 0, keyframe: true });
    track.subscribe(sink);
    track.write({ data: Buffer.from([2]), mediaTimeMs: 20, keyframe: true });
    assert.deepEqual(
      sink.frames.map((frame) => frame.rtpTimestamp),
      [960],
    );
  });
});
