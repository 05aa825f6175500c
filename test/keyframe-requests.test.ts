import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../src/base/logger.js';
import { Pipelines } from '../src/pipeline/index.js';
import { LiveRooms } from '../src/source/index.js';
import { writePli } from '../src/webrtc/rtp/receive/feedback-packets.js';
import { Outages } from '../src/webrtc/session/outages.js';
import { Viewer } from '../src/webrtc/session/viewer.js';
import { FakeClock } from './helpers/fake-clock.js';
import { assertNothingHeld, realDeps } from './helpers/ffmpeg-deps.js';
import { fixedModel } from './helpers/pipeline-rig.js';
import { FakeGateway } from './webrtc/fake-gateway.js';
import { offer, planOf } from './webrtc/offers.js';
import { FEEDBACK, PublisherFixture } from './webrtc/publisher-fixture.js';

/** Rooms and pipelines as in the server, between a publisher and its viewers. */
class RoomGateway extends FakeGateway {
  readonly deps;
  readonly rooms: LiveRooms;
  readonly pipelines: Pipelines;

  constructor(clock: FakeClock) {
    super({ clock });
    this.deps = { ...realDeps(), clock };
    const common = { clock, logger: silentLogger };
    this.rooms = new LiveRooms({ ...common, graceMs: 0 });
    this.pipelines = new Pipelines({
      ...common,
      ffmpeg: this.deps,
      models: fixedModel(undefined),
      detectFps: 30,
      idleGraceMs: 0,
      find: (id) => this.rooms.get(id),
      playable: () => [],
      maxRunning: 10,
      isNeverRefused: () => false,
    });
  }

  override open(sourceId: string): ReturnType<Pipelines['open']> {
    return this.pipelines.open(sourceId);
  }

  override publish(request: Parameters<LiveRooms['publish']>[0]): ReturnType<LiveRooms['publish']> {
    return this.rooms.publish(request);
  }
}

/** A viewer of a session over a network that only writes down. */
async function watch(gateway: RoomGateway, clock: FakeClock) {
  const source = await gateway.open('gate');
  const plan = planOf(offer('chromium'), source.media, ['raw']);
  const viewer = new Viewer(
    { sources: { sourceId: 'gate', own: source, named: new Map(), tiles: undefined }, plan, gateway, clock },
    {
      clientId: 'watcher',
      logger: silentLogger,
      sourceChanging: () => assert.fail(),
      sourceChanged: () => assert.fail(),
      qualityChanged: () => undefined,
      restartIce: () => assert.fail(),
      transport: () => ({ pendingBytes: 0, sendRtp: () => undefined, repeatRtp: () => undefined, sendRtcp: () => undefined }),
      close: () => undefined,
      fail: (error) => assert.fail(String(error)),
      step: () => undefined,
    },
  );
  viewer.open();
  await clock.advance(0);
  viewer.connected();
  const ssrcs = viewer.localStreams.flatMap((stream) => stream?.ssrc ?? []);
  return {
    loseFrame: () => viewer.receiveRtcp(writePli(1, ssrcs[0] as number), 0),
    close: () => viewer.close('viewer-left'),
  };
}

/** A room whose camera has sent a keyframe and a second of frames. */
async function setUp() {
  const clock = new FakeClock();
  const gateway = new RoomGateway(clock);
  const publisher = new PublisherFixture({ video: FEEDBACK }, clock, new Outages(clock), gateway);
  let frames = 0;
  const send = async (count: number, keyframe = false): Promise<void> => {
    for (let i = 0; i < count; i++) {
      publisher.frame(keyframe && i === 0, { timestamp: 3000 * frames++ });
      await clock.advance(1000 / 30);
    }
  };
  await send(30, true);
  const viewers = [await watch(gateway, clock), await watch(gateway, clock)] as const;
  const close = async (): Promise<void> => {
    for (const viewer of viewers) viewer.close();
    await clock.advance(0);
    publisher.publisher.close('publisher-left');
    gateway.rooms.close();
    await gateway.pipelines.close();
    assertNothingHeld(gateway.deps);
    assert.equal(clock.pendingTimers, 0);
  };
  return { clock, publisher, send, viewers, close };
}

describe('a keyframe that a viewer of a room asks for', () => {
  it('is asked for at the publisher in the same moment', async () => {
    const { publisher, viewers, close } = await setUp();
    assert.equal(publisher.requests(), 0, 'the open group was enough to begin with');
    viewers[0].loseFrame();
    assert.equal(publisher.requests(), 1);
    await close();
  });

  it('is asked for once where two viewers ask within 500 ms, and not again once it came', async () => {
    const { clock, publisher, send, viewers, close } = await setUp();
    viewers[0].loseFrame();
    await clock.advance(200);
    viewers[1].loseFrame();
    await clock.advance(200);
    assert.equal(publisher.requests(), 1);
    await send(60, true);
    assert.equal(publisher.requests(), 1);
    await close();
  });

  it('is asked for again 500 ms after the last request by who lost a frame after that was answered, and no later', async () => {
    const { clock, publisher, send, viewers, close } = await setUp();
    viewers[0].loseFrame();
    await send(6, true);
    viewers[1].loseFrame();
    await clock.advance(299);
    assert.equal(publisher.requests(), 1);
    await clock.advance(2);
    assert.equal(publisher.requests(), 2);
    await close();
  });

  it('is asked for again after 0.5, 1, 2 and then every 4 s, while it does not come', async () => {
    const { clock, publisher, send, viewers, close } = await setUp();
    const sentAtMs: number[] = [];
    const startMs = clock.now();
    viewers[0].loseFrame();
    while (clock.now() < startMs + 8_000) {
      if (publisher.requests() > sentAtMs.length) sentAtMs.push(clock.now() - startMs);
      await send(1);
    }
    assert.deepEqual(
      sentAtMs.map((ms) => Math.floor(ms / 100) * 100),
      [0, 500, 1500, 3500, 7500],
    );
    await close();
  });
});
