/** What viewers see of files in all kinds of colour, beside what was put in. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { openEncoder } from '../../../src/ffmpeg/index.js';
import { BT601, VideoFrame, type PictureColour, type VideoCodec } from '../../../src/media/index.js';
import { describeContent, examineFile, FileSnapshots } from '../../../src/source/index.js';
import { eventually } from '../../helpers/deadline.js';
import { describeFile, play } from '../../helpers/file-feed.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { furthest, HEIGHT, PATCHES, patchesRgb, shownPatches, WIDTH, writeClip, type Rgb } from '../../helpers/patches.js';

const X264 = ['-c:v', 'libx264', '-preset', 'superfast', '-crf', '10', '-bf', '2'];
const tags = (matrix: string, primaries = matrix, transfer = matrix, range = 'tv'): string[] => [
  '-colorspace',
  matrix,
  '-color_primaries',
  primaries,
  '-color_trc',
  transfer,
  '-color_range',
  range,
];
const to = (matrix: string, range = 'tv', format = 'yuv420p'): string[] => [
  '-vf',
  `scale=out_color_matrix=${matrix}:out_range=${range},format=${format}`,
];
const H264_AND_VP8 = ['h264', 'vp8'] as const;

/** Each kind of file, and the colour that its pictures are delivered in. */
const KINDS: readonly [name: string, options: readonly string[], delivered: number][] = [
  ['BT.601', [...to('bt601'), ...X264, ...tags('smpte170m')], 6],
  ['BT.601 of 625 lines', [...to('bt601'), ...X264, ...tags('bt470bg', 'bt470bg', 'smpte170m')], 5],
  ['BT.709', [...to('bt709'), ...X264, ...tags('bt709')], 1],
  ['BT.601 that says nothing, in SD', [...to('bt601'), ...X264], 6],
  ['BT.709 in full range', [...to('bt709', 'pc', 'yuvj420p'), ...X264, ...tags('bt709', 'bt709', 'bt709', 'pc')], 1],
  ['BT.601 in full range', [...to('bt601', 'pc', 'yuvj420p'), ...X264, ...tags('smpte170m', 'smpte170m', 'smpte170m', 'pc')], 6],
  ['BT.709, 10 bits, 4:2:2', [...to('bt709', 'tv', 'yuv422p10le'), ...X264, ...tags('bt709')], 1],
  ['BT.709, 4:4:4', [...to('bt709', 'tv', 'yuv444p'), ...X264, ...tags('bt709')], 1],
  ['SMPTE 240M', [...to('smpte240m'), ...X264, ...tags('smpte240m')], 1],
  ['RGB', ['-c:v', 'libx264rgb', '-preset', 'superfast', '-crf', '10', '-pix_fmt', 'rgb24'], 6],
  [
    'BT.2020, SDR',
    [
      '-vf',
      'scale=out_color_matrix=bt709:out_range=tv,format=yuv444p,zscale=min=709:pin=709:tin=709:rin=limited:m=2020_ncl:p=2020:t=2020_10:r=limited,format=yuv420p10le',
      ...X264,
      ...tags('bt2020nc', 'bt2020', 'bt2020-10'),
    ],
    1,
  ],
];

describe('colours of files that are decoded and encoded', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-colours-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  const clip = (picture: Buffer, input: readonly string[], options: readonly string[]): string => {
    const file = path.join(folder, `${count++}.mkv`);
    writeClip(file, picture, input, options);
    return file;
  };

  for (const [name, options, delivered] of KINDS) {
    it(`are those that were put in, in pictures, H.264, VP8 and stills: ${name}`, async () => {
      const deps = realDeps();
      const description = await describeFile(deps, clip(patchesRgb(), ['-pix_fmt', 'rgb24'], options));
      assert.ok(description.playable, description.reason);
      const picture = await firstPicture(description, deps);
      assert.equal(picture.colour?.matrix, delivered);
      assert.ok(furthest(shownPatches(picture)) <= 6, `pictures: ${JSON.stringify(shownPatches(picture))}`);
      for (const codec of H264_AND_VP8) {
        const shown = await throughEncoder(picture, codec, deps);
        assert.ok(furthest(shown) <= 12, `${codec}: ${JSON.stringify(shown)}`);
      }
      const still = await stillPatches(await new FileSnapshots(deps).get(description, WIDTH));
      assert.ok(furthest(still) <= 12, `still: ${JSON.stringify(still)}`);
      assertNothingHeld(deps);
    });
  }

  /** A signal of luma alone, as levels of 10 bits. */
  const grey10 = (levels: readonly number[]): Buffer => {
    const data = Buffer.alloc(WIDTH * HEIGHT * 3);
    for (let i = 0; i < WIDTH * HEIGHT; i++) data.writeUInt16LE(levels[Math.floor((levels.length * (i % WIDTH)) / WIDTH)] as number, 2 * i);
    for (let i = WIDTH * HEIGHT; i < (WIDTH * HEIGHT * 3) / 2; i++) data.writeUInt16LE(512, 2 * i);
    return data;
  };
  const level10 = (signal: number): number => Math.round(64 + 876 * signal);

  // Black, graphics white (BT.2408) and the peak.
  for (const [name, transfer, signals] of [
    ['HLG', 'arib-std-b67', [0, 0.75, 1]],
    ['PQ', 'smpte2084', [0, 0.58, 0.75]],
  ] as const) {
    it(`of ${name} are mapped: black is black, graphics white nearly white, and what is brighter white`, async () => {
      const deps = realDeps();
      const file = clip(
        grey10(signals.map(level10)),
        ['-pix_fmt', 'yuv420p10le'],
        ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:bframes=0', ...tags('bt2020nc', 'bt2020', transfer)],
      );
      const description = await describeFile(deps, file);
      assert.match(description.reason ?? '', /it is HDR/);
      const picture = await firstPicture(description, deps);
      const [black, white, peak] = [1 / 6, 0.5, 5 / 6].map((x) => shownLuma(picture, x)) as [number, number, number];
      assert.ok(black <= 4 && white >= 235 && white <= 252 && peak >= 250, `${black}, ${white}, ${peak}`);
      const refused = await examineFile(file, 1000, { ...deps, tools: { ...deps.tools, canMapTones: false } });
      assert.match(refused.problem ?? '', new RegExp(`it is HDR \\(${name}\\), and this ffmpeg lacks the filters zscale and tonemap`));
      assert.equal(describeContent(refused).playable, false);
      assertNothingHeld(deps);
    });
  }

  it('are not copied where viewers would see others', async () => {
    const deps = realDeps();
    const plain = ['-c:v', 'libx264', '-preset', 'superfast', '-bf', '0', '-profile:v', 'high'];
    for (const [options, reason] of [
      [[...to('bt709'), ...plain, ...tags('bt709')], undefined],
      [[...to('bt709'), ...plain, ...tags('bt2020nc', 'bt2020', 'bt709')], /colours are bt2020nc/],
      [[...to('bt709'), ...plain, ...tags('bt709', 'bt709', 'smpte2084')], /it is HDR \(PQ\)/],
      [[...to('bt709', 'pc', 'yuvj420p'), ...plain, ...tags('bt709', 'bt709', 'bt709', 'pc')], /full range|yuvj420p/],
    ] as const) {
      const { delivery, reason: why } = await describeFile(deps, clip(patchesRgb(), ['-pix_fmt', 'rgb24'], options));
      assert.equal(delivery, reason ? 'transcode' : 'passthrough', why);
      if (reason) assert.match(why ?? '', reason);
    }
  });
});

async function firstPicture(description: Parameters<typeof play>[0], deps: ReturnType<typeof realDeps>): Promise<VideoFrame> {
  let first: VideoFrame | undefined;
  const { feed } = play(description, deps, {}, (picture) => (first ??= picture.copy()));
  await eventually(() => first !== undefined, 15_000, 'a picture');
  await feed.close();
  return first as VideoFrame;
}

/** What a player shows: H.264 says what its samples mean, of VP8 it is known. */
async function throughEncoder(picture: VideoFrame, codec: VideoCodec, deps: ReturnType<typeof realDeps>): Promise<Rgb[]> {
  const frames: Buffer[] = [];
  const encoder = openEncoder({
    ...deps,
    owner: 'test',
    codec,
    widthPx: picture.widthPx,
    heightPx: picture.heightPx,
    fps: 25,
    bitrateBps: 4_000_000,
    onFrame: ({ data }) => frames.push(data),
  });
  for (let i = 0; i < 3; i++) {
    const next = new VideoFrame({
      data: picture.data,
      widthPx: picture.widthPx,
      heightPx: picture.heightPx,
      mediaTimeMs: 40 * i,
      colour: picture.colour,
    });
    const wanted = frames.length + 1;
    encoder.write(next);
    await eventually(() => frames.length >= wanted, 10_000, 'a frame');
  }
  await encoder.close();
  const input = codec === 'vp8' ? ivf(frames, picture) : annexB(frames);
  const raw = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-f', codec === 'vp8' ? 'ivf' : 'h264', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'],
    { input, maxBuffer: 1 << 26 },
  );
  const bytes = (WIDTH * HEIGHT * 3) / 2;
  return shownPatches({
    data: raw.subarray(raw.length - bytes),
    widthPx: picture.widthPx,
    heightPx: picture.heightPx,
    colour: codec === 'vp8' ? BT601 : toldColour(input),
  });
}

/** What ffprobe reads of the stream itself. */
function toldColour(h264: Buffer): PictureColour {
  const matrix = execFileSync('ffprobe', ['-v', 'error', '-f', 'h264', '-show_entries', 'stream=color_space', '-of', 'csv=p=0', 'pipe:0'], {
    input: h264,
  })
    .toString()
    .trim();
  const code = { bt709: 1, bt470bg: 5, smpte170m: 6 }[matrix];
  assert.ok(code !== undefined, `the stream says nothing of its colours: '${matrix}'`);
  return { primaries: code, transfer: code, matrix: code };
}

function annexB(frames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const units: Buffer[] = [];
      for (let at = 0; at + 4 <= frame.length;) {
        const length = frame.readUInt32BE(at);
        units.push(Buffer.from([0, 0, 0, 1]), frame.subarray(at + 4, at + 4 + length));
        at += 4 + length;
      }
      return units;
    }),
  );
}

function ivf(frames: readonly Buffer[], { widthPx, heightPx }: VideoFrame): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF');
  header.writeUInt16LE(32, 6);
  header.write('VP80', 8);
  header.writeUInt16LE(widthPx, 12);
  header.writeUInt16LE(heightPx, 14);
  header.writeUInt32LE(25, 16);
  header.writeUInt32LE(1, 20);
  return Buffer.concat([
    header,
    ...frames.flatMap((frame, i) => {
      const own = Buffer.alloc(12);
      own.writeUInt32LE(frame.length, 0);
      own.writeUInt32LE(i, 4);
      return [own, frame];
    }),
  ]);
}

async function stillPatches(jpeg: Buffer): Promise<Rgb[]> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return PATCHES.map((_, i) => {
    const [x, y] = [Math.floor((((i % 4) + 0.5) / 4) * info.width), Math.floor((i < 4 ? 0.25 : 0.75) * info.height)];
    const at = 3 * (y * info.width + x);
    return [data[at] as number, data[at + 1] as number, data[at + 2] as number];
  });
}

function shownLuma({ data, widthPx, heightPx }: VideoFrame, fx: number): number {
  const at = (heightPx >> 1) * widthPx + Math.floor(fx * widthPx);
  return Math.max(0, Math.min(255, Math.round((((data[at] as number) - 16) * 255) / 219)));
}
