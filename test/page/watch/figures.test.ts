import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bitrate, type StatsEntry } from '../../../src/page/shared/stats.js';
import { measure, overlayRows, rows } from '../../../src/page/watch/figures.js';

describe('the readout', () => {
  const report = (timestamp: number, bytesReceived: number, emitted: number): Map<string, StatsEntry> =>
    new Map<string, StatsEntry>([
      [
        'V',
        {
          type: 'inbound-rtp',
          id: 'V',
          kind: 'video',
          codecId: 'C',
          timestamp,
          bytesReceived,
          packetsLost: 2,
          frameWidth: 1280,
          frameHeight: 720,
          framesPerSecond: 30,
          jitterBufferDelay: emitted * 0.02,
          jitterBufferEmittedCount: emitted,
        },
      ],
      ['A', { type: 'inbound-rtp', id: 'A', kind: 'audio', timestamp, bytesReceived: bytesReceived / 10, packetsLost: 1 }],
      ['C', { type: 'codec', id: 'C', mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1;profile-level-id=640028' }],
      ['P', { type: 'candidate-pair', id: 'P', nominated: true, state: 'succeeded', currentRoundTripTime: 0.004 }],
    ]);

  it('tells codec and profile, size, losses and round trip from one report', () => {
    const figures = measure(report(0, 0, 0));
    assert.deepEqual(
      [figures.codec, figures.width, figures.packetsLost, figures.roundTripMs, figures.bitrateBps],
      ['H264 High', 1280, 3, 4, undefined],
    );
  });

  it('tells the latency by stage, where it is known', () => {
    const times = { clicked: 0 };
    const latency = { totalMs: 110.4, serverMs: 50.2, networkMs: 20, playoutMs: 40.2 };
    const row = (figures: Parameters<typeof rows>[0]): unknown => rows(figures, times).find(([name]) => name === 'Latency')?.[1];
    assert.equal(row({ latency }), '110 ms (server 50, network 20, player 40)');
    assert.equal(row({}), undefined);
  });

  it('tells rates from two reports', () => {
    const figures = measure(report(2000, 500_000, 60), report(0, 0, 0));
    assert.equal(figures.bitrateBps, (550_000 * 8) / 2);
    assert.equal(Math.round(Number(figures.jitterBufferMs)), 20);
  });

  it('leaves out what is not known yet', () => {
    assert.ok(rows(measure(new Map()), { clicked: 0 }).every(([, value]) => value === undefined));
    assert.deepEqual(
      rows({}, { clicked: 100, posted: 110, connected: 150, firstFrame: 180 })
        .slice(4, 7)
        .map(([, value]) => value),
      ['80 ms', '70 ms', '30 ms'],
    );
  });

  it('tells of the video that is looked at', () => {
    const two = report(0, 0, 0);
    two.set('W', { type: 'inbound-rtp', id: 'W', kind: 'video', trackIdentifier: 'second', frameWidth: 640 });
    assert.deepEqual([measure(two, undefined, 'second').width, measure(two, undefined, 'unknown').width], [640, 1280]);
  });

  it("tells how the overlay's frames were paired", () => {
    const counts = { frames: 2864, paired: 1432, withMessage: 1432, moved: 1400, outdated: 32, late: 0, messages: 1432, lost: 3 };
    const figures = { counts, delayMs: 40, detector: { inferenceMs: 4.12, perSecond: 14.9 }, exactness: 'frame' } as const;
    assert.deepEqual(
      overlayRows(figures).map(([, value]) => value),
      ['1\u202f432 of 1\u202f432', '1\u202f432 of 2\u202f864', '0', '3', '4.1 ms · 15 /s', '40 ms'],
    );
    assert.match(overlayRows({ ...figures, exactness: 'receiver' })[0]?.[1] ?? '', /this browser names no frames/);
    assert.equal(overlayRows({ ...figures, detector: undefined })[4]?.[1], undefined);
  });

  it('writes bitrates in readable units', () => {
    assert.deepEqual([bitrate(64_400), bitrate(2_160_000)], ['64 kbit/s', '2.2 Mbit/s']);
  });
});
