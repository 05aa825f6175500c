import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { FlvParser, NutParser, OggOpusParser, type CopiedFrame } from '../../src/ffmpeg/index.js';
import { IvfParser } from '../../src/ffmpeg/ivf.js';
import { FlvWriter } from '../../src/ffmpeg/flv-writer.js';
import { NalType, nalType, readLengthPrefixed } from '../../src/media/index.js';
import { oggChecksum, opusPacketSamples } from '../../src/ffmpeg/ogg-opus.js';
import type { EncodedFrame } from '../../src/media/index.js';
import { makeVideo } from '../helpers/make-video.js';
import { chunksOf } from '../helpers/ffmpeg-deps.js';
import { seededRandom } from '../helpers/random.js';

const PICTURE_BYTES = (64 * 48 * 3) / 2;

const convert = (...args: string[]): Buffer =>
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...args, 'pipe:1'], { maxBuffer: 64 << 20 });

const flv = convert('-i', makeVideo('copyable.mp4'), '-c:v', 'copy', '-an', '-f', 'flv');
const bFramesFlv = convert('-i', makeVideo('b-frames.mp4'), '-c:v', 'copy', '-an', '-f', 'flv');
const opus = convert(
  '-i',
  makeVideo('copyable.mp4'),
  '-vn',
  '-c:a',
  'libopus',
  '-frame_duration',
  '20',
  '-page_duration',
  '20000',
  '-f',
  'opus',
);
const opusLargePages = convert(
  '-i',
  makeVideo('copyable.mp4'),
  '-vn',
  '-c:a',
  'libopus',
  '-frame_duration',
  '20',
  '-page_duration',
  '500000',
  '-f',
  'opus',
);
const ivf = convert(
  '-i',
  makeVideo('copyable.mp4'),
  '-c:v',
  'libvpx',
  '-deadline',
  'realtime',
  '-cpu-used',
  '8',
  '-s',
  '160x90',
  '-an',
  '-f',
  'ivf',
);
const nut = convert('-i', makeVideo('copyable.mp4'), '-an', '-s', '64x48', '-pix_fmt', 'yuv420p', '-c:v', 'rawvideo', '-f', 'nut');

interface Outcome {
  readonly times: number[];
  readonly sizes: number[];
  error?: unknown;
}

/** Runs a parser over a stream; what came out, and what it threw. */
type Run = (stream: Iterable<Buffer>) => Outcome;

function collect(make: (outcome: Outcome) => { push(chunk: Buffer): void }): Run {
  return (stream) => {
    const outcome: Outcome = { times: [], sizes: [] };
    const parser = make(outcome);
    try {
      for (const chunk of stream) parser.push(chunk);
    } catch (error) {
      outcome.error = error;
    }
    return outcome;
  };
}

const note =
  (outcome: Outcome) =>
  (frame: EncodedFrame): void => {
    outcome.times.push(frame.mediaTimeMs);
    outcome.sizes.push(frame.data.length);
  };

const PARSERS: { name: string; stream: Buffer; frames: number; run: Run }[] = [
  { name: 'FLV', stream: flv, frames: 60, run: collect((outcome) => new FlvParser(note(outcome))) },
  { name: 'Ogg', stream: opus, frames: 101, run: collect((outcome) => new OggOpusParser(note(outcome))) },
  { name: 'IVF', stream: ivf, frames: 60, run: collect((outcome) => new IvfParser(note(outcome))) },
  {
    name: 'NUT',
    stream: nut,
    frames: 60,
    run: collect((outcome) => {
      return new NutParser(PICTURE_BYTES, {
        allocate: () => Buffer.alloc(PICTURE_BYTES),
        picture: (data, stampMs) => {
          outcome.times.push(stampMs);
          outcome.sizes.push(data.length);
        },
      });
    }),
  },
];

for (const { name, stream, frames, run } of PARSERS) {
  const whole = run([stream]);

  test(`${name} gives every frame with its time`, () => {
    assert.equal(whole.error, undefined);
    assert.ok(Math.abs(whole.times.length - frames) <= 1, `${whole.times.length} frames`);
    assert.ok(whole.times.every((time, i) => i === 0 || time > (whole.times[i - 1] as number)));
    assert.ok(Math.abs((whole.times.at(-1) as number) - 1970) < 40, `the last is at ${whole.times.at(-1)} ms`);
  });

  test(`${name} gives the same however its bytes are cut up`, () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = seededRandom(seed);
      assert.deepEqual(run(chunksOf(stream, random, seed < 4 ? 20 : 9000)), whole);
    }
  });

  test(`${name} that is damaged gives an error or less, and never hangs or crashes`, () => {
    const random = seededRandom(7);
    for (let round = 0; round < 150; round++) {
      const damaged = Buffer.from(stream);
      const flips = 1 + Math.floor(random() * 20);
      // Half of the rounds damage the headers, where it hurts.
      const reach = round % 2 === 0 ? damaged.length : Math.min(600, damaged.length);
      for (let i = 0; i < flips; i++) {
        const at = Math.floor(random() * reach);
        damaged[at] = (damaged[at] as number) ^ (1 << Math.floor(random() * 8));
      }
      const outcome = run(chunksOf(damaged.subarray(0, Math.floor(damaged.length * random())), random, 60_000));
      assert.ok(outcome.error === undefined || outcome.error instanceof MediaPeerError, String(outcome.error));
      assert.ok(outcome.times.length <= 2 * frames);
    }
  });

  test(`${name} refuses or ignores noise`, () => {
    const random = seededRandom(3);
    const noise = Buffer.from(Array.from({ length: 200_000 }, () => Math.floor(random() * 256)));
    const outcome = run(chunksOf(noise, random));
    assert.equal(outcome.times.length, 0);
    assert.ok(name === 'Ogg' || outcome.error instanceof MediaPeerError);
  });
}

test('NUT needs nothing of a chunk after it was taken: its memory may be written again', () => {
  const picturesOf = (memory: 'kept' | 'written again', seed: number): Buffer[] => {
    const pictures: Buffer[] = [];
    const parser = new NutParser(PICTURE_BYTES, { allocate: () => Buffer.alloc(PICTURE_BYTES), picture: (data) => pictures.push(data) });
    for (const chunk of chunksOf(Buffer.from(nut), seededRandom(seed), seed % 2 === 0 ? 40 : 9000)) {
      parser.push(chunk);
      if (memory === 'written again') chunk.fill(0xff);
    }
    return pictures;
  };
  for (let seed = 1; seed <= 4; seed++) assert.deepEqual(picturesOf('written again', seed), picturesOf('kept', seed));
});

function flvFrames(stream: Buffer): CopiedFrame[] {
  const frames: CopiedFrame[] = [];
  new FlvParser((frame) => frames.push(frame)).push(stream);
  return frames;
}

test('every keyframe out of FLV begins with SPS and PPS, and nothing but slices and parameter sets is left', () => {
  const frames = flvFrames(flv);
  const keyframes = frames.filter((frame) => frame.keyframe);
  assert.equal(keyframes.length, 2);
  for (const frame of keyframes) {
    const types = (readLengthPrefixed(frame.data) ?? []).map(nalType);
    assert.deepEqual(types.slice(0, 3), [NalType.sps, NalType.pps, NalType.idr]);
  }
  for (const frame of frames) {
    for (const unit of readLengthPrefixed(frame.data) ?? []) assert.ok([1, 5, 7, 8].includes(nalType(unit)));
  }
});

test('B-frames show as composition offsets', () => {
  assert.ok(flvFrames(bFramesFlv).some((frame) => frame.isReordered));
  assert.ok(flvFrames(flv).every((frame) => !frame.isReordered));
});

test('FLV time goes on after its 31 bits of milliseconds are used up', () => {
  const writer = new FlvWriter();
  const [first, second] = flvFrames(flv) as [CopiedFrame, CopiedFrame];
  const stream = Buffer.concat([...writer.frame(first, 2 ** 31 - 10), ...writer.frame(second, 2 ** 31 + 23)]);
  assert.deepEqual(
    flvFrames(stream).map((frame) => frame.mediaTimeMs),
    [2 ** 31 - 10, 2 ** 31 + 23],
  );
});

test('what the FLV writer writes, the parser reads back', () => {
  const frames = flvFrames(flv);
  const writer = new FlvWriter();
  const stream = Buffer.concat(frames.flatMap((frame, i) => writer.frame(frame, i * 4)));
  const again = flvFrames(stream);
  assert.deepEqual(
    again.map((frame) => frame.data.toString('hex')),
    frames.map((frame) => frame.data.toString('hex')),
  );
  assert.deepEqual(
    again.map((frame) => frame.mediaTimeMs),
    frames.map((_, i) => i * 4),
  );
});

test('Opus packets step by 20 ms whether a page holds one of them or many', () => {
  const times = (stream: Buffer): number[] => {
    const found: number[] = [];
    new OggOpusParser((packet) => found.push(packet.mediaTimeMs)).push(stream);
    return found;
  };
  const single = times(opus);
  for (const list of [single, times(opusLargePages)]) {
    // The very last page may state a shorter end.
    assert.ok(list.slice(1, -60).every((time, i) => Math.abs(time - (list[i] as number) - 20) < 0.01));
  }
  assert.ok(Math.abs(single[0] as number) < 10);
});

test('Ogg goes on with the next sound page after a damaged one', () => {
  const damaged = Buffer.from(opus);
  const secondHalf = damaged.indexOf('OggS', Math.floor(damaged.length / 2));
  damaged[secondHalf + 40] = (damaged[secondHalf + 40] as number) ^ 0xff;
  let count = 0;
  const parser = new OggOpusParser(() => count++);
  parser.push(damaged);
  assert.equal(parser.damagedPages, 1);
  assert.ok(count >= 99);
});

test('the length of an Opus packet follows from its first bytes', () => {
  assert.equal(opusPacketSamples(Buffer.from([0xfc])), 960);
  assert.equal(opusPacketSamples(Buffer.from([0x0b, 3])), 3 * 960);
  assert.equal(opusPacketSamples(Buffer.alloc(0)), 0);
});

test('the Ogg checksum is that of RFC 3533', () => {
  const page = Buffer.from(opus.subarray(0, 47));
  const stated = page.readUInt32LE(22);
  page.writeUInt32LE(0, 22);
  assert.equal(oggChecksum(page), stated);
});
