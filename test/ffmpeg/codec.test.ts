import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { bitrateFor, FlvParser, openDecoder, openEncoder, type FfmpegDeps } from '../../src/ffmpeg/index.js';
import {
  h264Colour,
  i420Size,
  NalType,
  nalType,
  readLengthPrefixed,
  VideoFrame,
  type EncodedFrame,
  type VideoCodec,
} from '../../src/media/index.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { assertNothingHeld, bundledTools, realDeps } from '../helpers/ffmpeg-deps.js';
import { makeVideo, type VideoName } from '../helpers/make-video.js';
import { encodedClip } from '../helpers/publisher.js';
import { seededRandom } from '../helpers/random.js';

/** The frames of a file, with media times that are no whole milliseconds. */
function framesOf(name: VideoName): EncodedFrame[] {
  const flv = execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', makeVideo(name), '-c:v', 'copy', '-an', '-f', 'flv', 'pipe:1'], {
    maxBuffer: 64 << 20,
  });
  const frames: EncodedFrame[] = [];
  new FlvParser((frame) => frames.push(frame)).push(flv);
  return frames.map((frame, i) => ({ data: frame.data, keyframe: frame.keyframe, mediaTimeMs: 1000.25 + (i * 1000) / 30 }));
}

/** A decoder of 640x360 pictures and what came out of it. */
function decoder(deps: FfmpegDeps, more: { maxWaiting?: number; codec?: VideoCodec } = {}) {
  const times: number[] = [];
  const running = openDecoder({
    ...deps,
    owner: 'test',
    widthPx: 640,
    heightPx: 360,
    onPicture: (picture) => times.push(picture.mediaTimeMs),
    ...more,
  });
  return { running, times };
}

/** A picture whose content depends on `n`. */
function picture(n: number, mediaTimeMs: number, widthPx = 640, heightPx = 360, onFree?: () => void): VideoFrame {
  const data = Buffer.alloc(i420Size(widthPx, heightPx), 128);
  for (let row = 0; row < heightPx; row++) data.fill((row * 3 + n * 7) & 0xff, row * widthPx, row * widthPx + ((n * 20) % widthPx));
  return new VideoFrame({ data, widthPx, heightPx, mediaTimeMs }, onFree);
}

for (const name of ['copyable.mp4', 'high.mp4'] as const) {
  test(`the decoder gives the picture of a frame of ${name} before the next frame is written, with its time`, async () => {
    const deps = realDeps();
    const { running, times } = decoder(deps);
    for (const frame of framesOf(name).slice(0, 40)) {
      assert.ok(running.write(frame));
      await eventually(() => times.at(-1) === frame.mediaTimeMs, 3000, `the picture at ${frame.mediaTimeMs} ms`);
    }
    assert.deepEqual([times.length, running.skipped, running.swallowed], [40, 0, 0]);
    await running.close();
    assertNothingHeld(deps);
  });
}

test('the decoder gives the picture of a VP8 frame before the next frame is written, with its time', async () => {
  const deps = realDeps();
  const { running, times } = decoder(deps, { codec: 'vp8' });
  for (const frame of encodedClip({ codec: 'vp8', size: '640x360' }).slice(0, 40)) {
    assert.ok(running.write(frame));
    await eventually(() => times.at(-1) === frame.mediaTimeMs, 3000, `the picture at ${frame.mediaTimeMs} ms`);
  }
  assert.deepEqual([times.length, running.skipped, running.swallowed], [40, 0, 0]);
  await running.close();
  assertNothingHeld(deps);
});

for (const codec of ['h264', 'vp8'] as const) {
  test(`the decoder keeps the size of its pictures, and holds none back, when a ${codec} stream changes its own`, async () => {
    const deps = realDeps();
    const { running, times } = decoder(deps, { codec });
    let timeMs = 0;
    for (const size of ['640x360', '320x180', '640x360', '360x640', '160x90']) {
      for (const frame of encodedClip({ codec, size }).slice(0, 8)) {
        assert.ok(running.write({ ...frame, mediaTimeMs: (timeMs += 33) }));
        await eventually(() => times.at(-1) === timeMs, 3000, `the picture at ${timeMs} ms of ${size}`);
      }
    }
    assert.deepEqual([times.length, running.skipped, running.swallowed], [40, 0, 0]);
    await running.close();
    assertNothingHeld(deps);
  });
}

test('frames that the decoder swallows shift no time of those that follow', async () => {
  const deps = realDeps();
  const { running, times } = decoder(deps, { maxWaiting: 200 });
  const random = seededRandom(11);
  const frames = framesOf('copyable.mp4');
  const sent = new Set<number>();
  let written = 0;
  for (const frame of frames) {
    const data = Buffer.from(frame.data);
    // Damage slices only: every third frame of the first second, beyond recognition.
    if (!frame.keyframe && written < 30 && written % 3 === 1) for (let i = 4; i < data.length; i++) data[i] = Math.floor(random() * 256);
    if (running.write({ ...frame, data })) sent.add(frame.mediaTimeMs);
    written++;
  }
  const last = frames.at(-1) as EncodedFrame;
  await eventually(() => times.at(-1) === last.mediaTimeMs, 5000, 'the last picture');
  assert.ok(running.swallowed > 0, 'the damage was noticed');
  assert.equal(times.length + running.swallowed, sent.size);
  assert.ok(times.every((time) => sent.has(time)));
  const afterKeyframe = frames.slice(30).map((frame) => frame.mediaTimeMs);
  assert.deepEqual(times.slice(-30), afterKeyframe, 'every frame after the next keyframe has its picture');
  await running.close();
  assertNothingHeld(deps);
});

test('a decoder that cannot follow skips to the next keyframe and counts', async () => {
  const deps = realDeps();
  const { running, times } = decoder(deps, { maxWaiting: 5 });
  const frames = framesOf('copyable.mp4');
  // All at once: faster than any decoder.
  const accepted = frames.map((frame) => running.write(frame));
  assert.equal(accepted.filter((taken) => !taken).length, running.skipped);
  assert.ok(running.skipped >= 20, `${running.skipped} frames skipped`);
  assert.ok(accepted[30], 'the next keyframe is taken');
  assert.ok(running.skipped < frames.length);
  const taken = frames.filter((_, i) => accepted[i]).map((frame) => frame.mediaTimeMs);
  await eventually(() => times.length === taken.length, 5000, 'the pictures');
  assert.deepEqual(times, taken);
  await running.close();
  assertNothingHeld(deps);
});

test('nothing is decoded before the first keyframe', async () => {
  const deps = realDeps();
  const { running } = decoder(deps);
  assert.equal(running.write(framesOf('copyable.mp4')[5] as EncodedFrame), false);
  assert.equal(running.skipped, 1);
  await running.close();
  assertNothingHeld(deps);
});

for (const codec of ['h264', 'vp8'] as const) {
  test(`the ${codec} encoder gives each picture's frame with its exact time, and keyframes on demand, two in 500 ms never`, async () => {
    const clock = new FakeClock();
    const deps = { ...realDeps(), clock };
    const frames: EncodedFrame[] = [];
    const running = openEncoder({
      ...deps,
      owner: 'test',
      codec,
      widthPx: 640,
      heightPx: 360,
      fps: 30,
      onFrame: (frame) => frames.push(frame),
    });
    const times: number[] = [];
    for (let n = 0; n < 45; n++) {
      // From far away and uneven, as after hours of looping.
      const mediaTimeMs = 7_200_000.4 + (n * 1000) / 29.97 + (n % 2) * 0.3;
      if (n === 13 || n === 14 || n === 20) running.requestKeyframe();
      if (n === 31) await clock.advance(500);
      times.push(mediaTimeMs);
      const image = picture(n, mediaTimeMs);
      assert.ok(running.write(image));
      image.release();
      await eventually(() => frames.length === n + 1, 3000, `frame ${n}`);
    }
    assert.deepEqual(
      frames.map((frame) => frame.mediaTimeMs),
      times,
    );
    assert.deepEqual(
      frames.flatMap((frame, n) => (frame.keyframe ? [n] : [])),
      [0, 13, 31],
    );
    await running.close();
    assertNothingHeld(deps);
  });
}

for (const { which, tools } of [
  { which: 'the ffmpeg that was found', tools: realDeps().tools },
  { which: 'the bundled ffmpeg', tools: await bundledTools() },
]) {
  for (const codec of ['h264', 'vp8'] as const) {
    test(
      `${which} spends the bitrate that the ${codec} encoder was given`,
      { skip: tools === undefined && 'no bundled ffmpeg for this platform' },
      async () => {
        const deps = { ...realDeps(), ...(tools && { tools }) };
        const bitrateBps = 800_000;
        const random = seededRandom(5);
        let bytes = 0;
        let frames = 0;
        const running = openEncoder({
          ...deps,
          owner: 'test',
          codec,
          widthPx: 320,
          heightPx: 180,
          fps: 30,
          bitrateBps,
          onFrame: (frame) => ((bytes += frame.data.length), frames++),
        });
        const seconds = 3;
        for (let n = 0; n < seconds * 30; n++) {
          const image = picture(n, (n * 1000) / 30, 320, 180);
          // Noise: there is always more to spend bits on.
          for (let i = 0; i < 320 * 180; i += 3) image.data[i] = Math.floor(random() * 256);
          running.write(image);
          image.release();
          await eventually(() => frames === n + 1, 3000, `frame ${n}`);
        }
        await running.close();
        const share = (bytes * 8) / seconds / bitrateBps;
        assert.ok(share > 0.6 && share < 1.5, `${Math.round(share * 100)} % of the bitrate were spent`);
        assertNothingHeld(deps);
      },
    );
  }
}

test('an encoder makes a keyframe every two seconds by itself', async () => {
  const deps = realDeps();
  const frames: EncodedFrame[] = [];
  const running = openEncoder({
    ...deps,
    owner: 'test',
    codec: 'h264',
    widthPx: 320,
    heightPx: 180,
    fps: 10,
    onFrame: (frame) => frames.push(frame),
  });
  for (let n = 0; n < 41; n++) {
    const image = picture(n, n * 100, 320, 180);
    running.write(image);
    image.release();
    await eventually(() => frames.length === n + 1, 3000, `frame ${n}`);
  }
  assert.deepEqual(
    frames.flatMap((frame, n) => (frame.keyframe ? [n] : [])),
    [0, 20, 40],
  );
  await running.close();
  assertNothingHeld(deps);
});

for (const codec of ['h264', 'vp8'] as const) {
  test(`a keyframe that is asked of the ${codec} encoder before its first picture is that picture, and no other becomes one`, async () => {
    const clock = new FakeClock();
    const deps = { ...realDeps(), clock };
    const frames: EncodedFrame[] = [];
    const running = openEncoder({
      ...deps,
      owner: 'test',
      codec,
      widthPx: 320,
      heightPx: 180,
      fps: 30,
      onFrame: (frame) => frames.push(frame),
    });
    running.requestKeyframe();
    for (let n = 0; n < 40; n++) {
      if (n === 30) {
        await clock.advance(1000);
        running.requestKeyframe();
      }
      const image = picture(n, (n * 1000) / 30, 320, 180);
      running.write(image);
      image.release();
      await eventually(() => frames.length === n + 1, 3000, `frame ${n}`);
    }
    assert.deepEqual(
      frames.flatMap((frame, n) => (frame.keyframe ? [n] : [])),
      [0, 30],
    );
    await running.close();
    assertNothingHeld(deps);
  });
}

test('an encoder that cannot follow drops pictures before they are written, and gives every one back', async () => {
  const deps = realDeps();
  let freed = 0;
  const running = openEncoder({ ...deps, owner: 'test', codec: 'h264', widthPx: 640, heightPx: 360, fps: 30, onFrame: () => undefined });
  const taken = Array.from({ length: 20 }, (_, n) => {
    const image = picture(n, n * 33, 640, 360, () => freed++);
    const isTaken = running.write(image);
    image.release();
    return isTaken;
  });
  assert.deepEqual(taken.slice(0, 3), [true, true, false]);
  assert.equal(running.dropped, taken.filter((isTaken) => !isTaken).length);
  await running.close();
  assert.equal(freed, 20);
  assertNothingHeld(deps);
});

test('an encoder whose process is killed gives its pictures back and says why it ended', async () => {
  const deps = realDeps();
  let freed = 0;
  let encoded = 0;
  const running = openEncoder({
    ...deps,
    owner: 'encoder of test',
    codec: 'h264',
    widthPx: 640,
    heightPx: 360,
    fps: 30,
    onFrame: () => encoded++,
  });
  const write = (n: number): void => {
    const image = picture(n, n * 33, 640, 360, () => freed++);
    running.write(image);
    image.release();
  };
  write(0);
  await eventually(() => encoded === 1, 5000, 'a frame');
  for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL');
  write(1);
  write(2);
  const end = await within(running.closed, 3000, 'the end');
  assert.match(end.error?.message ?? '', /encoder of test.*SIGKILL/);
  write(3);
  await eventually(() => freed === 4, 1000, 'all pictures to come back');
  assertNothingHeld(deps);
});

function childrenOf(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,comm='])
    .toString()
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  return rows.filter(([, parent, name]) => Number(parent) === pid && name === 'ffmpeg').map(([child]) => Number(child));
}

test('the bitrate follows size and rate', () => {
  assert.equal(bitrateFor(1280, 720, 30), 2_500_000);
  assert.ok(bitrateFor(640, 360, 30) < 1_000_000);
  assert.ok(bitrateFor(1920, 1080, 60) > 5_000_000);
  assert.ok(bitrateFor(160, 90, 5) >= 150_000);
});

test('an encoder of tiny pictures that is held up drops what it has no room for, and goes on', async () => {
  const deps = realDeps();
  const got: number[] = [];
  const encoder = openEncoder({
    ...deps,
    owner: 'test',
    codec: 'h264',
    widthPx: 16,
    heightPx: 16,
    fps: 30,
    onFrame: (frame) => got.push(frame.mediaTimeMs),
  });
  let n = 0;
  const write = (): boolean => {
    const image = picture(n, n++ * 33, 16, 16);
    const isTaken = encoder.write(image);
    image.release();
    return isTaken;
  };
  write();
  await eventually(() => got.length > 0, 5000, 'the first frame');
  const [pid] = childrenOf(process.pid);
  assert.ok(pid);
  process.kill(pid, 'SIGSTOP');
  const accepted: number[] = [];
  for (let i = 0; i < 200; i++) {
    if (write()) accepted.push((n - 1) * 33);
    // The pipe takes more than a hundred such pictures.
    await new Promise(setImmediate);
  }
  assert.ok(accepted.length < 100 && encoder.dropped > 100, `${accepted.length} taken, ${encoder.dropped} dropped`);
  process.kill(pid, 'SIGCONT');
  const last = accepted.at(-1);
  await eventually(() => got.at(-1) === last, 5000, 'the last picture that was taken');
  assert.ok(write(), 'it takes pictures again');
  await eventually(() => got.at(-1) === (n - 1) * 33, 5000, 'the next picture');
  assert.equal((await encoder.close()).error, undefined);
  assertNothingHeld(deps);
});

test('pictures keep the colour of their stream: what a decoder reads, an encoder writes', async () => {
  const deps = realDeps();
  const flv = execFileSync(
    'ffmpeg',
    [
      '-nostdin',
      '-v',
      'error',
      '-i',
      makeVideo('copyable.mp4'),
      '-frames:v',
      '3',
      '-an',
      '-c:v',
      'libx264',
      '-bf',
      '0',
      '-tune',
      'zerolatency',
      '-color_primaries',
      'smpte170m',
      '-color_trc',
      'smpte170m',
      '-colorspace',
      'smpte170m',
      '-f',
      'flv',
      'pipe:1',
    ],
    { maxBuffer: 64 << 20 },
  );
  const stream: EncodedFrame[] = [];
  new FlvParser((frame) => stream.push({ ...frame, mediaTimeMs: stream.length * 40 })).push(flv);
  const encoded: EncodedFrame[] = [];
  const encoder = openEncoder({
    ...deps,
    owner: 'test',
    codec: 'h264',
    widthPx: 640,
    heightPx: 360,
    fps: 25,
    onFrame: (frame) => encoded.push(frame),
  });
  const running = openDecoder({ ...deps, owner: 'test', widthPx: 640, heightPx: 360, onPicture: (picture) => void encoder.write(picture) });
  for (const frame of stream) running.write(frame);
  const keyframe = await eventually(() => encoded[0], 5000, 'an encoded picture');
  const sps = readLengthPrefixed(keyframe.data)?.find((unit) => nalType(unit) === NalType.sps);
  assert.deepEqual(sps && h264Colour(sps), { primaries: 6, transfer: 6, matrix: 6 });
  await Promise.all([running.close(), encoder.close()]);
  assertNothingHeld(deps);
});

test('a stream of the full range is decoded to the limited one, which everything that follows takes', async (t) => {
  const deps = realDeps();
  const levels: number[] = [];
  const decoder = openDecoder({
    ...deps,
    owner: 'test',
    widthPx: 160,
    heightPx: 90,
    onPicture: ({ data }) => levels.push(data[45 * 160 + 80]!),
  });
  t.after(() => decoder.close());
  for (const [range, pixels] of [
    ['tv', 'yuv420p'],
    ['pc', 'yuvj420p'],
  ] as const) {
    const clip = [
      '-f',
      'lavfi',
      '-i',
      'color=white:s=160x90:r=25:d=0.2',
      '-vf',
      `scale=out_range=${range},format=${pixels}`,
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-color_range',
      range,
    ];
    const frames: EncodedFrame[] = [];
    new FlvParser((frame) => frames.push(frame)).push(execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...clip, '-f', 'flv', 'pipe:1']));
    for (const frame of frames) {
      const wanted = levels.length + 1;
      assert.ok(decoder.write(frame));
      await eventually(() => levels.length >= wanted, 5000, `a picture of range ${range}`);
    }
  }
  assert.ok(levels.length >= 10 && levels.every((level) => Math.abs(level - 235) <= 2), levels.join());
  await decoder.close();
  assertNothingHeld(deps);
});
