import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cameraRows, rateBetween, sentOf } from '../../../src/page/camera/figures.js';
import type { StatsEntry } from '../../../src/page/shared/stats.js';

const report = (bytesSent: number) =>
  new Map<string, StatsEntry>([
    [
      'V',
      { id: 'V', type: 'outbound-rtp', kind: 'video', codecId: 'C', bytesSent, frameWidth: 640, frameHeight: 360, framesPerSecond: 29.6 },
    ],
    ['A', { id: 'A', type: 'outbound-rtp', kind: 'audio', bytesSent: bytesSent / 10 }],
    ['C', { id: 'C', type: 'codec', mimeType: 'video/VP8' }],
    ['R', { id: 'R', type: 'remote-inbound-rtp', kind: 'video', packetsLost: -2 }],
    ['P', { id: 'P', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.0123 }],
  ]);

describe("the figures of a camera's connection", () => {
  it('are written for a person, and none is below zero', () => {
    assert.deepEqual(
      cameraRows(report(0), 1_500_000).map(([, value]) => value),
      ['VP8', '640 × 360', '30 /s', '1.5 Mbit/s', '12 ms', '0'],
    );
  });

  it('are of the largest of several sizes, and losses of all', () => {
    const layer = (id: string, frameWidth: number, framesPerSecond = 30): [string, StatsEntry] => [
      id,
      { id, type: 'outbound-rtp', kind: 'video', codecId: 'C', frameWidth, frameHeight: (frameWidth * 9) / 16, framesPerSecond },
    ];
    const lost = (id: string, packetsLost: number): [string, StatsEntry] => [
      id,
      { id, type: 'remote-inbound-rtp', kind: 'video', packetsLost },
    ];
    const of = (...layers: (readonly [string, StatsEntry])[]): (string | undefined)[] =>
      cameraRows(new Map([...layers, lost('R1', 3), lost('R2', 4)]), undefined).map(([, value]) => value);
    const [small, half, full] = [layer('Q', 320), layer('H', 640), layer('F', 1280, 24)];
    assert.deepEqual(of(small, half, full).slice(1, 3), ['1280 × 720 and 2 smaller', '24 /s']);
    assert.deepEqual(of(small, half, layer('F', 1280, 0)).slice(1, 3), ['640 × 360 and 1 smaller', '30 /s']);
    assert.deepEqual(of(small, layer('H', 0, 0), layer('F', 0, 0)).slice(1, 3), ['320 × 180', '30 /s']);
    assert.equal(of(small, half, full).at(-1), '7');
  });

  it('are left out where they are not known', () => {
    assert.ok(cameraRows(new Map(), undefined).every(([, value]) => value === undefined));
  });

  it('have a bitrate between two reports, video and audio together', () => {
    const first = sentOf(report(0), 1000);
    assert.equal(rateBetween(undefined, first), undefined);
    assert.equal(rateBetween(first, sentOf(report(100_000), 2000)), 880_000);
    assert.equal(rateBetween(sentOf(report(100_000), 1000), sentOf(report(0), 2000)), 0, 'another connection counts from 0 on');
  });
});
