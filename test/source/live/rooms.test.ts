import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../src/base/logger.js';
import { KeyframeRequests, Timeline, type EncodedFrame, type Publication, type PublicationRequest } from '../../../src/media/index.js';
import {
  LiveRooms,
  SourceCatalogue,
  type FeedEnd,
  type LiveRoomsInit,
  type RoomStatus,
  type SourceFeed,
} from '../../../src/source/index.js';
import { eventually } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { encodedClip, FakePublisher } from '../../helpers/publisher.js';

function setUp(init: Partial<LiveRoomsInit> = {}) {
  const clock = new FakeClock();
  const rooms = new LiveRooms({ clock, logger: silentLogger, graceMs: 30_000, ...init });
  const states: RoomStatus[] = [];
  rooms.onState((status) => void states.push(status));
  return { clock, rooms, states };
}

const request = (more: Partial<PublicationRequest> = {}): PublicationRequest => ({
  room: 'gate',
  clientId: 'cam',
  takeover: false,
  video: 'h264',
  hasAudio: false,
  aliveForMs: () => 1500,
  requestKeyframe: () => undefined,
  requestReconnect: () => undefined,
  end: () => undefined,
  ...more,
});

const H264 = encodedClip({ codec: 'h264' });

/** Sends `count` frames of a clip at its rate. */
async function send(clock: FakeClock, publication: Publication, count: number, clip: readonly EncodedFrame[] = H264): Promise<void> {
  for (let i = 0; i < count; i++) {
    publication.video(clip[i % clip.length] as EncodedFrame);
    await clock.advance(1000 / 30);
  }
}

/** Watches a room with the clock of the test. */
function watch(rooms: LiveRooms, clock: FakeClock, timeline = new Timeline()) {
  const deps = { ...realDeps(), clock };
  const frames: EncodedFrame[] = [];
  const waiting: boolean[] = [];
  const feed = rooms.get('gate')?.open(
    {
      encodedVideo: (frame) => void frames.push(frame),
      picture: () => undefined,
      audio: () => undefined,
      waiting: (isWaiting) => void waiting.push(isWaiting),
    },
    { ...deps, timeline },
  ) as SourceFeed;
  return { feed, frames, waiting, deps };
}

describe('LiveRooms', () => {
  it('know the H.264 profile that comes from its keyframes', () => {
    const { rooms } = setUp();
    const publication = rooms.publish(request());
    assert.equal(rooms.get('gate')?.h264Profile, undefined);
    publication.video(H264[0] as EncodedFrame);
    assert.match(rooms.get('gate')?.h264Profile ?? '', /^42[0-9a-f]{4}$/);
    rooms.close();
  });

  it('has every room in a known state, tells of each change, and forgets empty ones but for their names', async () => {
    const { clock, rooms, states } = setUp({ graceMs: 5_000 });
    assert.deepEqual(rooms.status('gate'), { room: 'gate', state: 'empty', publisherId: undefined });
    assert.equal(rooms.get('gate'), undefined);
    const first = rooms.publish(request());
    assert.deepEqual([rooms.get('gate')?.state, rooms.get('gate')?.playable, rooms.get('gate')?.kind], ['live', true, 'live']);
    first.close('lost');
    await clock.advance(4_900);
    assert.deepEqual(rooms.status('gate'), { room: 'gate', state: 'waiting', publisherId: 'cam' });
    const second = rooms.publish(request({ clientId: 'cam-2' }));
    await clock.advance(60_000);
    second.close('lost');
    await clock.advance(5_001);
    assert.deepEqual([rooms.get('gate')?.state, rooms.get('gate')?.playable, rooms.list().length], ['empty', false, 0]);
    rooms.publish(request()).close('left');
    assert.deepEqual(
      states.map(({ state, publisherId }) => `${state} ${publisherId ?? '-'}`),
      ['live cam', 'waiting cam', 'live cam-2', 'waiting cam-2', 'empty -', 'live cam', 'empty -'],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  it('refuses names that are none, and names of other sources', () => {
    const { rooms } = setUp({ isTaken: (room) => (room === 'street' ? 'a file' : undefined) });
    for (const room of ['', '.', '..', 'a/b', 'a b', 'ä', 'x'.repeat(65), 'null\0'])
      assert.throws(() => rooms.publish(request({ room })), { code: 'ROOM_INVALID' }, room);
    assert.throws(() => rooms.publish(request({ room: 'street' })), { code: 'ROOM_TAKEN', message: /a file/ });
    rooms.publish(request({ room: 'x'.repeat(64) }));
    rooms.close();
    assert.throws(() => rooms.publish(request()), { code: 'SERVER_CLOSING' });
  });

  it('refuses a second publisher, unless it may take over, or the first one is no longer heard', () => {
    const { rooms } = setUp();
    const ends: string[] = [];
    let isAlive = true;
    const first = rooms.publish(request({ aliveForMs: () => (isAlive ? 1500 : 0), end: (reason) => void ends.push(`first ${reason}`) }));
    assert.throws(() => rooms.publish(request({ clientId: 'b' })), { code: 'ROOM_TAKEN', retryAfterS: 2 });
    assert.deepEqual([ends, rooms.status('gate').publisherId], [[], 'cam']);
    isAlive = false;
    rooms.publish(request({ clientId: 'b', end: (reason) => void ends.push(`second ${reason}`) }));
    rooms.publish(request({ clientId: 'c', takeover: true, end: (reason) => void ends.push(`third ${reason}`) }));
    first.close('left');
    assert.equal(rooms.status('gate').publisherId, 'c');
    rooms.close();
    assert.deepEqual(ends, ['first publisher-replaced', 'second publisher-replaced', 'third server-closing']);
  });

  it('bounds the number of rooms, and takes another one when one is empty', () => {
    const { rooms } = setUp();
    const all = Array.from({ length: 1000 }, (_unused, i) => rooms.publish(request({ room: `r${i}` })));
    assert.throws(() => rooms.publish(request()), { code: 'CAPACITY_REACHED' });
    all[7]?.close('left');
    rooms.publish(request());
    rooms.close();
  });

  it('asks the camera to reconnect for those who see a dead picture', () => {
    const { rooms } = setUp();
    const asked: string[] = [];
    assert.equal(rooms.requestReconnect('gate', 'dead'), false);
    const publication = rooms.publish(request({ requestReconnect: (reason) => void asked.push(reason) }));
    assert.equal(rooms.requestReconnect('gate', 'dead'), true);
    publication.close('lost');
    assert.equal(rooms.requestReconnect('gate', 'dead'), false);
    assert.deepEqual(asked, ['dead']);
    rooms.close();
  });

  it('says of a room that is expected that it is not live, and of one that nobody knows nothing', () => {
    const { rooms } = setUp({ expected: ['yard'] });
    assert.equal(rooms.get('nowhere'), undefined);
    const yard = rooms.list()[0];
    assert.deepEqual([yard?.id, yard?.state, yard?.playable], ['yard', 'empty', false]);
    assert.throws(() => yard?.open({ encodedVideo: () => undefined, picture: () => undefined, audio: () => undefined }, realDeps()), {
      code: 'SOURCE_NOT_LIVE',
      retryAfterS: 5,
    });
  });

  it('knows size and rate once frames have come', async () => {
    const { clock, rooms } = setUp();
    const publication = rooms.publish(request({ hasAudio: true }));
    assert.deepEqual([rooms.get('gate')?.widthPx, rooms.get('gate')?.fps, rooms.get('gate')?.videoCodec], [null, null, 'h264']);
    await send(clock, publication, 30);
    const { widthPx, heightPx, fps, audioCodec, hasAudio } = rooms.get('gate') ?? {};
    assert.deepEqual([widthPx, heightPx, fps, audioCodec, hasAudio], [320, 180, 30, 'opus', true]);
    rooms.close();
  });

  it('takes no keyframe whose size cannot be read, or is beyond all measure', async () => {
    const { clock, rooms } = setUp();
    const asked: number[] = [];
    const publication = rooms.publish(request({ video: 'vp8', requestKeyframe: () => asked.push(1) }));
    const { feed, frames } = watch(rooms, clock);
    const huge = Buffer.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f]);
    for (const data of [Buffer.alloc(0), Buffer.from([0]), Buffer.alloc(12), huge])
      publication.video({ data, mediaTimeMs: 1, keyframe: true });
    assert.equal(frames.length, 0);
    await clock.advance(1_500);
    assert.ok(asked.length >= 2, `asked ${asked.length} times`);
    await feed.close();
    rooms.close();
  });
});

describe('a feed of a room', () => {
  it('gives nothing of what follows a keyframe that cannot be used, until one can', async () => {
    const { clock, rooms } = setUp();
    const publication = rooms.publish(request());
    await send(clock, publication, 5);
    const { feed, frames, waiting } = watch(rooms, clock);
    await send(clock, publication, 5, H264.slice(5));
    publication.video({ data: Buffer.from([0, 0, 0, 1, 0x65]), mediaTimeMs: 1000 / 3, keyframe: true });
    await send(clock, publication, 70, H264.slice(1));
    assert.equal(frames.length, 5);
    assert.deepEqual([waiting, rooms.get('gate')?.widthPx], [[true], 320]);
    publication.video(H264[0] as EncodedFrame);
    publication.video(H264[1] as EncodedFrame);
    assert.deepEqual(
      [waiting, frames.slice(-2).map(({ keyframe }) => keyframe)],
      [
        [true, false],
        [true, false],
      ],
    );
    await feed.close();
    rooms.close();
  });

  it('goes on from the newest frame when the camera is back: a slate that ends moves the time no more', async () => {
    const { clock, rooms } = setUp();
    const publication = rooms.publish(request());
    await send(clock, publication, 5);
    const { feed, frames, deps } = watch(rooms, clock);
    publication.close('lost');
    const more = async (): Promise<boolean> => {
      await clock.advance(10);
      return frames.length >= 3;
    };
    await eventually(more, 20_000, 'the slate');
    const back = rooms.publish(request());
    back.video(H264[0] as EncodedFrame);
    const firstMs = frames.at(-1)?.mediaTimeMs as number;
    // The process of the slate is ending meanwhile.
    await clock.advance(900);
    assert.equal(feed.timeline.newestMs, firstMs);
    back.video({ ...(H264[1] as EncodedFrame), mediaTimeMs: 890 });
    assert.equal(frames.at(-1)?.mediaTimeMs, firstMs + 890);
    await feed.close();
    assertNothingHeld(deps);
    rooms.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('that is given up before it began leaves nothing behind', () => {
    const { clock, rooms } = setUp();
    const asked: number[] = [];
    const publication = rooms.publish(request({ requestKeyframe: () => asked.push(1) }));
    const sink = { encodedVideo: () => assert.fail('nothing is wanted'), picture: () => undefined, audio: () => undefined };
    const feed = rooms.get('gate')?.open(sink, { ...realDeps(), clock, signal: AbortSignal.abort() });
    assert.deepEqual(feed?.end, { reason: 'viewer-left' });
    publication.video(H264[0] as EncodedFrame);
    assert.deepEqual([clock.pendingTimers, asked], [0, []]);
    rooms.close();
  });

  it('ends when the grace time is over, and gives everything back', async () => {
    const { clock, rooms } = setUp({ graceMs: 3_000 });
    const publication = rooms.publish(request());
    await send(clock, publication, 10);
    const { feed, frames, waiting, deps } = watch(rooms, clock);
    await send(clock, publication, 10);
    assert.equal(frames.length, 10);
    publication.close('lost');
    assert.deepEqual(waiting, [true]);
    await clock.advance(3_001);
    const end: FeedEnd = await feed.closed;
    assert.equal(end.reason, 'source-ended');
    assertNothingHeld(deps);
    assert.equal(clock.pendingTimers, 0);
  });

  it('shows the slate when frames have stopped for 2 s, and not before', async () => {
    const { clock, rooms } = setUp();
    const publication = rooms.publish(request());
    await send(clock, publication, 10);
    const { feed, waiting, deps } = watch(rooms, clock);
    await clock.advance(1_900);
    publication.video(H264[10] as EncodedFrame);
    await clock.advance(1_900);
    assert.deepEqual(waiting, []);
    await clock.advance(500);
    assert.deepEqual([waiting, feed.live], [[true], { state: 'live', publisherId: 'cam', isWaiting: true }]);
    await feed.close();
    assertNothingHeld(deps);
    rooms.close();
  });

  it('asks for a keyframe when the open group is 4 s old, then every 4 s; nobody asks while nobody watches', async () => {
    const { clock, rooms } = setUp();
    const asked: number[] = [];
    const keyframes = new KeyframeRequests(clock, () => asked.push(1));
    const publication = rooms.publish(request({ requestKeyframe: () => keyframes.request() }));
    const deltas = [H264[0] as EncodedFrame, ...H264.slice(1), ...H264.slice(1), ...H264.slice(1), ...H264.slice(1), ...H264.slice(1)].map(
      (frame, i) => ({ ...frame, mediaTimeMs: i * 33 }),
    );
    await send(clock, publication, 200, deltas);
    assert.equal(asked.length, 0);
    const { feed, frames } = watch(rooms, clock);
    assert.deepEqual([asked.length, frames.length], [1, 0]);
    for (const frame of deltas.slice(200)) {
      publication.video(frame);
      await clock.advance(33);
    }
    assert.equal(frames.length, 0, 'what cannot be decoded is not shown');
    const times: number = asked.length;
    assert.ok(times >= 3 && times <= 5, `asked ${times} times in 3.2 s`);
    keyframes.close();
    await feed.close();
    rooms.close();
  });

  it('passes every wish for a keyframe on at once, to the publisher of the time', async () => {
    const { clock, rooms } = setUp();
    const asked: string[] = [];
    const asking = (clientId: string) => request({ clientId, takeover: true, requestKeyframe: () => asked.push(clientId) });
    const publication = rooms.publish(asking('cam'));
    await send(clock, publication, 5);
    const { feed } = watch(rooms, clock);
    assert.deepEqual([asked, feed.openGroup?.length], [[], 5], 'the open group is enough to begin with');
    feed.requestKeyframe?.();
    feed.requestKeyframe?.();
    const next = rooms.publish(asking('other'));
    next.video(H264[0] as EncodedFrame);
    feed.requestKeyframe?.();
    assert.deepEqual(asked, ['cam', 'cam', 'other']);
    await feed.close();
    rooms.close();
  });

  it('of the next run goes on where the last one was, with the frames that came meanwhile', async () => {
    const { clock, rooms } = setUp();
    const publication = rooms.publish(request());
    publication.video(H264[0] as EncodedFrame);
    const first = watch(rooms, clock);
    await send(clock, publication, 10, H264.slice(1));
    const tall = encodedClip({ codec: 'h264', size: '180x320' }).map((frame) => ({ ...frame, mediaTimeMs: frame.mediaTimeMs + 367 }));
    publication.video(tall[0] as EncodedFrame);
    assert.equal((await first.feed.closed).reason, 'replaced');
    publication.video(tall[1] as EncodedFrame);
    const second = watch(rooms, clock, first.feed.timeline);
    assert.deepEqual([second.feed.info.widthPx, second.feed.info.heightPx], [180, 320]);
    const times = [...first.frames, ...(second.feed.openGroup ?? [])].map(({ mediaTimeMs }) => Math.round(mediaTimeMs));
    assert.deepEqual(times.slice(-4), [300, 333, 367, 400]);
    await second.feed.close();
    rooms.close();
  });
});

describe('SourceCatalogue', () => {
  it('has files, inputs and rooms by their ids; a room that is live keeps its name', () => {
    const { rooms } = setUp({ expected: ['yard'] });
    const file = (id: string) => ({ ...rooms.list()[0], id, kind: 'file', state: 'live', playable: true }) as never;
    const library = {
      list: () => [{ id: 'street' }, { id: 'gate' }] as never,
      source: (id: string) => (['street', 'gate'].includes(id) ? file(id) : undefined),
    };
    const catalogue = new SourceCatalogue({
      library,
      rooms,
      pulls: {
        list: () => [{ ...(file('ip') as object), kind: 'pull' } as never],
        get: (id) => (id === 'ip' ? ({ ...(file('ip') as object), kind: 'pull' } as never) : undefined),
      },
    });
    assert.deepEqual(
      catalogue.list().map(({ id, kind }) => `${id} ${kind}`),
      ['street file', 'gate file', 'ip pull', 'yard live'],
    );
    assert.deepEqual(catalogue.playable(), ['street', 'gate', 'ip']);
    const publisher = new FakePublisher(rooms, { room: 'gate', codec: 'vp8' });
    assert.deepEqual(
      [catalogue.find('gate')?.kind, catalogue.find('street')?.kind, catalogue.find('nowhere')],
      ['live', 'file', undefined],
    );
    publisher.leave('left');
    assert.equal(catalogue.find('gate')?.kind, 'file');
  });
});
