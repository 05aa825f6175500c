import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { Timeline, Track, type EncodedFrame } from '../../src/media/index.js';
import { EncodePlaces } from '../../src/pipeline/encode-places.js';
import { RungProducer } from '../../src/pipeline/rung-producer.js';
import type { SourceLayer } from '../../src/source/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** A layer whose frames a test sends. */
class FakeLayer implements SourceLayer {
  readonly widthPx = 160;
  readonly heightPx = 90;
  readonly codec = 'vp8';
  readonly bitrateBps = undefined;
  readonly isFlowing = true;
  readonly pairing = 'nearest';
  readonly makesKeyframes = true;
  opened = 0;
  keyframeRequests = 0;
  send: (frame: EncodedFrame) => void = () => undefined;
  end: () => void = () => undefined;

  open(onFrame: (frame: EncodedFrame) => void): ReturnType<SourceLayer['open']> {
    this.opened++;
    this.send = onFrame;
    const closed = new Promise<void>((resolve) => (this.end = resolve));
    return {
      closed,
      requestKeyframe: () => {
        this.keyframeRequests++;
      },
      close: () => {
        this.end();
        return closed;
      },
    };
  }
}

const frame = (mediaTimeMs: number, keyframe = false): EncodedFrame => ({ data: Buffer.alloc(20, 1), mediaTimeMs, keyframe });

let clock: FakeClock;
let track: Track;
let layer: FakeLayer | undefined;
let places: EncodePlaces;
let encoders: number;
let written: number[];

function open(canEncode = true): RungProducer {
  const encode = (): { requestKeyframe(): boolean; close(): Promise<void> } => {
    encoders++;
    return {
      requestKeyframe: () => true,
      close: () => {
        encoders--;
        return Promise.resolve();
      },
    };
  };
  return new RungProducer({
    track,
    clock,
    logger: silentLogger,
    places,
    holder: { isIdle: false, giveUp: () => assert.fail('it is watched') },
    cost: 1,
    encode: canEncode ? encode : undefined,
    layer: () => layer,
  });
}

/** The layer's frames, 40 ms apart. */
async function flow(from: number, count: number, isKeyframeFirst = true): Promise<void> {
  for (let i = 0; i < count; i++) {
    layer?.send(frame(from + i * 40, isKeyframeFirst && i === 0));
    await clock.advance(40);
  }
}

describe('what makes a rung', () => {
  beforeEach(() => {
    clock = new FakeClock();
    track = new Track({ name: 'gate/raw/vp8/90p', codec: 'vp8', timeline: new Timeline(), clock });
    written = [];
    track.subscribe({ send: ({ mediaTimeMs }) => void written.push(mediaTimeMs), pendingBytes: 0 });
    layer = undefined;
    places = new EncodePlaces(1);
    encoders = 0;
  });

  it('is what the source brings, without an encoder, from its first keyframe on', async () => {
    layer = new FakeLayer();
    const producer = open();
    layer.send(frame(0));
    await flow(40, 25);
    assert.equal(encoders, 0);
    assert.deepEqual(written.slice(0, 2), [40, 80]);
    assert.equal(track.pairing, 'nearest');
    assert.equal(producer.layer, layer);
    assert.ok(producer.requestKeyframe());
    assert.equal(layer.keyframeRequests, 1);
    await producer.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('is encoded where the source brings nothing in time, and until a keyframe of it comes', async () => {
    layer = new FakeLayer();
    const producer = open();
    await clock.advance(600);
    assert.equal(encoders, 1);
    assert.equal(track.pairing, 'exact');
    track.write(frame(600, true));
    layer.send(frame(580));
    assert.equal(encoders, 1, 'it cannot begin with that');
    layer.send(frame(590, true));
    layer.send(frame(620));
    assert.equal(encoders, 0);
    assert.deepEqual(written, [600, 602, 620], 'times ascend whoever writes');
    await producer.close();
  });

  it('is encoded while what the source brings is silent or gone, and copied again when it is back', async () => {
    layer = new FakeLayer();
    const producer = open();
    await flow(0, 10);
    await clock.advance(3_000);
    assert.equal(encoders, 1, 'silent');
    await flow(4_000, 10);
    assert.equal(encoders, 0, 'back');
    const gone = layer;
    layer = undefined;
    producer.layersChanged();
    assert.equal(encoders, 1, 'gone');
    gone.send(frame(9_000, true));
    assert.ok(!written.includes(9_000), 'nothing comes of what was left');
    layer = new FakeLayer();
    producer.layersChanged();
    await flow(10_000, 3);
    assert.equal(encoders, 0, 'another one');
    await producer.close();
  });

  it('does not open again and again what ends at once', async () => {
    layer = new FakeLayer();
    const producer = open();
    for (let i = 0; i < 40; i++) {
      layer.end();
      await clock.advance(250);
    }
    assert.ok(layer.opened <= 6, `${layer.opened} times in 10 s`);
    assert.equal(encoders, 1);
    await producer.close();
    assert.equal(encoders, 0);
  });

  it('waits for a place where none is free, and takes none where nothing may be encoded', async () => {
    const leave = places.take({ isIdle: false, giveUp: () => undefined }, 1);
    const producer = open();
    await clock.advance(3_000);
    assert.equal(encoders, 0);
    leave();
    await clock.advance(600);
    assert.equal(encoders, 1);
    await producer.close();
    assert.ok(places.hasRoom(1));
    const never = open(false);
    await clock.advance(3_000);
    assert.equal(encoders, 0);
    assert.ok(places.hasRoom(1));
    await never.close();
    assert.equal(clock.pendingTimers, 0);
  });
});
