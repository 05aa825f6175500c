import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ERROR_CODES } from '../../src/base/errors.js';
import { projectRoot } from '../helpers/assets.js';

interface ExplainModule {
  readonly explain: (reason: { readonly code?: string; readonly message: string }) => { readonly title: string; readonly text: string };
}
type Stats = Readonly<Record<string, unknown>>;
interface ReadoutModule {
  readonly measure: (report: ReadonlyMap<string, Stats>, previous?: ReadonlyMap<string, Stats>, trackId?: string) => Readonly<Record<string, string | number | undefined>>;
  readonly rows: (figures: object, times: Readonly<Record<string, number>>) => [string, string][];
  readonly overlayRows: (figures: object) => [string, string][];
  readonly bitrate: (bps: number) => string;
}
interface GalleryModule {
  readonly badge: (video: object) => { readonly className: string; readonly text: string };
  readonly notes: (video: object) => { readonly className: string; readonly textContent: string }[];
  readonly duration: (seconds: number) => string;
  readonly facts: (video: object) => string;
  readonly hasStill: (video: object) => boolean;
}

/** The page's modules are plain browser JavaScript; those without a DOM run here as well. */
const load = async <T>(name: string): Promise<T> => (await import(pathToFileURL(path.join(projectRoot, 'src/page/public', name)).href)) as T;

describe('the words for what goes wrong', async () => {
  const { explain } = await load<ExplainModule>('explain.js');
  const { REASONS } = await load<{ REASONS: Record<string, string> }>('../../../dist/client/sightline.js');

  it('are there for every code that an offer or a camera can be refused with', () => {
    const refusals = ['SOURCE_NOT_FOUND', 'SOURCE_NOT_PLAYABLE', 'SOURCE_NOT_LIVE', 'NOTHING_TO_SERVE', 'DETECTION_OFF', 'CAPACITY_REACHED', 'SERVER_CLOSING', 'UNAUTHORIZED', 'ROOM_INVALID', 'ROOM_TAKEN'];
    for (const code of refusals) {
      assert.ok(code in ERROR_CODES, `${code} is still a code`);
      assert.notEqual(explain({ code, message: '' }).title, 'The server refused', code);
    }
  });

  it('are there for what the client library finds', () => {
    const ofCommands = ['COMMAND_UNANSWERED', 'SOURCE_CHANGED', 'ANSWER_INVALID'];
    for (const code of Object.keys(REASONS).filter((known) => !ofCommands.includes(known))) assert.notEqual(explain({ code, message: '' }).title, 'The server refused', code);
  });

  it('carry the reason of a video that cannot be played', () => {
    assert.equal(explain({ code: 'SOURCE_NOT_PLAYABLE', message: 'it has no video track' }).text, 'it has no video track');
  });

  it('say why a camera is not live or a server full, and what happens next', () => {
    const camera = "source 'gate' is not live: the camera cannot be reached: Connection refused; try again in 3 s";
    assert.equal(explain({ code: 'SOURCE_NOT_LIVE', message: camera }).text, 'The camera cannot be reached: Connection refused. This page tries again by itself.');
    assert.equal(explain({ code: 'CAPACITY_REACHED', message: 'all 10 connections are taken; try again in 5 s' }).text, 'All 10 connections are taken. This page tries again by itself.');
    assert.equal(explain({ code: 'SOURCE_NOT_LIVE', message: '' }).text, 'This page tries again by itself.');
  });

  it('exist for a refusal that is not ours, and for a mistake of the page', () => {
    for (const code of ['HTTP_502', 'toString']) assert.deepEqual(explain({ code, message: 'HTTP status 502' }), { title: 'The server refused', text: 'HTTP status 502' });
    assert.deepEqual(explain(new TypeError('odd')), { title: 'Something went wrong', text: 'odd' });
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
    const counts = { frames: 2864, paired: 1432, withMessage: 1432, moved: 1400, outdated: 32, late: 0, lost: 3, delayMs: 40, detector: { inferenceMs: 4.12, perSecond: 14.9 }, exactness: 'frame' };
    assert.deepEqual(overlayRows(counts).map(([, value]) => value), ['1\u202f432 of 1\u202f432', '1\u202f432 of 2\u202f864', '0', '3', '4.1 ms · 15 /s', '40 ms']);
    assert.match(overlayRows({ ...counts, exactness: 'receiver' })[0]?.[1] ?? '', /this browser names no frames/);
    assert.equal(overlayRows({ ...counts, detector: undefined })[4]?.[1], '–');
  });

  it('writes bitrates in readable units', () => {
    assert.deepEqual([bitrate(64_400), bitrate(2_160_000)], ['64 kbit/s', '2.2 Mbit/s']);
  });
});

describe('the facts on a card', async () => {
  const { badge, duration, facts, hasStill, notes } = await load<GalleryModule>('gallery.js');

  it('have a readable duration', () => {
    assert.deepEqual([0, 9.4, 63.4, 3723].map(duration), ['0:00', '0:09', '1:03', '1:02:03']);
  });

  it('leave out what is not known', () => {
    assert.equal(facts({ width: null, height: null, fps: null, duration_s: null, audio_codec: null }), '');
    assert.equal(facts({ width: 1280, height: 720, fps: 29.97, duration_s: 20, audio_codec: 'aac' }), '1280 × 720 · 30 fps · 0:20 · sound');
  });

  it('stand beside a picture of a file, and of a camera that is live', () => {
    const pictured = [{ playable: true }, { playable: false }, ...['live', 'waiting', 'empty'].map((state) => ({ kind: 'live', state, playable: true })), { kind: 'file', state: 'live', playable: true }];
    assert.deepEqual(pictured.map(hasStill), [true, false, true, false, false, true]);
  });

  it('say whether a camera is there, or why a file cannot be played', () => {
    const live = { kind: 'live', playable: true, delivery: 'passthrough' };
    assert.deepEqual(['live', 'waiting', 'empty'].map((state) => badge({ ...live, state }).text), ['Live', 'Waiting for camera', 'No camera yet']);
    assert.equal(badge({ kind: 'pull', state: 'empty', playable: true, delivery: 'passthrough' }).text, 'Not connected');
    assert.equal(badge({ kind: 'file', state: 'live', playable: false, reason: 'it is empty' }).text, 'Cannot be played');
    assert.equal(badge({ playable: true, delivery: 'transcode' }).text, 'transcode');
  });

  it('tell the reason as text: trouble stands out, what is left out is a note', () => {
    const written = (video: object): string[] => notes(video).map(({ className, textContent }) => `${className}: ${textContent}`);
    const refused = { kind: 'pull', state: 'empty', playable: true, reason: 'the camera cannot be reached: Connection refused' };
    assert.deepEqual(written(refused), ['reason: the camera cannot be reached: Connection refused']);
    assert.deepEqual(written({ ...refused, state: 'waiting' }), ['reason: the camera cannot be reached: Connection refused']);
    assert.deepEqual(written({ kind: 'file', state: 'live', playable: false, reason: 'it is empty' }), ['reason: it is empty']);
    assert.deepEqual(written({ kind: 'file', state: 'live', playable: false }), ['reason: it cannot be played']);
    assert.deepEqual(written({ kind: 'file', state: 'live', playable: true, reason: 'it has B-frames', audio_reason: 'its codec is unknown' }), [
      'note: it has B-frames',
      'note: no sound: its codec is unknown',
    ]);
    assert.deepEqual(written({ kind: 'file', state: 'live', playable: true }), []);
  });
});
