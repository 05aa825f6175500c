import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../src/base/logger.js';
import { Timeline, type EncodedFrame } from '../../../src/media/index.js';
import { LiveRooms, type LayerFeed, type SourceFeed } from '../../../src/source/index.js';
import { pictureSize } from '../../../src/source/picture-size.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { realDeps } from '../../helpers/ffmpeg-deps.js';
import { encodedClip } from '../../helpers/publisher.js';
import { FRAME_MS, SimulcastPublisher } from '../../helpers/simulcast-publisher.js';

/** A publisher of several layers, over a room, with the clock of the test. */
class Room extends SimulcastPublisher {
  readonly clock: FakeClock;
  readonly rooms: LiveRooms;

  constructor(layers?: readonly string[]) {
    const clock = new FakeClock();
    const rooms = new LiveRooms({ clock, logger: silentLogger, graceMs: 30_000 });
    super({ rooms, clock, ...(layers && { layers }) });
    this.clock = clock;
    this.rooms = rooms;
  }

  /** Sends so many captured frames, each in its time. */
  async send(count: number, damaged: readonly string[] = []): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.sendFrame(damaged);
      await this.clock.advance(FRAME_MS);
    }
  }

  watch(timeline = new Timeline()) {
    const frames: EncodedFrame[] = [];
    let changes = 0;
    const sink = {
      encodedVideo: (frame: EncodedFrame) => void frames.push(frame),
      picture: () => undefined,
      audio: () => undefined,
      layersChanged: () => {
        changes++;
      },
    };
    const feed = this.rooms.get('gate')?.open(sink, { ...realDeps(), clock: this.clock, timeline }) as SourceFeed;
    return { feed, frames, changes: () => changes };
  }

  heightOf(frames: readonly EncodedFrame[]): number | undefined {
    const keyframe = frames.findLast((frame) => frame.keyframe);
    return keyframe && pictureSize(this.codec, keyframe)?.heightPx;
  }
}

/** Of the layers that can be opened. */
const heights = (feed: SourceFeed): number[] => (feed.layers ?? []).map(({ heightPx }) => heightPx);

/** Reads the layer of that height. */
function read(feed: SourceFeed, heightPx: number, afterMs = -Infinity): { readonly frames: EncodedFrame[]; readonly layer: LayerFeed } {
  const frames: EncodedFrame[] = [];
  const found = feed.layers?.find((layer) => layer.heightPx === heightPx);
  assert.ok(found, `no layer of ${heightPx}`);
  return { frames, layer: found.open((frame) => void frames.push(frame), afterMs) };
}

function assertAscending(frames: readonly EncodedFrame[], what: string): void {
  frames.forEach((frame, i) => assert.ok(i === 0 || frame.mediaTimeMs > frames[i - 1]!.mediaTimeMs, `${what}: frame ${i}`));
}

describe('the layers of a room', () => {
  for (const order of [
    ['q', 'h', 'f'],
    ['f', 'h', 'q'],
    ['h', 'f', 'q'],
  ])
    it(`are told by their size: the best is the source, those below it are its rungs (${order.join(';')})`, async (t) => {
      const publisher = new Room(order);
      t.after(() => publisher.rooms.close());
      await publisher.send(3);
      const { feed, frames } = publisher.watch();
      t.after(() => feed.close());
      await publisher.send(10);
      assert.deepEqual([feed.info.widthPx, feed.info.heightPx], [640, 360]);
      assert.deepEqual(heights(feed), [360, 180, 90]);
      const source = publisher.rooms.get('gate');
      assert.deepEqual([source?.widthPx, source?.heightPx], [640, 360]);
      assert.equal(publisher.heightOf([...(feed.openGroup ?? []), ...frames]), 360);
    });

  it('have one media time for one frame, and begin with what came last, without asking', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    const lower = read(feed, 180).frames;
    assert.equal(lower.length, 5);
    await publisher.send(20);
    const all = [...(feed.openGroup ?? []), ...frames];
    assert.equal(lower[0]?.keyframe, true);
    assert.equal(publisher.heightOf(lower), 180);
    assert.deepEqual(
      lower.slice(5).map(({ mediaTimeMs }) => mediaTimeMs),
      all.slice(-20).map(({ mediaTimeMs }) => mediaTimeMs),
    );
    assertAscending(lower, 'the layer');
    assert.deepEqual(publisher.asked, []);
  });

  it('that stop are left for the next within a quarter of a second, come back when they flow, and never step back', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    await publisher.send(30);
    for (const [gone, height, rungs] of [
      ['f', 180, [180, 90]],
      ['h', 90, [90]],
    ] as const) {
      publisher.sending.delete(gone);
      const before = frames.length;
      await publisher.send(10);
      assert.ok(frames.length > before, `${gone} is gone`);
      assert.equal(publisher.heightOf(frames.slice(before)), height);
      assert.equal(frames[before]?.keyframe, true, 'the first frame of the next layer is a keyframe');
      assert.deepEqual(heights(feed), rungs);
      assert.equal(publisher.rooms.get('gate')?.heightPx, height);
    }
    publisher.restart('h');
    publisher.restart('f');
    await publisher.send(20);
    assert.equal(publisher.heightOf(frames), 90, 'it is not relied on yet');
    await publisher.send(20);
    assert.equal(publisher.heightOf(frames), 360);
    assert.deepEqual(heights(feed), [360, 180, 90]);
    assert.equal(feed.end, undefined, 'the feed has gone on');
    assertAscending(frames, 'the source');
  });

  it('that stop take nothing from who watches another one', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    const lower = read(feed, 180).frames;
    const before = lower.length;
    publisher.sending.delete('f');
    await publisher.send(60);
    assert.equal(lower.length, before + 60);
    assert.ok(lower.slice(before).filter(({ keyframe }) => keyframe).length <= 1, 'one for the source, which is of this layer now');
  });

  it('begin with the next keyframe for who has frames already, and end with the feed', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    const { frames, layer } = read(feed, 90, 1000);
    assert.deepEqual([frames.length, publisher.asked], [0, ['q']]);
    await publisher.send(1);
    assert.deepEqual(
      frames.map(({ keyframe }) => keyframe),
      [true],
    );
    await feed.close();
    await layer.closed;
    await publisher.send(3);
    assert.equal(frames.length, 1);
    assert.equal(read(feed, 90).layer.closed instanceof Promise, true, 'one that is opened too late ends at once');
  });

  it('are the same objects while they are the same, and changes are told', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, changes } = publisher.watch();
    t.after(() => feed.close());
    const [, middle] = feed.layers ?? [];
    await publisher.send(20);
    assert.equal(feed.layers?.[1], middle);
    assert.equal(changes(), 0);
    publisher.sending.delete('q');
    await publisher.send(20);
    assert.deepEqual([changes(), feed.layers?.[1] === middle], [1, true]);
    publisher.sizes['h'] = '240x136';
    publisher.restart('h');
    await publisher.send(2);
    assert.deepEqual([changes(), feed.layers?.[1] === middle], [2, false]);
  });

  it('are asked for keyframes only where somebody watches them', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    const { layer } = read(feed, 90);
    await publisher.send(200);
    assert.deepEqual([...new Set(publisher.asked)].sort(), ['f', 'q'], 'every 4 s, of those that are watched');
    publisher.asked.length = 0;
    await publisher.send(10, ['h']);
    assert.deepEqual(publisher.asked, [], 'one that is damaged, and that nobody watches');
    await publisher.send(10, ['q']);
    assert.deepEqual([...new Set(publisher.asked)], ['q']);
    await layer.close();
    publisher.asked.length = 0;
    await publisher.send(10, ['q']);
    assert.deepEqual(publisher.asked, []);
    assert.deepEqual(heights(feed), [360, 180, 90], 'they come all the same');
  });

  it('that come damaged for long are left for the next, and come back with a keyframe', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    await publisher.send(10);
    publisher.answers = false;
    const before = frames.length;
    await publisher.send(40, ['f']);
    assert.equal(frames.length, before, 'a repair or a keyframe is waited for');
    await publisher.send(10, ['f']);
    assert.ok(publisher.asked.includes('h'));
    publisher.answers = true;
    await publisher.send(4, ['f']);
    assert.equal(publisher.heightOf(frames), 360, 'the keyframe of the best layer came first');
    assert.equal(frames.at(-1)?.mediaTimeMs !== undefined && frames.length > before, true);
  });

  it('that are all silent at once are as they were: it is the network', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    await publisher.send(10);
    await publisher.clock.advance(1500);
    publisher.asked.length = 0;
    await publisher.send(10);
    assert.deepEqual(publisher.asked, []);
    assert.equal(publisher.heightOf([...(feed.openGroup ?? []), ...frames]), 360);
    assert.deepEqual(heights(feed), [360, 180, 90]);
  });

  it('that change their size are others from then on', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    publisher.sizes['h'] = '240x136';
    publisher.restart('h');
    await publisher.send(2);
    assert.deepEqual(heights(feed), [360, 136, 90]);
    publisher.sizes['h'] = '160x90';
    publisher.restart('h');
    await publisher.send(2);
    assert.deepEqual(heights(feed), [360, 90, 90]);
  });

  it('are unknown before their first keyframe, which is asked for', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    publisher.publication.keyframeNeeded('h');
    publisher.publication.keyframeNeeded('nonsense');
    assert.deepEqual(publisher.asked, ['h']);
    publisher.sending.delete('f');
    await publisher.send(3);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    assert.equal(feed.info.heightPx, 180);
    publisher.publication.video(encodedClip({ codec: 'vp8' })[0] as EncodedFrame, 'nonsense');
    publisher.publication.video(encodedClip({ codec: 'vp8' })[0] as EncodedFrame);
    publisher.restart('f');
    await publisher.send(1);
    assert.deepEqual(await feed.closed, { reason: 'replaced' }, 'renditions of a larger source begin anew');
    const next = publisher.watch();
    t.after(() => next.feed.close());
    assert.equal(next.feed.info.heightPx, 360);
  });

  it('give way to those of the next publisher, which may have others', async (t) => {
    const publisher = new Room();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    const lower = read(feed, 90).frames;
    await publisher.send(5);
    publisher.publication.close('lost');
    const single = publisher.rooms.publish({
      room: 'gate',
      clientId: 'cam',
      takeover: false,
      video: 'vp8',
      hasAudio: false,
      aliveForMs: () => 0,
      requestKeyframe: () => undefined,
      requestReconnect: () => undefined,
      end: () => undefined,
    });
    const clip = encodedClip({ codec: 'vp8', size: '640x360' });
    const [before, lowerBefore] = [frames.length, lower.length];
    for (let i = 0; i < 10; i++) {
      single.video({ ...(clip[i] as EncodedFrame), mediaTimeMs: i * FRAME_MS });
      await publisher.clock.advance(FRAME_MS);
    }
    assert.equal(frames.length, before + 10);
    assert.equal(lower.length, lowerBefore, 'the layer is gone');
    assert.deepEqual(heights(feed), [360]);
    assertAscending(frames, 'over the change');
  });
});
