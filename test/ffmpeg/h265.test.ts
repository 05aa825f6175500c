/** H.265 through ffmpeg: copied out of files and streams, decoded without delay, encoded for slates. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { canEncode, NutH265Parser, NutParser, openDecoder, openEncoder, type CopiedFrame } from '../../src/ffmpeg/index.js';
import { NutReader } from '../../src/ffmpeg/nut.js';
import { i420Size, isIrap, readAnnexB, readLengthPrefixed, H265NalType, h265NalType, VideoFrame } from '../../src/media/index.js';
import { eventually } from '../helpers/deadline.js';
import { assertNothingHeld, bundledTools, realDeps } from '../helpers/ffmpeg-deps.js';
import { makeVideo, noH265, type VideoName } from '../helpers/make-video.js';
import { seededRandom } from '../helpers/random.js';

function ffmpeg(...args: readonly string[]): Buffer {
  return execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...args, 'pipe:1'], { maxBuffer: 64 << 20 });
}

const nutOf = (name: VideoName): Buffer =>
  ffmpeg('-i', makeVideo(name), '-c:v', 'copy', '-an', '-flush_packets', '1', '-write_index', '0', '-f', 'nut');

function parse(nut: Buffer, chunkBytes = nut.length): CopiedFrame[] {
  const frames: CopiedFrame[] = [];
  const parser = new NutH265Parser((frame) => frames.push(frame));
  for (let at = 0; at < nut.length; at += chunkBytes) parser.push(Buffer.from(nut.subarray(at, at + chunkBytes)));
  return frames;
}

const unitsOf = ({ data }: { data: Buffer }): readonly Buffer[] => readLengthPrefixed(data) ?? assert.fail('units that do not fit');
const isSlice = (unit: Buffer): boolean => h265NalType(unit) <= H265NalType.lastSlice;

describe('H.265', { skip: noH265 }, () => {
  for (const name of ['hevc-copyable.mp4', 'hevc-copyable.mkv', 'hevc-copyable.ts', 'hevc-ten-bit.mp4'] as const) {
    test(`every slice of ${name} comes out of NUT as ffmpeg's own byte stream has it, in chunks of any size`, () => {
      const slices = readAnnexB(ffmpeg('-i', makeVideo(name), '-c:v', 'copy', '-an', '-f', 'hevc')).filter(isSlice);
      const nut = nutOf(name);
      for (const chunkBytes of [nut.length, 4099, 61]) {
        const frames = parse(nut, chunkBytes);
        assert.deepEqual(frames.flatMap(unitsOf).filter(isSlice), slices);
        assert.equal(frames.length, 60);
      }
    });

    test(`VPS, SPS and PPS stand in front of every keyframe of ${name}, a CRA among them, and nowhere else`, () => {
      const frames = parse(nutOf(name));
      assert.deepEqual(
        frames.flatMap(({ keyframe, markedAsKeyframe }, i) => (keyframe || markedAsKeyframe ? [[i, keyframe, markedAsKeyframe]] : [])),
        [
          [0, true, true],
          [30, true, true],
        ],
      );
      for (const frame of frames) {
        const types = unitsOf(frame).map(h265NalType);
        if (frame.keyframe) assert.deepEqual(types.slice(0, 3), [H265NalType.vps, H265NalType.sps, H265NalType.pps]);
        assert.ok(types.slice(frame.keyframe ? 3 : 0).every((type) => type <= H265NalType.lastSlice && isIrap(type) === frame.keyframe));
      }
      assert.deepEqual(new Set(frames.filter(({ keyframe }) => keyframe).map((frame) => h265NalType(unitsOf(frame)[3] as Buffer))).size, 2);
    });

    test(`frames of ${name} keep their times and are in order`, () => {
      const frames = parse(nutOf(name));
      frames.slice(1).forEach(({ mediaTimeMs }, i) => {
        const step = mediaTimeMs - (frames[i]?.mediaTimeMs ?? 0);
        assert.ok(Math.abs(step - 1000 / 30) < 1.1, `a step of ${step} ms`);
      });
      assert.ok(frames.every(({ isReordered }) => !isReordered));
    });
  }

  test('B-frames are noticed', () => {
    assert.ok(parse(nutOf('hevc.mp4')).some(({ isReordered }) => isReordered));
  });

  test('a frame is complete when its last byte has come', () => {
    const nut = nutOf('hevc-copyable.mp4');
    const frames: CopiedFrame[] = [];
    const parser = new NutH265Parser((frame) => frames.push(frame));
    for (const byte of nut.subarray(0, -1)) parser.push(Buffer.from([byte]));
    assert.equal(frames.length, 59);
    parser.push(nut.subarray(-1));
    assert.equal(frames.length, 60);
  });

  test('damaged NUT is refused or read on, in bounded time and memory, never with an error of another kind', () => {
    const nut = nutOf('hevc-copyable.mp4').subarray(0, 60_000);
    const random = seededRandom(265);
    const outcomes = { refused: 0, read: 0 };
    for (let round = 0; round < 400; round++) {
      const damaged = Buffer.from(nut);
      // Headers are where a single byte says most.
      const end = round % 2 === 0 ? 600 : damaged.length;
      for (let i = 0; i <= random() * 8; i++) damaged[25 + Math.floor(random() * (end - 25))] = Math.floor(random() * 256);
      try {
        parse(damaged, 1 + Math.floor(random() * 5000));
        outcomes.read++;
      } catch (error) {
        assert.match(String(error), /NUT stream of ffmpeg is malformed/);
        outcomes.refused++;
      }
    }
    assert.ok(outcomes.refused > 20 && outcomes.read > 20, JSON.stringify(outcomes));
  });

  test('a frame that claims gigabytes is refused before memory is taken for it', () => {
    const nut = nutOf('hevc-copyable.mp4');
    let largest = 0;
    const reader = new NutReader({
      allocate: (sizeBytes) => {
        largest = Math.max(largest, sizeBytes);
        return Buffer.allocUnsafe(sizeBytes);
      },
      frame: () => undefined,
    });
    reader.push(nut);
    assert.ok(largest < 1 << 20);
    // The frame code 0 of ffmpeg codes everything: key, size 2^40.
    const claim = Buffer.concat([nut.subarray(0, nut.indexOf(Buffer.from('4e4be4adeeca4569', 'hex')) + 15), Buffer.alloc(0)]);
    const parser = new NutH265Parser(() => undefined);
    assert.throws(() => parser.push(Buffer.concat([claim, Buffer.from('00b001ffffffffff7f0000000000', 'hex')])), /malformed/);
  });

  test('pictures that begin with what NUT leaves out have it', () => {
    // 2x2 and grey: the first bytes are 00 00 01 for a luma of 0, 0, 1.
    const raw = Buffer.from([0, 0, 1, 7, 128, 129]);
    const nut = execFileSync(
      'ffmpeg',
      ['-v', 'error', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', '2x2', '-i', 'pipe:0', '-c:v', 'rawvideo', '-f', 'nut', 'pipe:1'],
      { input: raw },
    );
    const got: Buffer[] = [];
    new NutParser(6, { allocate: () => Buffer.alloc(6), picture: (data) => got.push(Buffer.from(data)) }).push(nut);
    assert.deepEqual(got, [raw]);
  });

  for (const tools of ['found', 'bundled'] as const) {
    test(`the decoder (ffmpeg: ${tools}) gives the picture of a frame before the next frame is written, with its time`, async (context) => {
      const bundled = tools === 'bundled' ? await bundledTools() : undefined;
      if (tools === 'bundled' && !bundled) return context.skip('no ffmpeg is bundled for this platform');
      const deps = { ...realDeps(), ...(bundled && { tools: bundled }) };
      const times: number[] = [];
      const decoder = openDecoder({
        ...deps,
        owner: 'test',
        codec: 'h265',
        widthPx: 640,
        heightPx: 360,
        onPicture: ({ mediaTimeMs }) => times.push(mediaTimeMs),
      });
      for (const frame of parse(nutOf('hevc-copyable.mp4')).slice(0, 40)) {
        assert.ok(decoder.write(frame));
        await eventually(() => times.at(-1) === frame.mediaTimeMs, 3000, `the picture at ${frame.mediaTimeMs} ms`);
      }
      assert.deepEqual([times.length, decoder.skipped, decoder.swallowed], [40, 0, 0]);
      await decoder.close();
      assertNothingHeld(deps);
    });
  }

  test('ten bits are decoded to eight, and a decoder that begins with a CRA has its picture at once', async () => {
    const deps = realDeps();
    const times: number[] = [];
    const decoder = openDecoder({
      ...deps,
      owner: 'test',
      codec: 'h265',
      widthPx: 640,
      heightPx: 360,
      onPicture: ({ mediaTimeMs, data }) => {
        assert.equal(data.length, i420Size(640, 360));
        times.push(mediaTimeMs);
      },
    });
    const frames = parse(nutOf('hevc-ten-bit.mp4'));
    assert.equal(decoder.write(frames[29] as CopiedFrame), false, 'no keyframe yet');
    for (const frame of frames.slice(30, 35)) assert.ok(decoder.write(frame));
    await eventually(() => times.length === 5, 3000, 'five pictures');
    await decoder.close();
    assertNothingHeld(deps);
  });

  test('the encoder gives each picture as a frame with its time, and a keyframe when it is asked for one', async () => {
    const deps = realDeps();
    assert.ok(canEncode('h265', deps.tools));
    const frames: { mediaTimeMs: number; keyframe: boolean; data: Buffer }[] = [];
    const encoder = openEncoder({
      ...deps,
      owner: 'test',
      codec: 'h265',
      widthPx: 320,
      heightPx: 180,
      fps: 10,
      onFrame: (frame) => frames.push(frame),
    });
    for (let n = 0; n < 12; n++) {
      if (n === 7) encoder.requestKeyframe();
      const data = Buffer.alloc(i420Size(320, 180), 100 + n);
      assert.ok(encoder.write(new VideoFrame({ data, widthPx: 320, heightPx: 180, mediaTimeMs: n * 100 })));
      await eventually(() => frames.at(-1)?.mediaTimeMs === n * 100, 5000, `frame ${n}`);
    }
    assert.deepEqual(
      frames.flatMap(({ keyframe }, n) => (keyframe ? [n] : [])),
      [0, 7],
    );
    for (const frame of frames.filter(({ keyframe }) => keyframe)) assert.equal(unitsOf(frame).length, 4, 'VPS, SPS, PPS and the picture');
    await encoder.close();
    assertNothingHeld(deps);
  });
});
