import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ERROR_CODES } from '../../src/errors.js';
import { projectRoot } from '../helpers/assets.js';

interface Explanation {
  readonly title: string;
  readonly text: string;
  readonly heals: boolean;
  readonly retryAfterS?: number;
}
interface ExplainModule {
  readonly ViewingError: new (kind: string, message?: string, retryAfterS?: number) => Error & { readonly kind: string };
  readonly explain: (error: unknown) => Explanation;
  readonly refusal: (status: number, body: unknown, retryAfter: string | null) => Error & { readonly kind: string };
  readonly backoffS: (attempt: number) => number;
}
type Stats = Readonly<Record<string, unknown>>;
interface ReadoutModule {
  readonly measure: (report: ReadonlyMap<string, Stats>, previous?: ReadonlyMap<string, Stats>, trackId?: string) => Readonly<Record<string, string | number | undefined>>;
  readonly rows: (figures: object, times: Readonly<Record<string, number>>) => [string, string][];
  readonly overlayRows: (figures: object) => [string, string][];
  readonly bitrate: (bps: number) => string;
}
interface GalleryModule {
  readonly duration: (seconds: number) => string;
  readonly facts: (video: object) => string;
}

/** The page's modules are plain browser JavaScript; those without a DOM run here as well. */
const load = async <T>(name: string): Promise<T> => (await import(pathToFileURL(path.join(projectRoot, 'src/page/public', name)).href)) as T;

describe('the words for what goes wrong', async () => {
  const { ViewingError, explain, refusal, backoffS } = await load<ExplainModule>('explain.js');

  it('are there for every code that an offer can be refused with', () => {
    const offer = ['SOURCE_NOT_FOUND', 'SOURCE_NOT_PLAYABLE', 'SOURCE_NOT_LIVE', 'NOTHING_TO_SERVE', 'DETECTION_OFF', 'CAPACITY_REACHED', 'SERVER_CLOSING'];
    for (const code of offer) {
      assert.ok(code in ERROR_CODES, `${code} is still a code`);
      assert.notEqual(explain(new ViewingError(code)).title, 'The server refused', code);
    }
  });

  it('carry the reason of a video that cannot be played', () => {
    const explanation = explain(refusal(422, { code: 'SOURCE_NOT_PLAYABLE', message: 'it has no video track' }, null));
    assert.deepEqual([explanation.text, explanation.heals], ['it has no video track', false]);
  });

  it('carry the time that a full server asks to wait', () => {
    const explanation = explain(refusal(503, { code: 'CAPACITY_REACHED', message: 'full' }, '5'));
    assert.deepEqual([explanation.retryAfterS, explanation.heals], [5, true]);
  });

  it('exist for an answer that is not ours', () => {
    for (const body of [undefined, null, 'Bad gateway', {}, { code: 7 }]) {
      assert.match(explain(refusal(502, body, null)).text, /502/);
    }
    assert.equal(explain(new TypeError('odd')).text, 'odd');
  });

  it('come with waits that double up to ten seconds', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 5, 20].map(backoffS), [0.5, 1, 2, 4, 8, 10, 10]);
  });
});

describe('the readout', async () => {
  const { measure, rows, overlayRows, bitrate } = await load<ReadoutModule>('readout.js');
  const report = (timestamp: number, bytesReceived: number, emitted: number): Map<string, Stats> =>
    new Map<string, Stats>([
      ['V', { type: 'inbound-rtp', id: 'V', kind: 'video', codecId: 'C', timestamp, bytesReceived, packetsLost: 2, frameWidth: 1280, frameHeight: 720, framesPerSecond: 30, jitterBufferDelay: emitted * 0.02, jitterBufferEmittedCount: emitted }],
      ['A', { type: 'inbound-rtp', id: 'A', kind: 'audio', timestamp, bytesReceived: bytesReceived / 10, packetsLost: 1 }],
      ['C', { type: 'codec', id: 'C', mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1;profile-level-id=640028' }],
      ['P', { type: 'candidate-pair', id: 'P', nominated: true, state: 'succeeded', currentRoundTripTime: 0.004 }],
    ]);

  it('tells codec and profile, size, losses and round trip from one report', () => {
    const figures = measure(report(0, 0, 0));
    assert.deepEqual([figures['codec'], figures['width'], figures['packetsLost'], figures['roundTripMs'], figures['bitrateBps']], ['H264 High', 1280, 3, 4, undefined]);
  });

  it('tells rates from two reports', () => {
    const figures = measure(report(2000, 500_000, 60), report(0, 0, 0));
    assert.equal(figures['bitrateBps'], (550_000 * 8) / 2);
    assert.equal(Math.round(Number(figures['jitterBufferMs'])), 20);
  });

  it('has a dash for what is not known yet', () => {
    assert.ok(rows(measure(new Map()), { clicked: 0 }).every(([, value]) => value === '–'));
    assert.deepEqual(rows({}, { clicked: 100, posted: 110, connected: 150, firstFrame: 180 }).slice(4, 7).map(([, value]) => value), ['80 ms', '70 ms', '30 ms']);
  });

  it('tells of the video that is looked at', () => {
    const two = report(0, 0, 0);
    two.set('W', { type: 'inbound-rtp', id: 'W', kind: 'video', trackIdentifier: 'second', frameWidth: 640 });
    assert.deepEqual([measure(two, undefined, 'second')['width'], measure(two, undefined, 'unknown')['width']], [640, 1280]);
  });

  it("tells how the overlay's frames were paired", () => {
    const counts = { frames: 2864, paired: 1432, withMessage: 1432, moved: 1432, late: 0, lost: 3, delayMs: 40, detector: { inferenceMs: 4.12, perSecond: 14.9 }, exactness: 'frame' };
    assert.deepEqual(overlayRows(counts).map(([, value]) => value), ['1\u202f432 of 1\u202f432', '1\u202f432 of 2\u202f864', '0', '3', '4.1 ms · 15 /s', '40 ms']);
    assert.match(overlayRows({ ...counts, exactness: 'receiver' })[0]?.[1] ?? '', /this browser names no frames/);
    assert.equal(overlayRows({ ...counts, detector: undefined })[4]?.[1], '–');
  });

  it('writes bitrates in readable units', () => {
    assert.deepEqual([bitrate(64_400), bitrate(2_160_000)], ['64 kbit/s', '2.2 Mbit/s']);
  });
});

describe('the facts on a card', async () => {
  const { duration, facts } = await load<GalleryModule>('gallery.js');

  it('have a readable duration', () => {
    assert.deepEqual([0, 9.4, 63.4, 3723].map(duration), ['0:00', '0:09', '1:03', '1:02:03']);
  });

  it('leave out what is not known', () => {
    assert.equal(facts({ width: null, height: null, fps: null, duration_s: null, audio_codec: null }), '');
    assert.equal(facts({ width: 1280, height: 720, fps: 29.97, duration_s: 20, audio_codec: 'aac' }), '1280 × 720 · 30 fps · 0:20 · sound');
  });
});
