import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../src/base/logger.js';
import { Timeline, type EncodedFrame, type Publication, type PublicationRequest, type VideoCodec } from '../../../src/media/index.js';
import { LiveRooms, type SourceFeed } from '../../../src/source/index.js';
import { pictureSize } from '../../../src/source/picture-size.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { realDeps } from '../../helpers/ffmpeg-deps.js';
import { encodedClip } from '../../helpers/publisher.js';

const FRAME_MS = 1000 / 30;
/** Layers by their rids, with their short sides. */
const SIZES: Readonly<Record<string, string>> = { q: '160x90', h: '320x180', f: '640x360' };

/** A publisher of several layers, over a room, with the clock of the test. */
class SimulcastPublisher {
  readonly clock = new FakeClock();
  readonly rooms = new LiveRooms({ clock: this.clock, logger: silentLogger, graceMs: 30_000 });
  /** Layers that are sent. */
  readonly sending: Set<string>;
  /** Layers of which keyframes were asked for, each time. */
  readonly asked: string[] = [];
  readonly publication: Publication;
  readonly sizes = { ...SIZES };
  /** False: a keyframe that is asked for does not come. */
  answers = true;
  readonly #next = new Map<string, number>();
  readonly #sentAtMs = new Map<string, number>();
  #frames = 0;

  constructor(
    readonly layers: readonly string[] = ['q', 'h', 'f'],
    readonly codec: VideoCodec = 'vp8',
  ) {
    this.sending = new Set(layers);
    const request: PublicationRequest = {
      room: 'gate',
      clientId: 'cam',
      takeover: false,
      video: codec,
      layers,
      hasAudio: false,
      aliveForMs: () => 2000,
      silentForMs: (layer) => this.clock.now() - (this.#sentAtMs.get(layer) ?? -Infinity),
      requestKeyframe: (layer = '') => {
        this.asked.push(layer);
        if (this.answers) this.#next.set(layer, 0);
      },
      requestReconnect: () => undefined,
      end: () => undefined,
    };
    this.publication = this.rooms.publish(request);
  }

  get timeMs(): number {
    return this.#frames * FRAME_MS;
  }

  /** Sends so many captured frames in every layer that is sent. @param damaged layers whose packets come, and whose frames cannot be decoded */
  async send(count: number, damaged: readonly string[] = []): Promise<void> {
    for (let i = 0; i < count; i++) {
      for (const layer of this.sending) {
        this.#sentAtMs.set(layer, this.clock.now());
        const clip = encodedClip({ codec: this.codec, size: this.sizes[layer] ?? '', seconds: 2 });
        const next = this.#next.get(layer) ?? 0;
        if (damaged.includes(layer) && next !== 0) {
          this.publication.keyframeNeeded(layer);
          continue;
        }
        this.#next.set(layer, next + 1 === clip.length ? 1 : next + 1);
        this.publication.video({ ...(clip[next] as EncodedFrame), mediaTimeMs: this.timeMs }, layer);
      }
      this.#frames++;
      await this.clock.advance(FRAME_MS);
    }
  }

  /** The next frames of it that are sent begin with a keyframe, as of an encoder that starts again. */
  restart(layer: string): void {
    this.sending.add(layer);
    this.#next.set(layer, 0);
  }

  watch(timeline = new Timeline()) {
    const frames: EncodedFrame[] = [];
    const feed = this.rooms
      .get('gate')
      ?.open(
        { encodedVideo: (frame) => void frames.push(frame), picture: () => undefined, audio: () => undefined },
        { ...realDeps(), clock: this.clock, timeline },
      ) as SourceFeed;
    return { feed, frames };
  }

  heightOf(frames: readonly EncodedFrame[]): number | undefined {
    const keyframe = frames.findLast((frame) => frame.keyframe);
    return keyframe && pictureSize(this.codec, keyframe)?.heightPx;
  }

  get rungs(): (feed: SourceFeed) => number[] {
    return (feed) => (feed.rungs ?? []).map(({ heightPx }) => heightPx);
  }
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
      const publisher = new SimulcastPublisher(order);
      t.after(() => publisher.rooms.close());
      await publisher.send(3);
      const { feed, frames } = publisher.watch();
      t.after(() => feed.close());
      await publisher.send(10);
      assert.deepEqual([feed.info.widthPx, feed.info.heightPx], [640, 360]);
      assert.deepEqual(publisher.rungs(feed), [180, 90]);
      const source = publisher.rooms.get('gate');
      assert.deepEqual([source?.widthPx, source?.heightPx], [640, 360]);
      assert.equal(publisher.heightOf([...(feed.openGroup ?? []), ...frames]), 360);
    });

  it('have one media time for one frame, and begin with what came last, without asking', async (t) => {
    const publisher = new SimulcastPublisher();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    const lower: EncodedFrame[] = [];
    const rung = feed.openRung!(180, (frame) => void lower.push(frame), false);
    await publisher.send(20);
    const all = [...(feed.openGroup ?? []), ...frames];
    const mine = [...rung.openGroup, ...lower];
    assert.equal(mine[0]?.keyframe, true);
    assert.equal(publisher.heightOf(mine), 180);
    assert.deepEqual(
      lower.map(({ mediaTimeMs }) => mediaTimeMs),
      all.slice(-20).map(({ mediaTimeMs }) => mediaTimeMs),
    );
    assertAscending(mine, 'the rung');
    assert.deepEqual(publisher.asked, []);
  });

  it('that stop are left for the next within a quarter of a second, come back when they flow, and never step back', async (t) => {
    const publisher = new SimulcastPublisher();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    await publisher.send(30);
    for (const [gone, height, rungs] of [
      ['f', 180, [90]],
      ['h', 90, []],
    ] as const) {
      publisher.sending.delete(gone);
      const before = frames.length;
      await publisher.send(10);
      assert.ok(frames.length > before, `${gone} is gone`);
      assert.equal(publisher.heightOf(frames.slice(before)), height);
      assert.equal(frames[before]?.keyframe, true, 'the first frame of the next layer is a keyframe');
      assert.deepEqual(publisher.rungs(feed), rungs);
      assert.equal(publisher.rooms.get('gate')?.heightPx, height);
    }
    publisher.restart('h');
    publisher.restart('f');
    await publisher.send(20);
    assert.equal(publisher.heightOf(frames), 90, 'it is not relied on yet');
    await publisher.send(20);
    assert.equal(publisher.heightOf(frames), 360);
    assert.deepEqual(publisher.rungs(feed), [180, 90]);
    assert.equal(feed.end, undefined, 'the feed has gone on');
    assertAscending(frames, 'the source');
  });

  it('that stop take nothing from who watches another one', async (t) => {
    const publisher = new SimulcastPublisher();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    const lower: EncodedFrame[] = [];
    feed.openRung!(180, (frame) => void lower.push(frame), false);
    publisher.sending.delete('f');
    await publisher.send(60);
    assert.equal(lower.length, 60);
    assert.equal(lower.filter(({ keyframe }) => keyframe).length <= 1, true, 'one for the source, which is of this layer now');
  });

  it('whose rung stops are replaced by the next smaller one, the smallest by the next larger', async (t) => {
    const publisher = new SimulcastPublisher();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    const [middle, small]: [EncodedFrame[], EncodedFrame[]] = [[], []];
    feed.openRung!(180, (frame) => void middle.push(frame), false);
    feed.openRung!(90, (frame) => void small.push(frame), false);
    publisher.sending.delete('h');
    await publisher.send(30);
    assert.equal(publisher.heightOf(middle), 90);
    publisher.sending.delete('q');
    publisher.restart('h');
    await publisher.send(60);
    assert.equal(publisher.heightOf(middle), 180);
    assert.equal(publisher.heightOf(small), 180);
    for (const frames of [middle, small]) assertAscending(frames, 'a rung');
  });

  it('are asked for keyframes only where somebody watches them', async (t) => {
    const publisher = new SimulcastPublisher();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    const rung = feed.openRung!(90, () => undefined, false);
    await publisher.send(200);
    assert.deepEqual([...new Set(publisher.asked)].sort(), ['f', 'q'], 'every 4 s, of those that are watched');
    publisher.asked.length = 0;
    await publisher.send(10, ['h']);
    assert.deepEqual(publisher.asked, [], 'one that is damaged, and that nobody watches');
    await publisher.send(10, ['q']);
    assert.deepEqual([...new Set(publisher.asked)], ['q']);
    await rung.close();
    publisher.asked.length = 0;
    await publisher.send(10, ['q']);
    assert.deepEqual(publisher.asked, []);
    assert.deepEqual(publisher.rungs(feed), [180, 90], 'they come all the same');
  });

  it('that come damaged for long are left for the next, and come back with a keyframe', async (t) => {
    const publisher = new SimulcastPublisher();
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
    const publisher = new SimulcastPublisher();
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
    assert.deepEqual(publisher.rungs(feed), [180, 90]);
  });

  it('that change their size are named by the new one; of two of one size there is one', async (t) => {
    const publisher = new SimulcastPublisher();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed } = publisher.watch();
    t.after(() => feed.close());
    publisher.sizes['h'] = '240x136';
    publisher.restart('h');
    await publisher.send(2);
    assert.deepEqual(publisher.rungs(feed), [136, 90]);
    publisher.sizes['h'] = '160x90';
    publisher.restart('h');
    await publisher.send(2);
    assert.deepEqual(publisher.rungs(feed), [90]);
    publisher.sizes['q'] = '640x360';
    publisher.restart('q');
    await publisher.send(2);
    assert.deepEqual(publisher.rungs(feed), [90], 'the size of the source is no rung of it');
  });

  it('are unknown before their first keyframe, which is asked for', async (t) => {
    const publisher = new SimulcastPublisher();
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
    const publisher = new SimulcastPublisher();
    t.after(() => publisher.rooms.close());
    await publisher.send(5);
    const { feed, frames } = publisher.watch();
    t.after(() => feed.close());
    const lower: EncodedFrame[] = [];
    feed.openRung!(90, (frame) => void lower.push(frame), false);
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
    assert.equal(lower.length, lowerBefore + 10, 'who watched a rung has what there is');
    assert.deepEqual(publisher.rungs(feed), []);
    for (const each of [frames, lower]) assertAscending(each, 'over the change');
  });
});
