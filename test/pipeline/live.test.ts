import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import sharp from 'sharp';
import { noticeColour } from '../../src/detection/palette.js';
import type { FrameDetections, VideoCodec } from '../../src/media/index.js';
import { packetize } from '../../src/media/packetizer.js';
import { CurrentSnapshots } from '../../src/pipeline/index.js';
import { eventually, within } from '../helpers/deadline.js';
import { decodeFrames, FixedDetector, PipelineRig, type RigOptions, type Watched } from '../helpers/pipeline-rig.js';
import { FakePublisher, type FakePublisherOptions } from '../helpers/publisher.js';

const thing = (): FixedDetector => new FixedDetector([{ label: 'thing', classId: 0, score: 0.9, box: [100, 60, 120, 80] }]);

/** One colour, far from that of a notice. */
const BLUE = 'color=c=0x4080c0';

let rig: PipelineRig;
let publishers: FakePublisher[] = [];

async function openRig(options: RigOptions = {}): Promise<PipelineRig> {
  return (rig = await PipelineRig.open([], options));
}

function publish(options: Partial<FakePublisherOptions> = {}): FakePublisher {
  const publisher = new FakePublisher(rig.rooms, { room: 'gate', codec: 'h264', ...options });
  publishers.push(publisher);
  return publisher;
}

async function closeRig(): Promise<void> {
  for (const publisher of publishers) publisher.stop();
  publishers = [];
  await rig.close();
}

const other = (codec: VideoCodec): VideoCodec => (codec === 'h264' ? 'vp8' : 'h264');
const state = () => rig.rooms.status('gate').state;
const isSlateShown = (): boolean => rig.pipelines.activity()[0]?.isWaiting === true;

function assertAscends(watched: Watched, what: string): void {
  const times = watched.frames.map(({ mediaTimeMs }) => mediaTimeMs);
  times.forEach((time, i) => assert.ok(i === 0 || time > (times[i - 1] as number), `${what}: ${time} ms after ${times[i - 1]} ms`));
  const stamps = watched.frames.map(({ rtpTimestamp }) => rtpTimestamp);
  stamps.forEach((stamp, i) =>
    assert.ok(i === 0 || stamp > (stamps[i - 1] as number), `${what}: timestamp ${stamp} after ${stamps[i - 1]}`),
  );
}

/** The notice's colour stands in the middle, beside the text. */
function hasNotice(picture: Buffer | undefined, widthPx = 320, heightPx = 180): boolean {
  if (!picture) return false;
  const chroma = widthPx * heightPx;
  const row = (heightPx >> 2) * (widthPx >> 1);
  let amber = 0;
  for (let x = 0; x < widthPx >> 1; x++) {
    const [u, v] = [picture[chroma + row + x] as number, picture[chroma + chroma / 4 + row + x] as number];
    if (Math.hypot(u - noticeColour().u, v - noticeColour().v) < 30) amber++;
  }
  return amber > widthPx / 25;
}

async function read(): Promise<{ readonly messages: FrameDetections[]; leave(): void }> {
  const lease = (await rig.pipelines.open('gate')).openDetections();
  const messages: FrameDetections[] = [];
  const stop = lease.feed.subscribe((message) => void messages.push(message));
  return {
    messages,
    leave: () => {
      stop();
      lease.release();
    },
  };
}

describe('a room that somebody publishes to', () => {
  afterEach(closeRig);

  for (const codec of ['h264', 'vp8'] as const) {
    it(`hands ${codec} on as it is, without a process, and makes the other codec, processed and detections of it`, async () => {
      await openRig({ detector: thing() });
      const publisher = publish({ codec, hasAudio: true }).start();
      const copy = await rig.watch('gate', `raw/${codec}`);
      const sound = await rig.watch('gate', 'audio/opus');
      await copy.more(40, 'of the copy');
      await sound.more(20, 'of sound');
      assert.equal(rig.deps.ledger.snapshot().child_processes, 0);
      const begin = publisher.sent.length - copy.frames.length;
      copy.frames.forEach(({ payloads, keyframe }, i) => {
        assert.deepEqual(
          payloads,
          packetize(codec, publisher.sent[begin + i]?.data as Buffer),
          `frame ${i} is the publisher's, byte by byte`,
        );
        assert.equal(keyframe, publisher.sent[begin + i]?.keyframe);
      });
      assert.ok(copy.frames[0]?.keyframe);
      const made = await Promise.all([
        rig.watch('gate', `raw/${other(codec)}`),
        rig.watch('gate', 'processed/h264'),
        rig.watch('gate', 'processed/vp8'),
      ]);
      const reader = await read();
      for (const watched of made) await watched.more(20, 'of what is made');
      await eventually(() => reader.messages.length > 5, 5000, 'detections');
      assert.deepEqual(
        reader.messages.at(-1)?.objects.map(({ box }) => box),
        [[100, 60, 120, 80]],
      );
      const times = new Set(copy.frames.map(({ mediaTimeMs }) => mediaTimeMs));
      for (const watched of made)
        for (const { mediaTimeMs } of watched.frames.slice(1, -2))
          assert.ok(times.has(mediaTimeMs), `${mediaTimeMs} ms is a frame's of the publisher`);
      for (const { mediaTimeMs } of reader.messages.slice(0, -2)) assert.ok(times.has(mediaTimeMs));
      assert.ok(decodeFrames(other(codec), made[0].frames, 320, 180).length >= 15);
      assert.ok(decodeFrames('vp8', made[2].frames, 320, 180).length >= 15);
      const [activity] = rig.pipelines.activity();
      assert.deepEqual(
        [
          activity?.kind,
          activity?.state,
          activity?.codec,
          activity?.publisherId,
          activity?.isWaiting,
          activity?.delivery,
          activity?.troubles,
        ],
        ['live', 'live', codec, 'cam', false, 'passthrough', []],
      );
      for (const watched of [copy, ...made]) assertAscends(watched, watched.lease.track.name);
      reader.leave();
      for (const watched of [copy, sound, ...made]) watched.leave();
      await eventually(() => rig.pipelines.activity().length === 0, 5000, 'the source to end');
      assert.equal(state(), 'live', 'nobody watches, and it is published still');
    });
  }
});

describe('a publisher that is lost', () => {
  afterEach(closeRig);

  for (const codec of ['h264', 'vp8'] as const) {
    it(`is stood in for by a slate in ${codec}, in which nothing is detected, until it is back`, async () => {
      await openRig({ detector: thing() });
      const publisher = publish({ codec, hasAudio: true, pattern: BLUE }).start();
      const copy = await rig.watch('gate', `raw/${codec}`);
      const processed = await rig.watch('gate', 'processed/h264');
      const sound = await rig.watch('gate', 'audio/opus');
      const reader = await read();
      await processed.more(20, 'of the camera');
      await eventually(() => reader.messages.length > 3, 5000, 'detections');
      publisher.leave('lost');
      assert.deepEqual([state(), isSlateShown()], ['waiting', true]);
      const lost = copy.frames.length;
      await copy.more(8, 'of the slate');
      await processed.more(8, 'of the slate');
      const lastTimeMs = copy.frames[lost - 1]?.mediaTimeMs as number;
      assert.ok(copy.frames[lost]?.keyframe, 'the slate begins with a keyframe');
      const raw = decodeFrames(codec, copy.frames.slice(lost), 320, 180);
      assert.ok(raw.length >= 7 && hasNotice(raw.at(-1)), 'raw viewers are told');
      const seen = processed.frames.findLastIndex((frame, i) => frame.keyframe && i <= processed.frames.length - 1);
      assert.ok(hasNotice(decodeFrames('h264', processed.frames.slice(seen), 320, 180).at(-1)), 'viewers of processed are told');
      const before = decodeFrames(codec, copy.frames.slice(0, lost), 320, 180).at(-1) as Buffer;
      assert.ok(!hasNotice(before));
      assert.ok(brightness(raw.at(-1)) < 0.75 * brightness(before) && brightness(raw.at(-1)) > 20, 'it is the last picture, darkened');
      assert.deepEqual(
        reader.messages.filter(({ mediaTimeMs }) => mediaTimeMs > lastTimeMs),
        [],
      );
      const silentFrom = sound.frames.length;
      const back = publish({ codec, hasAudio: true, originMs: 5, pattern: BLUE }).start();
      const first = await eventually(() => back.sent[0], 2000, 'the camera');
      const wanted = packetize(codec, first.data).at(-1) as Buffer;
      const shown = await eventually(
        () => copy.frames.findIndex(({ payloads }, i) => i >= lost && payloads.at(-1)?.equals(wanted)) + 1,
        2000,
        'its first keyframe',
      );
      assert.ok(copy.frames[shown - 1]?.keyframe);
      await processed.more(20, 'of the camera again');
      await eventually(
        () =>
          reader.messages.at(-1) !== undefined &&
          (reader.messages.at(-1)?.mediaTimeMs ?? 0) > (copy.frames[shown - 1]?.mediaTimeMs ?? Infinity),
        5000,
        'detections again',
      );
      assert.deepEqual([state(), isSlateShown()], ['live', false]);
      for (const watched of [copy, processed, sound]) assertAscends(watched, watched.lease.track.name);
      await eventually(() => sound.frames.length > silentFrom + 10, 3000, 'sound again');
      const ends = [copy, sound].map(({ frames }) => frames.at(-1)?.mediaTimeMs as number);
      assert.ok(Math.abs((ends[0] as number) - (ends[1] as number)) < 150, `pictures and sound are at one time: ${ends.join(' ')}`);
      const ids = reader.messages.map(({ objects }) => objects[0]?.objectId ?? 0);
      assert.ok(
        ids.every((id, i) => i === 0 || id >= (ids[i - 1] as number)),
        'object ids never begin anew',
      );
      const frames = reader.messages.map(({ frame }) => frame);
      assert.ok(frames.every((frame, i) => i === 0 || frame > (frames[i - 1] as number)));
      assert.equal(rig.pipelines.activity()[0]?.restarts, 1);
      reader.leave();
    });
  }

  it('may come back with the other codec and another size: viewers stay', async () => {
    await openRig({ detector: thing() });
    const first = publish({ codec: 'vp8' }).start();
    const [vp8, h264, processed] = (await Promise.all(
      ['raw/vp8', 'raw/h264', 'processed/h264'].map((track) => rig.watch('gate', track)),
    )) as [Watched, Watched, Watched];
    for (const watched of [vp8, h264, processed]) await watched.more(10, 'of the first');
    first.leave('lost');
    await vp8.more(3, 'of the slate');
    publish({ codec: 'h264', size: '180x320' }).start();
    await eventually(() => rig.pipelines.activity()[0]?.renditions.every(({ widthPx }) => widthPx === 180), 5000, 'the other size');
    for (const watched of [vp8, h264, processed]) await watched.more(20, 'of the second');
    for (const [watched, codec] of [
      [vp8, 'vp8'],
      [h264, 'h264'],
      [processed, 'h264'],
    ] as const) {
      assertAscends(watched, watched.lease.track.name);
      const keyframe = watched.frames.findLastIndex((frame) => frame.keyframe);
      assert.ok(decodeFrames(codec, watched.frames.slice(keyframe), 180, 320).length > 0, watched.lease.track.name);
    }
    assert.equal(rig.pipelines.activity()[0]?.codec, 'h264');
  });

  it('leaves an empty room when it does not come back within the grace time: viewers are told', async () => {
    await openRig({ publishGraceMs: 700 });
    const publisher = publish().start();
    const copy = await rig.watch('gate', 'raw/h264');
    await copy.more(10, 'of the camera');
    publisher.leave('lost');
    assert.equal(await within(copy.closed, 5000, 'the end'), 'source-ended');
    assert.equal(state(), 'empty');
    await assert.rejects(rig.watch('gate', 'raw/h264'), { code: 'SOURCE_NOT_LIVE', retryAfterS: 5 });
  });

  it('may leave and be back at once: who comes then watches what is sent now, and is not ended with those who came before', async () => {
    await openRig();
    const before = publish().start();
    const [copy, made] = (await Promise.all(['raw/h264', 'raw/vp8'].map((track) => rig.watch('gate', track)))) as [Watched, Watched];
    await made.more(5, 'of what is made, whose processes take time to end');
    before.leave('left');
    publish({ originMs: 7 }).start();
    const late = await rig.watch('gate', 'raw/h264');
    assert.equal(await within(copy.closed, 5000, 'the end'), 'source-ended');
    assert.equal(await within(made.closed, 5000, 'the end'), 'source-ended');
    await late.more(20, 'of the camera that is back');
    assert.equal(late.lease.track.viewers, 1);
    assert.equal(rig.pipelines.activity().length, 1);
  });

  it('is shown as a slate to a viewer who comes meanwhile, of a dark picture where nothing is known of the last one', async () => {
    await openRig();
    const publisher = publish({ size: '640x360' });
    publisher.publication.close('lost');
    const copy = await rig.watch('gate', 'raw/h264');
    await copy.more(4, 'of the slate');
    assert.ok(hasNotice(decodeFrames('h264', copy.frames, 1280, 720).at(-1), 1280, 720));
  });
});

/** Average of the luma. */
function brightness(picture: Buffer | undefined, pixels = 320 * 180): number {
  let sum = 0;
  for (let i = 0; i < pixels; i++) sum += picture?.[i] ?? 0;
  return sum / pixels;
}

describe('a publisher whose frames stop', () => {
  afterEach(closeRig);

  it('is stood in for after 2 s although it is connected, and shown again from its next keyframe on, which it is asked for', async () => {
    await openRig();
    const publisher = publish({ codec: 'vp8' }).start();
    const copy = await rig.watch('gate', 'raw/vp8');
    await copy.more(20, 'of the camera');
    const asked = publisher.keyframeRequests;
    publisher.stop();
    await eventually(isSlateShown, 5000, 'the slate');
    assert.equal(state(), 'live');
    await copy.more(3, 'of the slate');
    publisher.start();
    await eventually(() => !isSlateShown(), 5000, 'the camera');
    assert.ok(publisher.keyframeRequests > asked);
    await copy.more(10, 'of the camera again');
    assertAscends(copy, 'raw');
  });
});

describe('viewers of a room', () => {
  afterEach(closeRig);

  it('are told where nothing is live, and may come before the first frame', async () => {
    await openRig({ detector: thing() });
    await assert.rejects(rig.watch('gate', 'raw/h264'), { code: 'SOURCE_NOT_FOUND' });
    const publisher = publish({ size: '640x360' });
    const copy = await rig.watch('gate', 'raw/h264');
    const processed = await rig.watch('gate', 'processed/vp8');
    assert.ok(publisher.keyframeRequests > 0);
    publisher.start();
    await copy.more(10, 'of the copy');
    await processed.more(10, 'of processed');
    assert.ok(decodeFrames('vp8', processed.frames.slice(processed.frames.findLastIndex((frame) => frame.keyframe)), 640, 360).length > 0);
    publisher.leave('left');
    assert.equal(await within(copy.closed, 3000, 'the end'), 'source-ended');
    await assert.rejects(rig.pipelines.open('gate'), { code: 'SOURCE_NOT_LIVE', retryAfterS: 5 });
  });

  it('who come later begin with the open group, and those who lose something ask the publisher: once in half a second', async () => {
    await openRig({ detector: thing() });
    const publisher = publish({ seconds: 10 }).start();
    const first = await rig.watch('gate', 'raw/h264');
    // Longer than half a second: what was asked for in the beginning is answered.
    await first.more(25, 'of the camera');
    const asked = publisher.keyframeRequests;
    const second = await rig.watch('gate', 'raw/h264');
    assert.ok(second.frames[0]?.keyframe, 'the open group is there at once');
    assert.equal(publisher.keyframeRequests, asked, 'nobody was bothered');
    const subscription = first.lease.track.subscribe({ send: () => undefined, pendingBytes: 0 });
    for (let i = 0; i < 20; i++) subscription.requestKeyframe();
    subscription.close();
    await eventually(() => publisher.keyframeRequests > asked, 2000, 'the request');
    assert.equal(publisher.keyframeRequests, asked + 1);
    const processed = await rig.watch('gate', 'processed/h264');
    await processed.more(1, 'of processed');
    assert.ok(processed.frames[0]?.keyframe);
  });

  it('keep publishers that send no keyframe by themselves at one every 4 s', async () => {
    await openRig();
    const publisher = publish({ seconds: 60, size: '64x64', fps: 10 }).start();
    const copy = await rig.watch('gate', 'raw/h264');
    await copy.more(90, 'of the camera');
    const keyframes = publisher.sent.filter(({ keyframe }) => keyframe).length;
    assert.ok(keyframes >= 3 && publisher.keyframeRequests <= 4, `${keyframes} keyframes, ${publisher.keyframeRequests} requests`);
  });

  it('stay when the phone is turned, and when a bad network makes the picture smaller nothing is started anew', async () => {
    await openRig({ detector: thing() });
    const publisher = publish({ size: '640x360' }).start();
    const copy = await rig.watch('gate', 'raw/h264');
    const processed = await rig.watch('gate', 'processed/h264');
    await processed.more(10, 'of the wide picture');
    const pids = (): number[] => [...rig.processes.decoders, ...rig.processes.encoders].map(({ pid }) => pid);
    const before = pids();
    publisher.change({ size: '320x180' });
    await processed.more(20, 'of the small picture');
    assert.deepEqual(pids(), before, 'the same processes');
    assert.equal(decodeFrames('h264', processed.frames, 640, 360).length, processed.frames.length);
    publisher.change({ size: '360x640' });
    await eventually(() => rig.pipelines.activity()[0]?.renditions.every(({ widthPx }) => widthPx === 360), 5000, 'the tall picture');
    await processed.more(20, 'of the tall picture');
    for (const watched of [copy, processed]) assertAscends(watched, watched.lease.track.name);
    const keyframe = processed.frames.findLastIndex((frame) => frame.keyframe);
    assert.ok(decodeFrames('h264', processed.frames.slice(keyframe), 360, 640).length > 0);
    const turned = copy.frames.findLastIndex(({ keyframe: isKeyframe }) => isKeyframe);
    assert.ok(decodeFrames('h264', copy.frames.slice(turned), 360, 640).length > 0);
    assert.deepEqual(rig.pipelines.activity()[0]?.troubles, []);
  });

  it('stay when another publisher takes the room over', async () => {
    await openRig();
    const first = publish({ clientId: 'one' }).start();
    const copy = await rig.watch('gate', 'raw/h264');
    await copy.more(10, 'of the first');
    assert.throws(() => publish({ clientId: 'two' }), { code: 'ROOM_TAKEN', retryAfterS: 2 });
    publish({ clientId: 'two', takeover: true, originMs: 3 }).start();
    assert.equal(first.endReason, 'publisher-replaced');
    await copy.more(20, 'of the second');
    assertAscends(copy, 'raw');
    assert.equal(rig.rooms.status('gate').publisherId, 'two');
    first.publication.close('left');
    assert.equal(state(), 'live', 'the end of the first says nothing of the second');
  });
});

describe('a still of a room', () => {
  afterEach(closeRig);

  it('is the picture of the moment, without boxes unless they are asked for; of an empty room there is none', async () => {
    await openRig({ detector: thing() });
    const publisher = publish({ pattern: BLUE }).start();
    const stills = new CurrentSnapshots(rig.pipelines, rig.deps.clock);
    const [plain, boxed] = await Promise.all([false, true].map((isAnnotated) => stills.get('gate', { widthPx: 320, isAnnotated })));
    const [bare, drawn] = await Promise.all([plain, boxed].map((picture) => sharp(picture).raw().toBuffer()));
    const at = 3 * (100 * 320 + 100);
    const distanceToBlue = (pixels?: Buffer): number =>
      Math.hypot(...[0x40, 0x80, 0xc0].map((value, i) => value - (pixels?.[at + i] ?? 0)));
    assert.ok(distanceToBlue(bare) < 15 && distanceToBlue(drawn) > 25, `${distanceToBlue(bare)} ${distanceToBlue(drawn)}`);
    publisher.leave('left');
    await assert.rejects(stills.get('gate', { widthPx: 320, isAnnotated: false }), { code: 'SOURCE_NOT_LIVE', retryAfterS: 5 });
  });

  it('comes of a source that nobody looks at, too', async () => {
    await openRig();
    publish({ codec: 'vp8' }).start();
    assert.ok((await new CurrentSnapshots(rig.pipelines, rig.deps.clock).get('gate', { widthPx: 64, isAnnotated: false })).length > 0);
  });
});
