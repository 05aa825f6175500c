/** Stills of events, of pictures that are painted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { silentLogger } from '../../src/base/logger.js';
import { LabelRenderer } from '../../src/detection/index.js';
import { VideoFrame, type FrameDetections, type TrackedObject } from '../../src/media/index.js';
import { EventStills } from '../../src/pipeline/event-stills.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { plainPicture } from '../helpers/pictures.js';

const labels = new LabelRenderer({ labels: ['thing'] });

function detectionsIn({ widthPx, heightPx }: VideoFrame): FrameDetections {
  const thing = (objectId: number, x: number): TrackedObject => ({
    objectId,
    classId: 0,
    label: 'thing',
    score: 0.9,
    box: [x * widthPx, 0.4 * heightPx, 0.2 * widthPx, 0.4 * heightPx],
    isObserved: true,
    velocity: [0, 0],
  });
  const event = { type: 'enter', id: 'zone', objectId: 1, label: 'thing', classId: 0, score: 0.9, position: [1, 1] } as const;
  return {
    sourceId: 'demo',
    frame: 1,
    mediaTimeMs: 0,
    widthPx,
    heightPx,
    inferenceMs: 1,
    objects: [thing(1, 0.1), thing(2, 0.6)],
    scene: { zones: [], lines: [], events: [event, { ...event, type: 'leave', objectId: 3 }] },
  };
}

function rig() {
  const clock = new FakeClock();
  const stills = new EventStills({ clock, logger: silentLogger });
  let copies = 0;
  const begin = (picture: VideoFrame | undefined): Promise<Uint8Array | undefined> | undefined =>
    stills.begin({
      detections: detectionsIn(picture ?? plainPicture(64, 64)),
      copyPicture: () => {
        copies++;
        return picture;
      },
      labels,
    });
  return { clock, begin, copies: () => copies };
}

describe('the still of an event', () => {
  for (const [width, height, ...size] of [
    [1280, 720, 320, 180],
    [720, 1280, 180, 320],
    [64, 48, 64, 48],
    [3840, 2, 320, 2],
  ] as const)
    it(`is at most 320 pixels on its longer side: ${width}x${height}`, async () => {
      const jpeg = await rig().begin(plainPicture(width, height));
      const { format, width: across, height: down } = await sharp(jpeg).metadata();
      assert.deepEqual([format, across, down], ['jpeg', ...size]);
    });

  it('has a box around the one to whom it happened alone', async () => {
    const { data, info } = await sharp(await rig().begin(plainPicture(1280, 720, 30)))
      .toColourspace('b-w')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const brightest = (from: number, to: number): number => {
      let most = 0;
      for (let y = 0; y < info.height; y++)
        for (let x = Math.round(from * info.width); x < to * info.width; x++) most = Math.max(most, data[y * info.width + x] ?? 0);
      return most;
    };
    assert.ok(brightest(0, 0.5) > 80, 'its box is drawn');
    assert.ok(brightest(0.55, 1) < 40, 'the other one has none');
  });

  it('is made for two moments a second at most, one at a time; no picture is copied for the others', async () => {
    const { begin, clock, copies } = rig();
    const first = begin(plainPicture(64, 48));
    assert.ok(first);
    await clock.advance(100);
    assert.equal(begin(plainPicture(64, 48)), undefined, 'one is being made');
    await first;
    const second = begin(plainPicture(64, 48));
    assert.ok(second);
    await second;
    await clock.advance(899);
    assert.equal(begin(plainPicture(64, 48)), undefined, 'too soon');
    assert.equal(copies(), 2);
    await clock.advance(1);
    assert.equal(begin(undefined), undefined, 'the picture is gone');
    assert.ok(await begin(plainPicture(64, 48)), 'what was not made costs the next one nothing');
    assert.equal(begin(plainPicture(64, 48)), undefined, 'two again');
  });

  it('is none where the picture cannot be encoded, and the next one is made', async () => {
    const { begin, clock } = rig();
    assert.equal(await begin(new VideoFrame({ data: Buffer.alloc(1), widthPx: 64, heightPx: 48, mediaTimeMs: 0 })), undefined);
    await clock.advance(1000);
    assert.ok(await begin(plainPicture(64, 48)));
  });
});
