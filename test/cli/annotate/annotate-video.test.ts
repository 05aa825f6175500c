import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { annotateVideo, type AnnotateDeps } from '../../../src/cli/annotate/annotate-video.js';
import type { AnnotateOptions } from '../../../src/cli/annotate/options.js';
import { Detector } from '../../../src/detection/index.js';
import { iou } from '../../../src/detection/boxes.js';
import { classColour } from '../../../src/detection/palette.js';
import { MediaPeerError } from '../../../src/base/errors.js';
import { i420Size, type Box } from '../../../src/media/index.js';
import { projectRoot } from '../../helpers/assets.js';
import { within } from '../../helpers/deadline.js';
import { assertNothingHeld, bundledTools, realDeps } from '../../helpers/ffmpeg-deps.js';
import { makeFile } from '../../helpers/file-feed.js';
import { FRAME_NUMBER_MODEL, numberOfBox } from '../../helpers/frame-number-model.js';
import { makeVideo } from '../../helpers/make-video.js';
import { makeNumberedClip, readLumaNumber } from '../../helpers/numbered-clip.js';
import { linesOf, picturesOf, streamsOf, timesOf } from './files.js';

const demo = path.join(projectRoot, 'upload/demo.mp4');
const demoModel = path.join(projectRoot, 'models/sightline-demo.json');

interface ClipLabels {
  readonly objects: readonly (readonly [objectId: number, classId: number, x: number, y: number, width: number, height: number])[][];
}

describe('annotate', () => {
  const ffmpeg = realDeps();
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-annotate-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  after(() => assertNothingHeld(ffmpeg));

  const run = (
    input: string,
    options: Partial<AnnotateOptions> = {},
    deps: Partial<AnnotateDeps> & { readonly model?: string } = {},
  ): Promise<string> => {
    const modelPath = deps.model ?? demoModel;
    const defaults = {
      output: path.join(folder, 'out.mp4'),
      model: undefined,
      detectFps: undefined,
      detections: path.join(folder, 'out.jsonl'),
      minScore: undefined,
      fromS: 0,
      durationS: undefined,
      overwrite: false,
    };
    const signal = new AbortController().signal;
    return within(
      annotateVideo(
        { input, ...defaults, ...options },
        { ...ffmpeg, openDetector: () => Detector.open({ ...ffmpeg, modelPath }), detectFps: 15, signal, ...deps },
      ),
      200_000,
      'the video',
    );
  };
  const out = (): string => path.join(folder, 'out.mp4');
  const lines = (): ReturnType<typeof linesOf> => linesOf(path.join(folder, 'out.jsonl'));

  it('draws boxes where the labels are, and keeps every picture, its time and the sound', async () => {
    const text = await run(demo, { durationS: 3 });
    assert.match(text, /90 pictures, 3\.0 s, in [\d.]+ s \([\d.]+× real time, \d+ a second\); 45 looked at[^]*person +\d+ +\d+/);
    assert.deepEqual(timesOf(out()), timesOf(demo).slice(0, 90));
    const [video, audio] = streamsOf(out());
    assert.deepEqual(
      [video?.codec_name, video?.pix_fmt, video?.width, video?.height, audio?.codec_name],
      ['h264', 'yuv420p', 1280, 720, 'aac'],
    );
    assert.ok(Math.abs(Number(audio?.duration) - 3) < 0.05);

    const truth = (JSON.parse(readFileSync(path.join(projectRoot, 'test/fixtures/demo.labels.json'), 'utf8')) as ClipLabels).objects;
    let [found, expected] = [0, 0];
    for (const { frame, objects } of lines()) {
      for (const [, classId, ...box] of truth[frame]!) {
        expected++;
        if (objects.some((object) => object.class_id === classId && iou(object.box, box) >= 0.5)) found++;
      }
    }
    assert.ok(found / expected >= 0.85, `${found} of ${expected}`);

    const drawn = picturesOf(out(), i420Size(1280, 720));
    const { frame, objects } = lines()[20]!;
    for (const { box, class_id } of objects.filter(({ observed }) => observed)) assertFrame(drawn[frame]!, box, class_id);
  });

  it('writes all of a recording whose clock restarts, one part behind the other', async () => {
    const part = makeFile(
      path.join(folder, 'part.flv'),
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=160x90:rate=10:duration=1',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=1',
      '-c:v',
      'libx264',
      '-pix_fmt',
      'yuv420p',
      '-bf',
      '0',
      '-c:a',
      'aac',
    );
    const recording = path.join(folder, 'recording.flv');
    const flvHeaderBytes = 13;
    writeFileSync(recording, Buffer.concat([readFileSync(part), readFileSync(part).subarray(flvHeaderBytes)]));
    await run(recording);
    const times = timesOf(out());
    assert.equal(times.length, 20);
    assert.ok(
      times.slice(1).every((timeS, i) => timeS - times[i]! > 0.09 && timeS - times[i]! < 0.19),
      times.join(' '),
    );
    assert.ok(streamsOf(out()).every(({ duration }) => Math.abs(Number(duration) - 2) < 0.15));
  });

  it('keeps sound of many channels as two, and leaves out sound that cannot be read, with the reason', async () => {
    const pictures = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10:duration=1'];
    const channels = Array.from({ length: 12 }, () => '0.1*sin(2764*t)').join('|');
    const many = makeFile(
      path.join(folder, 'many.mov'),
      ...pictures,
      '-f',
      'lavfi',
      '-i',
      `aevalsrc=exprs=${channels}:s=48000:d=1`,
      '-c:a',
      'pcm_s16le',
    );
    assert.doesNotMatch(await run(many), /no sound/);
    assert.deepEqual(
      streamsOf(out()).map(({ codec_name }) => codec_name),
      ['h264', 'aac'],
    );
    const damaged = makeFile(
      path.join(folder, 'damaged.mkv'),
      ...pictures,
      '-f',
      'lavfi',
      '-i',
      'sine=duration=1',
      '-c:a',
      'aac',
      '-bsf:a',
      'noise=amount=1',
    );
    assert.match(await run(damaged, { overwrite: true }), /There is no sound in it: its sound \(aac, 1 channel\) cannot be played/);
    assert.deepEqual(
      streamsOf(out()).map(({ codec_name, nb_frames }) => [codec_name, nb_frames]),
      [['h264', '10']],
    );
  });

  it('gives each picture the number, the time and the boxes that are its own', async () => {
    const clip = path.join(folder, 'clip.mp4');
    await makeNumberedClip(clip, { seconds: 2, bFrames: 2 });
    await run(clip, { detectFps: 'all' }, { model: FRAME_NUMBER_MODEL });
    assert.deepEqual(
      lines().map(({ source, frame, media_time_s, objects }) => [
        source,
        frame,
        Math.round(media_time_s * 30),
        numberOfBox(objects[0]!.box, 640),
      ]),
      Array.from({ length: 60 }, (_unused, i) => ['clip', i, i, i]),
    );
    assert.ok(lines().every(({ rtp_timestamp }) => Object.keys(rtp_timestamp).length === 0));
    assert.deepEqual(
      picturesOf(out(), i420Size(640, 360)).map((picture) => readLumaNumber(picture, 640)),
      Array.from({ length: 60 }, (_unused, i) => i),
    );
  });

  it('looks as often as it is told', async () => {
    const clip = path.join(folder, 'clip.mp4');
    await makeNumberedClip(clip, { seconds: 1 });
    await run(clip, { detectFps: 10 }, { model: FRAME_NUMBER_MODEL });
    assert.deepEqual(
      lines().map(({ frame }) => frame),
      [0, 3, 6, 9, 12, 15, 18, 21, 24, 27],
    );
    assert.equal(timesOf(out()).length, 30);
  });

  it('takes a part of a video exactly, counted from its begin', async () => {
    const clip = path.join(folder, 'clip.mp4');
    await makeNumberedClip(clip, { seconds: 4 });
    await run(clip, { fromS: 1.5, durationS: 0.5, detectFps: 'all' }, { model: FRAME_NUMBER_MODEL });
    assert.deepEqual(
      lines().map(({ frame, media_time_s, objects }) => [frame, Math.round(media_time_s * 30), numberOfBox(objects[0]!.box, 640)]),
      Array.from({ length: 15 }, (_unused, i) => [i, i, 45 + i]),
    );
  });

  it('counts nothing weaker than it is told', async () => {
    await run(demo, { durationS: 0.5, minScore: 0.9 });
    const scores = lines().flatMap(({ objects }) => objects.map(({ score }) => score));
    assert.ok(scores.length > 0 && scores.every((score) => score >= 0.9));
  });

  it('keeps the times of a variable rate', async () => {
    const video = makeVideo('variable-rate.mp4');
    await run(video);
    assertTimes(timesOf(out()), timesOf(video));
    assert.equal(lines().length, new Set(lines().map(({ frame }) => frame)).size);
  });

  it('keeps the times of 29.97 pictures a second to the last digit', async () => {
    const clip = path.join(folder, 'clip.mp4');
    await makeNumberedClip(clip, { seconds: 1, fps: 30 });
    const ntsc = path.join(folder, 'ntsc.mp4');
    execFileSync('ffmpeg', [
      '-nostdin',
      '-v',
      'error',
      '-i',
      clip,
      '-vf',
      'setpts=N*1001/30000/TB',
      '-r',
      '30000/1001',
      '-c:v',
      'libx264',
      ntsc,
    ]);
    await run(ntsc, { detectFps: 'all' }, { model: FRAME_NUMBER_MODEL });
    assert.deepEqual(timesOf(out()), timesOf(ntsc));
  });

  it('writes a turned video upright', async () => {
    await run(makeVideo('rotated.mp4'));
    const [video] = streamsOf(out());
    assert.deepEqual([video?.width, video?.height, video?.side_data_list], [360, 640, undefined]);
    assert.deepEqual([lines()[0]!.width, lines()[0]!.height], [360, 640]);
  });

  for (const [name, widthPx, heightPx, audio] of [
    ['odd.webm', 852, 480, 'aac'],
    ['wide-pixels.mp4', 1046, 576, undefined],
    ['interlaced.mp4', 720, 576, undefined],
    ['tiny.mp4', 2, 2, undefined],
    ['ten-bit.mp4', 640, 360, undefined],
    ['copyable.ts', 640, 360, 'aac'],
    ['copyable.avi', 640, 360, 'aac'],
  ] as const) {
    it(`plays ${name}`, async () => {
      const video = makeVideo(name);
      await run(video);
      const streams = streamsOf(out());
      assert.deepEqual(
        [streams[0]?.width, streams[0]?.height, streams[0]?.pix_fmt, streams[1]?.codec_name],
        [widthPx, heightPx, 'yuv420p', audio],
      );
      const [times, original] = [timesOf(out()), timesOf(video)];
      assert.equal(times.length, original.length);
      assertTimes(
        times.map((time) => time - times[0]!),
        original.map((time) => time - original[0]!),
      );
    });
  }

  it('keeps sound and pictures together where the file does not begin at zero', async () => {
    const video = makeVideo('copyable.ts');
    await run(video);
    const begin = (file: string, kind: string): number =>
      Number((streamsOf(file).find(({ codec_type }) => codec_type === kind) as { readonly start_time?: string } | undefined)?.start_time);
    const lead = (file: string): number => begin(file, 'video') - begin(file, 'audio');
    assert.ok(Math.abs(lead(out()) - lead(video)) < 0.03, `${lead(out())} s, was ${lead(video)} s`);
  });

  it('says how much of a damaged video could not be decoded', async () => {
    assert.match(await run(makeVideo('late-keyframe.ts')), /of \d+ pictures could not be decoded/);
    assert.ok(existsSync(out()));
  });

  it('works with the ffmpeg that comes with the packages', async (t) => {
    const tools = await bundledTools();
    if (!tools) return t.skip('no ffmpeg comes with the packages here');
    const video = makeVideo('variable-rate.mp4');
    await run(video, {}, { tools });
    assertTimes(timesOf(out()), timesOf(video));
    await run(makeVideo('b-frames.mp4'), { overwrite: true }, { tools });
    assertTimes(timesOf(out()), timesOf(makeVideo('b-frames.mp4')));
  });

  for (const [what, input, message] of [
    ['text', () => makeVideo('text.mp4'), /cannot be annotated: it is not a video/],
    ['an empty file', () => makeVideo('empty.mp4'), /cannot be annotated: the file is empty/],
    ['sound alone', () => makeVideo('sound-only.mp4'), /cannot be annotated: it has sound but no video stream/],
    ['a file without its index', () => makeVideo('no-index.mp4'), /cannot be annotated: it is incomplete/],
    ['a file that is not there', () => '/nowhere/in.mp4', /cannot be read: ENOENT/],
    ['a folder', () => os.tmpdir(), /is not a file/],
  ] as const) {
    it(`refuses ${what} and leaves nothing`, async () => {
      await assert.rejects(run(input()), (error: Error) => error.name === 'CommandError' && message.test(error.message));
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it('refuses a begin behind the end', async () => {
    await assert.rejects(run(makeVideo('silent.mp4'), { fromS: 10 }), /has no picture there; it lasts 2\.00 s/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('refuses a place it must not or cannot write to', async () => {
    const video = makeVideo('silent.mp4');
    const link = path.join(folder, 'link.mp4');
    symlinkSync(video, link);
    await assert.rejects(run(video, { output: video, overwrite: true }), /is the video itself/);
    await assert.rejects(run(video, { output: link, overwrite: true }), /is the video itself/);
    await assert.rejects(run(video, { output: path.join(folder, 'no/out.mp4') }), /the folder .* does not exist/);
    await assert.rejects(run(video, { output: path.join(video, 'out.mp4') }), /is not a folder/);
    await assert.rejects(run(video, { detections: out() }), /need a file each/);
    mkdirSync(out());
    await assert.rejects(run(video, { overwrite: true }), /is not a file/);
  });

  it('replaces files only when told to, and only by whole ones', async () => {
    const video = makeVideo('silent.mp4');
    writeFileSync(out(), 'mine');
    await assert.rejects(run(video), /out\.mp4 is there already; --overwrite replaces it/);
    await assert.rejects(run(makeVideo('text.mp4'), { overwrite: true }));
    assert.equal(readFileSync(out(), 'utf8'), 'mine');
    await run(video, { overwrite: true });
    assert.equal(timesOf(out()).length, 60);
    assert.deepEqual(readdirSync(folder).sort(), ['out.jsonl', 'out.mp4']);
  });

  it('leaves nothing when the detector fails in the middle', async () => {
    const openDetector = async (): Promise<Detector> => {
      const detector = await Detector.open({ ...ffmpeg, modelPath: demoModel });
      const detect = detector.detect.bind(detector);
      let looked = 0;
      detector.detect = (picture) =>
        ++looked > 10 ? Promise.reject(new MediaPeerError('DETECTOR_FAILED', 'its thread ended')) : detect(picture);
      return detector;
    };
    await assert.rejects(run(makeVideo('silent.mp4'), {}, { openDetector }), /its thread ended/);
    assert.deepEqual(readdirSync(folder), []);
    assertNothingHeld(ffmpeg);
  });

  it('leaves nothing when it is stopped', async () => {
    const stop = new AbortController();
    await assert.rejects(run(demo, {}, { signal: stop.signal, onProgress: (pictures) => pictures === 20 && stop.abort() }), {
      name: 'AbortError',
    });
    assert.deepEqual(readdirSync(folder), []);
    assertNothingHeld(ffmpeg);
  });

  it('leaves nothing when the disk is full', { skip: !existsSync('/dev/full') && 'needs /dev/full' }, async () => {
    symlinkSync('/dev/full', path.join(folder, `.out.mp4.${process.pid}.part`));
    await assert.rejects(run(makeVideo('silent.mp4')), /writing the video.*No space left/);
    assert.deepEqual(readdirSync(folder), []);
    assertNothingHeld(ffmpeg);
  });
});

/** Times to 90 kHz. */
function assertTimes(found: readonly number[], expected: readonly number[]): void {
  assert.equal(found.length, expected.length);
  found.forEach((time, i) =>
    assert.ok(Math.abs(time - expected[i]!) <= 1.5 / 90_000, `picture ${i}: ${time} s, expected ${expected[i]} s`),
  );
}

/** At least three sides of the box have its class's colour in their middle: others may be drawn over. */
function assertFrame(picture: Buffer, [x, y, width, height]: Box, classId: number): void {
  const colour = classColour(classId);
  const size = 1280 * 720;
  const even = (value: number): number => Math.trunc(value) & ~1;
  const sides = [
    [x + width / 2, even(y) + 1],
    [x + width / 2, even(y + height + 1) - 2],
    [even(x) + 1, y + height / 2],
    [even(x + width + 1) - 2, y + height / 2],
  ] as const;
  const hits = sides.filter(([px, py]) => {
    const at = (Math.min(719, Math.trunc(py)) >> 1) * 640 + (Math.min(1279, Math.trunc(px)) >> 1);
    return Math.abs(picture[size + at]! - colour.u) < 40 && Math.abs(picture[size + size / 4 + at]! - colour.v) < 40;
  });
  assert.ok(hits.length >= 2, `${hits.length} sides of ${[x, y, width, height].join(',')} are drawn`);
}
