/** Clips of recordings, made by the real ffmpeg of real frames. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { annotate, LabelRenderer } from '../../src/detection/index.js';
import type { FfmpegDeps } from '../../src/ffmpeg/index.js';
import { Clips, PlaybackEncodes, type Clip, type ClipRequest } from '../../src/recording/index.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { assertNothingHeld, bundledTools, realDeps } from '../helpers/ffmpeg-deps.js';
import { makeVideo, noH265 } from '../helpers/make-video.js';
import { makeNumberedClip, readLumaNumber } from '../helpers/numbered-clip.js';
import { contentOf, MemoryArchive, segmentOf, type Content } from './archive-rig.js';
import { lookOf, objectOf } from './seen-rig.js';

const T = 1_796_061_600_000;
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-clips-'));
after(() => rmSync(folder, { recursive: true }));

let numbered: Content;
let sounding: Content;
before(async () => {
  const file = path.join(folder, 'numbered.mp4');
  await makeNumberedClip(file, { seconds: 4, keyframeS: 2 });
  numbered = contentOf(file, 'h264', false);
  sounding = contentOf(makeVideo('copyable.mp4'), 'h264', true);
});

const ffmpeg = realDeps();
let archive: MemoryArchive;
let encodes: PlaybackEncodes;
let clips: Clips;

function open(segments: ConstructorParameters<typeof MemoryArchive>[0], maxEncodes = 2, deps: FfmpegDeps = ffmpeg): void {
  archive = new MemoryArchive(segments);
  encodes = new PlaybackEncodes(maxEncodes);
  const openDraw = async (_source: string, _within: unknown, heightPx: number) => {
    const labels = new LabelRenderer({ labels: ['car'] });
    await labels.prepare(heightPx);
    return (...[picture, objects]: Parameters<typeof annotate> extends [infer P, infer O, ...unknown[]] ? [P, O] : never) =>
      annotate(picture, objects, labels);
  };
  clips = new Clips({ archive, ffmpeg: deps, encodes, openDraw });
}
beforeEach(() => open([]));
afterEach(async () => {
  await clips.close();
  assertNothingHeld(ffmpeg);
  assert.equal(archive.openReaders, 0);
  assert.equal(encodes.running, 0);
});

const ask = (fromS: number, toS: number, more: Partial<ClipRequest> = {}): Promise<Clip> =>
  clips.open(
    { sourceId: 'gate', fromMs: T + fromS * 1000, toMs: T + toS * 1000, isExact: false, isAnnotated: false, ...more },
    new AbortController().signal,
  );

/** What makes clips has filled all that is between it and who reads them. */
async function waitsForReader(): Promise<void> {
  await eventually(
    async () => {
      const before = archive.readFrames;
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
      return archive.readFrames === before;
    },
    20_000,
    'the clip to wait for its reader',
  );
}

/** A clip in a file. */
async function clipFile(...request: Parameters<typeof ask>): Promise<string> {
  const file = path.join(folder, 'clip.mp4');
  const clip = await within(ask(...request), 20_000, 'the clip');
  writeFileSync(file, await within(buffer(clip.stream), 60_000, 'all of the clip'));
  return file;
}

interface Probed {
  readonly codec_name: string;
  readonly profile: string;
  readonly width?: number;
  readonly height?: number;
  readonly start_time: string;
  readonly duration: string;
  readonly level: number;
  readonly nb_read_packets: string;
}
function probe(file: string): { readonly streams: readonly Probed[]; readonly format: { readonly duration: string } } {
  const args = ['-v', 'error', '-count_packets', '-show_streams', '-show_format', '-of', 'json', file];
  const text = execFileSync('ffprobe', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  // Every frame decodes without a word.
  const words = execFileSync('ffmpeg', ['-nostdin', '-v', 'warning', '-i', file, '-f', 'null', '-'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.equal(words, '');
  return JSON.parse(text) as ReturnType<typeof probe>;
}

/** The numbers of its pictures. */
function numbersOf(file: string): (number | undefined)[] {
  const raw = execFileSync(
    'ffmpeg',
    ['-nostdin', '-v', 'error', '-i', file, '-vsync', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    {
      maxBuffer: 256 << 20,
    },
  );
  const bytes = 640 * 360;
  return Array.from({ length: raw.length / bytes }, (_, i) => readLumaNumber(raw.subarray(i * bytes, (i + 1) * bytes), 640));
}
const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('clips', () => {
  it('are cut at the keyframe before, without an encode, with sound in AAC', async () => {
    open([segmentOf(sounding, 1, T)]);
    const clip = await ask(1.5, 2);
    assert.deepEqual([clip.isEncoded, clip.startMs], [false, T + 1000]);
    const file = path.join(folder, 'cut.mp4');
    writeFileSync(file, await buffer(clip.stream));
    const { streams, format } = probe(file);
    assert.deepEqual(
      streams.map(({ codec_name: codec }) => codec),
      ['h264', 'aac'],
    );
    assert.equal(streams[0]?.nb_read_packets, '30');
    assert.ok(Math.abs(Number(streams[0].start_time) - Number(streams[1]?.start_time)) < 0.045, 'sound and picture begin together');
    assert.ok(Math.abs(Number(format.duration) - 1) < 0.1, format.duration);
  });

  it('begin and end with the very frame where that is wanted', async () => {
    open([segmentOf(numbered, 1, T)]);
    const file = await clipFile(1.5, 3.1, { isExact: true });
    assert.deepEqual(numbersOf(file), count(45, 93));
    assert.equal(Number(probe(file).streams[0]?.start_time), 0);
  });

  it('share no frame with the clip that goes on where they end', async () => {
    open([segmentOf(numbered, 1, T)]);
    // Frame 50 is at 1666.67 ms, frame 55 at 1833.33 ms: times that people write are rounded up or down.
    for (const [frame, atS] of [
      [50, 1.667],
      [55, 1.833],
    ] as const) {
      assert.deepEqual(numbersOf(await clipFile(1.5, atS, { isExact: true })), count(45, frame));
      assert.deepEqual(numbersOf(await clipFile(atS, 2, { isExact: true })), count(frame, 60));
    }
  });

  it('go on over the border of segments frame by frame', async () => {
    open([segmentOf(numbered, 1, T), segmentOf(numbered, 2, T + 4000)]);
    assert.deepEqual(numbersOf(await clipFile(2, 6)), [...count(60, 120), ...count(0, 60)]);
    assert.deepEqual(numbersOf(await clipFile(3, 5, { isExact: true })), [...count(90, 120), ...count(0, 30)]);
  });

  it('begin at once and have all their pictures where a track of sound is silent, or begins late', async () => {
    const silent = segmentOf(numbered, 1, T, { format: { ...segmentOf(numbered, 1, T).segment.format, hasSound: true } });
    open([silent]);
    let file = await clipFile(0, 4);
    assert.deepEqual(numbersOf(file), count(0, 120));
    const [picture, silence] = probe(file).streams;
    assert.ok(Math.abs(Number(picture?.duration) - Number(silence?.duration)) < 1, JSON.stringify(silence));

    const late = { ...numbered, audio: sounding.audio.map((frame) => ({ ...frame, mediaTimeMs: frame.mediaTimeMs + 2500 })) };
    open([segmentOf(late, 1, T)]);
    file = await clipFile(0, 4);
    assert.deepEqual(numbersOf(file), count(0, 120));
    const sound = probe(file).streams[1];
    assert.ok(Math.abs(Number(sound?.duration) - 4) < 0.2, JSON.stringify(sound));
  });

  it('begin with the keyframe whose time was rounded down', async () => {
    open([segmentOf(numbered, 1, T + 0.4)]);
    const clip = await ask(2, 3);
    assert.equal(clip.startMs, T + 2000.4);
    clip.stream.destroy();
  });

  it('go through one run after the other where the clock was set back', async () => {
    open([segmentOf(numbered, 1, T), segmentOf(numbered, 2, T + 1500, { run: 2 }), segmentOf(numbered, 3, T + 4000)]);
    assert.deepEqual(numbersOf(await clipFile(2.5, 8)), [...count(60, 120), ...count(0, 120), ...count(0, 120)]);
  });

  it('leave gaps out, and begin with what is recorded behind one', async () => {
    open([segmentOf(numbered, 1, T), segmentOf(numbered, 2, T + 60_000, { run: 2 })]);
    const file = await clipFile(2, 62);
    assert.deepEqual(numbersOf(file), [...count(60, 120), ...count(0, 60)]);
    assert.ok(Math.abs(Number(probe(file).format.duration) - 4) < 0.1);
    const late = await ask(50, 61, { isExact: true });
    assert.equal(late.startMs, T + 60_000);
    late.stream.destroy();
  });

  for (const [codec, name, skip] of [
    ['h265', 'hevc-copyable.mp4', noH265],
    ['vp8', 'odd.webm', false],
  ] as const)
    it(`are H.264 of recordings in ${codec}, also where boxes are drawn in`, { skip }, async () => {
      open([segmentOf(contentOf(makeVideo(name), codec, true), 1, T)]);
      archive.looks.push({ wallMs: T, detections: lookOf([objectOf(1)]) });
      for (const isAnnotated of [false, true]) {
        const clip = await ask(0, 1, { isAnnotated });
        assert.equal(clip.isEncoded, true);
        assert.equal(encodes.running, 1);
        const file = path.join(folder, `${codec}.mp4`);
        writeFileSync(file, await buffer(clip.stream));
        const { streams } = probe(file);
        assert.deepEqual(
          streams.map(({ codec_name: each }) => each),
          ['h264', 'aac'],
        );
        assert.equal(streams[0]?.nb_read_packets, '30');
        await eventually(() => encodes.running === 0, 5000, 'the place');
      }
    });

  it('show what was seen then, on the very frames', async () => {
    open([segmentOf(contentOf(makeVideo('grey.mp4'), 'h264', false), 1, T)]);
    const box = (x: number) => [objectOf(1, { box: [x, 60, 40, 40] })];
    // It jumps in the middle: a box on a neighbour of its frame would show.
    archive.looks.push(
      ...count(0, 60).map((n) => ({
        wallMs: T + (n * 1000) / 30,
        detections: lookOf(box(n < 30 ? 20 : 200), [], { widthPx: 320, heightPx: 180 }),
      })),
    );
    const file = await clipFile(0, 2, { isAnnotated: true });
    const raw = execFileSync(
      'ffmpeg',
      ['-nostdin', '-v', 'error', '-i', file, '-vsync', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
      { maxBuffer: 64 << 20 },
    );
    const bytes = 320 * 180;
    const pixel = (frame: number, x: number): number => raw[frame * bytes + 80 * 320 + x] as number;
    assert.equal(raw.length / bytes, 60);
    const grey = pixel(0, 150);
    const isDrawn = (frame: number, x: number): boolean => Math.abs(pixel(frame, x) - grey) > 15;
    assert.deepEqual(
      [isDrawn(0, 20), isDrawn(29, 20), isDrawn(29, 200), isDrawn(30, 20), isDrawn(30, 200), isDrawn(59, 200)],
      [true, true, false, false, true, true],
    );
  });

  it('have sound also where they are annotated', async () => {
    open([segmentOf(sounding, 1, T)]);
    archive.looks.push({ wallMs: T, detections: lookOf([objectOf(1)]) });
    const { streams } = probe(await clipFile(0.5, 2, { isAnnotated: true, isExact: true }));
    assert.deepEqual(
      streams.map(({ codec_name: codec, nb_read_packets: packets }) => [codec, Number(packets) > 40]),
      [
        ['h264', true],
        ['aac', true],
      ],
    );
    assert.equal(streams[0]?.nb_read_packets, '45');
    assert.ok(Math.abs(Number(streams[0].start_time) - Number(streams[1]?.start_time)) < 0.045);
  });

  it('say where the picture changes, and are made all the same where it is encoded', async () => {
    const small = contentOf(makeVideo('grey.mp4'), 'h264', false);
    open([segmentOf(numbered, 1, T), segmentOf(small, 2, T + 4000)]);
    await assert.rejects(ask(2, 5), (error) => {
      assert.ok(error instanceof MediaPeerError);
      assert.equal(error.code, 'CLIP_FORMAT_CHANGES');
      assert.match(error.message, /from 640x360 .* to 320x180 .* exact=1/);
      assert.deepEqual(error.facts, { at: T / 1000 + 4 });
      return true;
    });
    const { streams } = probe(await clipFile(3, 5, { isExact: true }));
    assert.deepEqual([streams[0]?.width, streams[0]?.height, streams[0]?.nb_read_packets], [640, 360, '60']);
  });

  it('are made by the ffmpeg that comes with the package, too', async (t) => {
    const tools = await bundledTools();
    if (!tools) return t.skip('the packages ship no ffmpeg for this platform');
    open([segmentOf(sounding, 1, T)], 2, { ...ffmpeg, tools });
    archive.looks.push({ wallMs: T, detections: lookOf([objectOf(1)]) });
    for (const [request, frames] of [
      [{}, 60],
      [{ isExact: true }, 45],
      [{ isAnnotated: true, isExact: true }, 45],
    ] as const) {
      const { streams } = probe(await clipFile(0.5, 2, request));
      assert.deepEqual(
        streams.map(({ codec_name: codec, nb_read_packets: packets }) => [codec, codec === 'aac' || Number(packets)]),
        [
          ['h264', frames],
          ['aac', true],
        ],
      );
      assert.ok(Number(streams[0]?.level) <= 40, `level ${streams[0]?.level}`);
      await eventually(() => encodes.running === 0, 5000, 'the place');
    }
  });

  it('leave out what is damaged', async () => {
    open([segmentOf(numbered, 1, T), segmentOf(numbered, 2, T + 4000), segmentOf(numbered, 3, T + 8000)]);
    archive.damaged.add(2);
    assert.deepEqual(numbersOf(await clipFile(2, 10)), [...count(60, 120), ...count(0, 60)]);
  });

  it('begin with what can be read, and say so where nothing can', async () => {
    open([segmentOf(numbered, 1, T), segmentOf(numbered, 2, T + 4000)]);
    archive.damaged.add(1);
    const clip = await ask(1, 5, { isExact: true });
    assert.equal(clip.startMs, T + 4000);
    const file = path.join(folder, 'readable.mp4');
    writeFileSync(file, await buffer(clip.stream));
    assert.deepEqual(numbersOf(file), count(0, 30));
    archive.damaged.add(2);
    await assert.rejects(ask(1, 5), (error) => error instanceof MediaPeerError && error.code === 'RECORDING_DAMAGED');
  });

  it('are refused with words where there is nothing', async () => {
    open([segmentOf(numbered, 1, T), segmentOf(numbered, 2, T + 60_000)]);
    const refused = async (code: string, words: RegExp, ...request: Parameters<typeof ask>): Promise<void> => {
      await assert.rejects(ask(...request), (error) => error instanceof MediaPeerError && error.code === code && words.test(error.message));
    };
    await refused('RECORDING_OUT_OF_RANGE', /there is something from/, -20, -10);
    await refused('RECORDING_OUT_OF_RANGE', /there is something from/, 100, 110);
    await refused('RECORDING_OUT_OF_RANGE', /a gap from/, 20, 30);
    await refused('RECORDING_NOT_FOUND', /nothing is recorded/, 0, 1, { sourceId: 'yard' });
    await refused('QUERY_INVALID', /not earlier/, 1, 1);
    await refused('QUERY_INVALID', /at most 6 hours/, 0, 6 * 3600 + 1);
  });

  it('share a bounded number of encodes, and give them back', async () => {
    open([segmentOf(numbered, 1, T)], 1);
    const first = await ask(0, 4, { isExact: true });
    await assert.rejects(
      ask(0, 1, { isAnnotated: true }),
      (error) => error instanceof MediaPeerError && error.code === 'CAPACITY_REACHED' && /MAX_PLAYBACK_ENCODES/.test(error.message),
    );
    const copy = await ask(0, 1);
    copy.stream.destroy();
    first.stream.destroy();
    await eventually(() => encodes.running === 0, 5000, 'the place');
    const again = await ask(0, 1, { isExact: true });
    again.stream.destroy();
  });

  it('read no further than somebody downloads, and end with whoever leaves', async () => {
    // Half an hour: many times what pipes and buffers hold.
    open(count(0, 450).map((i) => segmentOf(numbered, i + 1, T + 4000 * i)));
    const clip = await ask(0, 1800);
    await waitsForReader();
    assert.ok(archive.readFrames < 450 * 120 * 0.8, `${archive.readFrames} frames were read for nobody`);
    clip.stream.destroy();
    await eventually(() => archive.openReaders === 0 && ffmpeg.ledger.snapshot().child_processes === 0, 5000, 'the end');
  });

  it('begin before much is read where a track of sound is silent for long', async () => {
    const { format } = segmentOf(numbered, 1, T).segment;
    open(count(0, 450).map((i) => segmentOf(numbered, i + 1, T + 4000 * i, { format: { ...format, hasSound: true } })));
    for (const isAnnotated of [false, true]) {
      archive.readFrames = 0;
      const clip = await within(ask(0, 1800, { isAnnotated }), 60_000, 'the first bytes');
      assert.ok(archive.readFrames < 450 * 120 * 0.5, `${archive.readFrames} frames were read before the first byte`);
      clip.stream.destroy();
      await eventually(() => archive.openReaders === 0 && ffmpeg.ledger.snapshot().child_processes === 0, 5000, 'the end');
    }
  });

  it('make room where nobody reads them, for those who wait', async () => {
    const clock = new FakeClock(T + 3_600_000);
    open(
      count(0, 450).map((i) => segmentOf(numbered, i + 1, T + 4000 * i)),
      2,
      { ...ffmpeg, clock },
    );
    const unread: Clip[] = [];
    for (let n = 0; n < 4; n++) unread.push(await ask(0, 1800));
    const failures = unread.map(({ stream }) => new Promise((resolve) => stream.once('error', resolve)));
    await waitsForReader();
    await clock.advance(50_000);
    await assert.rejects(ask(0, 1), /4 clips are being made/, 'a player that has enough for now reads on');
    await clock.advance(20_000);
    const fifth = await within(ask(0, 1), 20_000, 'a place');
    assert.ok(fifth.stream.readable);
    assert.match(String(await Promise.race(failures)), /nobody has read on/);
    assert.equal(unread.filter(({ stream }) => stream.destroyed).length, 1);
    for (const { stream } of [...unread, fifth]) stream.destroy();
  });

  it('are given up before their first byte where the client has gone', async () => {
    open([segmentOf(numbered, 1, T)]);
    const leaving = new AbortController();
    const opening = clips.open({ sourceId: 'gate', fromMs: T, toMs: T + 4000, isExact: true, isAnnotated: false }, leaving.signal);
    leaving.abort(new Error('gone'));
    await assert.rejects(opening, /gone/);
    await eventually(() => encodes.running === 0, 5000, 'the place');
  });
});
