import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenedSource, Rung } from '../../../src/media/index.js';
import { CongestionController } from '../../../src/webrtc/congestion/index.js';
import { QualityControl } from '../../../src/webrtc/session/quality-control.js';
import { rungsWithin } from '../../../src/webrtc/session/quality-wish.js';
import type { Aim } from '../../../src/webrtc/session/tiles.js';
import type { ViewerStream } from '../../../src/webrtc/session/viewer-stream.js';
import type { Congestion } from '../../../src/webrtc/transport/packet-transport.js';
import { FakeClock } from '../../helpers/fake-clock.js';

const rung = (name: string, bitrateBps: number): Rung => ({
  ...{ name, bitrateBps, widthPx: undefined, heightPx: undefined },
  ...{ isRunning: false, isAvailable: true, makesKeyframes: name !== 'source' },
});

test('another source begins with as little as the network carries, not with every frame', () => {
  const clock = new FakeClock();
  const controller = new CongestionController();
  controller.setPath(40);
  const ladder = [rung('source', 2_500_000), rung('180p', 180_000)];
  const restrictions: { readonly isHeld: boolean; readonly isKeyframesOnly: boolean }[] = [];
  const stream = {
    transport: 0,
    rung: undefined,
    ladderOf: () => ladder,
    restrict: (restriction: { readonly isHeld: boolean; readonly isKeyframesOnly: boolean }) => void restrictions.push(restriction),
    cut: () => undefined,
  } as unknown as ViewerStream;
  const aim: Aim = { source: { sourceId: 'garden' } as OpenedSource, rendition: 'raw', maxHeightPx: Infinity };
  const quality = new QualityControl({
    clock,
    streams: [stream],
    congestion: () => ({ controller, onUpdated: () => () => undefined }) as unknown as Congestion,
    aimOf: () => aim,
    onDecided: () => undefined,
  });
  quality.connected();
  for (let sent = 0; sent < 200; sent++) controller.onSent(1_200, 0);
  controller.onRemb(150_000, 0);
  assert.ok(controller.overuses > 0);
  const choices = quality.choicesFor(new Map([[stream, aim]]), 'auto');
  assert.deepEqual(choices.get(stream), { rung: '180p', delivery: 'keyframes' });
  quality.adopt([stream], choices);
  assert.equal(quality.targetOf(stream)?.delivery, 'keyframes');
  assert.equal(restrictions.at(-1)?.isKeyframesOnly, true);
  quality.close();
});

test('a quality that is not to be had stands for those below it, else for the lowest; the names of no height stand for all', () => {
  const of = (name: string): Rung => {
    const heightPx = name === 'source' ? 720 : parseInt(name, 10);
    return { ...rung(name, 1), widthPx: (heightPx * 16) / 9, heightPx };
  };
  const cases: readonly (readonly [ladder: string, wish: string, maxHeightPx: number, within: string])[] = [
    ['source 540p 360p 180p', '360p', Infinity, 'source 540p 360p 180p'],
    ['source 540p 180p', '360p', Infinity, '180p'],
    ['source 540p', '360p', Infinity, '540p'],
    ['source', '360p', Infinity, 'source'],
    ['source 540p 360p', '720p', Infinity, 'source 540p 360p'],
    ['source 540p 360p', 'auto', 540, '540p 360p'],
    ['source 540p 360p 180p', '540p', 360, '360p 180p'],
    ['source 540p 360p', 'source', 360, '360p'],
  ];
  for (const [ladder, wish, maxHeightPx, within] of cases) {
    const names = rungsWithin(ladder.split(' ').map(of), wish, maxHeightPx).map(({ name }) => name);
    assert.equal(names.join(' '), within, `${wish} of ${ladder}, up to ${maxHeightPx}`);
  }
});

/** Tiles of a wall on one way, of which nothing is known but that it is long. */
const wallOf = (count: number, controller: CongestionController, ladder: readonly Rung[]) => {
  controller.setPath(40);
  const streams = Array.from(
    { length: count },
    () =>
      ({ transport: 0, rung: 'none', ladderOf: () => ladder, restrict: () => undefined, cut: () => undefined }) as unknown as ViewerStream,
  );
  const quality = new QualityControl({
    clock: new FakeClock(),
    streams,
    congestion: () => ({ controller, onUpdated: () => () => undefined }) as unknown as Congestion,
    aimOf: (stream) => ({
      source: { sourceId: `cam${streams.indexOf(stream)}` } as OpenedSource,
      ...{ rendition: 'raw', maxHeightPx: Infinity },
    }),
    onDecided: () => undefined,
  });
  quality.connected();
  return { quality, streams };
};

const LADDER = [rung('source', 700_000), rung('360p', 550_000), rung('180p', 180_000), rung('90p', 60_000)];
const bitrateOf = (name: string): number => LADDER.find((each) => each.name === name)!.bitrateBps!;

for (const count of [1, 2, 4, 8])
  test(`what fills the time of ${count} streams until a keyframe fits the network together, and is no more than what they wait for`, () => {
    const controller = new CongestionController();
    const { quality, streams } = wallOf(count, controller, LADDER);
    const targets = streams.map((stream) => quality.targetOf(stream)!.rung);
    for (const stream of streams) quality.detour(stream);
    const filling = streams.map((stream) => quality.rungOf(stream));
    const totalBps = filling.reduce((sum, name) => sum + bitrateOf(name), 0);
    assert.ok(totalBps <= 0.85 * controller.estimateBps!, `${filling.join()} of ${controller.estimateBps} bit/s`);
    for (const [at, name] of filling.entries()) assert.ok(bitrateOf(name) <= bitrateOf(targets[at]!), `${name} for ${targets[at]}`);
    quality.close();
  });

test('the replays of all streams together take what half a second of the network carries', () => {
  for (const count of [1, 4, 16]) {
    const controller = new CongestionController();
    const { quality, streams } = wallOf(count, controller, LADDER);
    const totalBytes = streams.reduce((sum, stream) => sum + quality.maxReplayBytes(stream), 0);
    assert.equal(totalBytes, controller.estimateBps! / 16);
    quality.close();
  }
});
