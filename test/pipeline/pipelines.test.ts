import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { classColour } from '../../src/detection/palette.js';
import type { VideoFrame } from '../../src/media/index.js';
import { eventually, within } from '../helpers/deadline.js';
import { copyVideo, type VideoName } from '../helpers/make-video.js';
import { decodeFrames, FixedDetector, PipelineRig, type RigOptions, type Watched } from '../helpers/pipeline-rig.js';

/** In a picture of 320x180; its left edge is at column 100. */
const BOX = [100, 60, 120, 80] as const;
const thing = (): FixedDetector => new FixedDetector([{ label: 'thing', classId: 0, score: 0.9, box: [...BOX] }]);

let rig: PipelineRig;

async function openRig(videos: readonly VideoName[], options: RigOptions = {}): Promise<PipelineRig> {
  return (rig = await PipelineRig.open(videos, options));
}

/** Replaces a file as an upload that is renamed into place does, and waits until the library knows. */
async function replace(name: string, by: VideoName): Promise<void> {
  renameSync(copyVideo(by, rig.uploadDir, '.incoming'), path.join(rig.uploadDir, name));
  await rig.library.refresh();
}

/** Holds the encoder up, so that its end takes as long as it may; returns what lets it go on. */
function stallEncoder(): () => void {
  const [encoder] = rig.processes.encoders;
  assert.ok(encoder);
  process.kill(encoder.pid, 'SIGSTOP');
  return () => {
    try {
      process.kill(encoder.pid, 'SIGCONT');
    } catch {
      // It was killed meanwhile.
    }
  };
}

function assertAscends(watched: Watched, what: string): void {
  const times = watched.frames.map(({ mediaTimeMs }) => mediaTimeMs);
  times.forEach((time, i) => assert.ok(i === 0 || time > (times[i - 1] as number) - 1e-6, `${what}: ${time} ms after ${times[i - 1]} ms`));
}

/** Chroma (u, v) of the left edge of the box, halfway down. */
function edgeColour(picture: Buffer, widthPx = 320, heightPx = 180): readonly [number, number] {
  const at = widthPx * heightPx + ((BOX[1] + BOX[3] / 2) >> 1) * (widthPx >> 1) + (BOX[0] >> 1);
  return [picture[at] as number, picture[at + (widthPx * heightPx) / 4] as number];
}

const distance = (a: readonly [number, number], b: readonly [number, number]): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

describe('a source that is watched', () => {
  afterEach(() => rig.close());

  it('is neither decoded nor encoded while only its copy is watched', async () => {
    await openRig(['copyable.mp4'], { detector: thing() });
    const watched = await Promise.all([
      rig.watch('copyable', 'raw/h264'),
      rig.watch('copyable', 'raw/h264'),
      rig.watch('copyable', 'audio/opus'),
    ]);
    for (const one of watched) await one.more(10, 'of the copy');
    const { feeds, decoders, encoders } = rig.processes;
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 0, 0]);
    const [activity] = rig.pipelines.activity();
    assert.equal(activity?.decoder, undefined);
    assert.equal(activity?.detection, undefined);
  });

  it('takes the place of one that nobody watches any more, and is refused where all are watched', async () => {
    await openRig(['copyable.mp4', 'grey.mp4', 'portrait.mp4'], { maxRunning: 1, idleGraceMs: 60_000, neverRefused: ['portrait'] });
    const running = (): string[] => rig.pipelines.activity().map(({ sourceId }) => sourceId);
    const first = await rig.watch('copyable', 'raw/h264');
    await first.more(1, 'of the first');
    await assert.rejects(rig.watch('grey', 'raw/h264'), {
      code: 'CAPACITY_REACHED',
      message: /all 1 places of running sources \(MAX_RUNNING_SOURCES\) are taken/,
    });
    const beside = await rig.watch('copyable', 'audio/opus');
    await beside.more(1, 'of what runs already');
    // What the operator wants to run counts, and is never refused.
    const always = await rig.watch('portrait', 'raw/h264');
    await always.more(1, 'of the one that is always on');
    always.leave();
    beside.leave();
    await assert.rejects(rig.watch('grey', 'raw/h264'), { code: 'CAPACITY_REACHED' });
    first.leave();
    const second = await rig.watch('grey', 'raw/h264');
    assert.equal(await within(first.closed, 5_000, 'the end of the one that was idle'), 'viewer-left');
    await second.more(1, 'of the one that took its place');
    assert.deepEqual(running(), ['grey']);
  });

  it('keeps few sources for those who may come back', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await openRig([], { idleGraceMs: 60_000 });
    for (const name of names) copyVideo('copyable.mp4', rig.uploadDir, `${name}.mp4`);
    await rig.library.refresh();
    for (const name of names) {
      const watched = await rig.watch(name, 'raw/h264');
      await watched.more(1, name);
      watched.leave();
    }
    assert.deepEqual(
      rig.pipelines.activity().map(({ sourceId }) => sourceId),
      ['c', 'd', 'e', 'f'],
    );
  });

  it('shares one decoder, one detection and one encoder among ten viewers of processed', async () => {
    const detector = thing();
    await openRig(['copyable.mp4'], { detector });
    const watched = await Promise.all(Array.from({ length: 10 }, () => rig.watch('copyable', 'processed/h264')));
    for (const one of watched) await one.more(20, 'of processed');
    const { feeds, decoders, encoders } = rig.processes;
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 1, 1]);
    const [activity] = rig.pipelines.activity();
    assert.ok((activity?.detection?.framesDetected ?? 0) <= (activity?.decoder?.framesDecoded ?? 0), 'a picture is looked at once');
    assert.equal(detector.looks, activity?.detection?.framesDetected);
  });

  for (const name of ['grey.mp4', 'grey-transcoded.mp4'] as const) {
    it(`keeps raw and the detector's pictures free of boxes while both renditions of ${name} run in both codecs`, async () => {
      const detector = thing();
      let worst = 0;
      detector.onPicture = (picture: VideoFrame) => (worst = Math.max(worst, distance(edgeColour(picture.data), [128, 128])));
      await openRig([name], { detector });
      const id = path.parse(name).name;
      const tracks = await Promise.all(
        ['raw/h264', 'raw/vp8', 'processed/h264', 'processed/vp8'].map(async (track) => [track, await rig.watch(id, track)] as const),
      );
      for (const [track, watched] of tracks) await watched.more(60, `of ${track}`);
      for (const [track, { frames }] of tracks) {
        const pictures = decodeFrames(track.endsWith('vp8') ? 'vp8' : 'h264', frames, 320, 180);
        assert.ok(pictures.length >= 30, `${track} decodes to ${pictures.length} pictures`);
        const { u, v } = classColour(0);
        const boxed = pictures.filter((picture) => distance(edgeColour(picture), [u, v]) < 25).length;
        if (track.startsWith('raw')) {
          for (const picture of pictures)
            assert.ok(distance(edgeColour(picture), [128, 128]) < 12, `${track}: ${edgeColour(picture).join(' ')}`);
        } else {
          assert.ok(boxed > pictures.length / 2, `${track}: ${boxed} of ${pictures.length} pictures have the box`);
        }
      }
      assert.ok(worst < 12, 'the detector sees undrawn pictures');
    });
  }

  it('shows the first processed picture of a running copy without waiting for its next keyframe', async () => {
    await openRig(['keyframes-every-4s.mp4'], { detector: thing() });
    const raw = await rig.watch('keyframes-every-4s', 'raw/h264');
    await eventually(() => raw.frames.some(({ keyframe }) => keyframe), 5000, 'the first keyframe');
    await raw.more(10, 'after it');
    const before = raw.frames.length;
    const processed = await rig.watch('keyframes-every-4s', 'processed/h264');
    await processed.more(1, 'of processed');
    assert.ok(
      raw.frames.slice(before).every(({ keyframe }) => !keyframe),
      'no keyframe of the file came meanwhile',
    );
    assert.ok(processed.frames[0]?.keyframe);
    assert.ok(processed.frames[0].mediaTimeMs >= (raw.frames[before - 1]?.mediaTimeMs ?? 0), 'it is of the present');
  });

  it('gives processed pictures the media time of the raw frames they were made from, over loops and the death of every process', async () => {
    await openRig(['copyable.mp4'], { detector: thing() });
    const raw = await rig.watch('copyable', 'raw/h264');
    const processed = await rig.watch('copyable', 'processed/h264');
    const sound = await rig.watch('copyable', 'audio/opus');
    await processed.more(75, 'over the loop');
    for (const kind of ['feeds', 'decoders', 'encoders'] as const) {
      const [victim] = rig.processes[kind];
      assert.ok(victim, kind);
      process.kill(victim.pid, 'SIGKILL');
      await eventually(() => rig.processes[kind].some(({ pid }) => pid !== victim.pid), 5000, `new ${kind}`);
      await processed.more(15, `after the death of one of the ${kind}`);
    }
    const rawTimes = new Set(raw.frames.map(({ mediaTimeMs }) => mediaTimeMs));
    for (const { mediaTimeMs } of processed.frames) assert.ok(rawTimes.has(mediaTimeMs), `${mediaTimeMs} ms is a raw frame's`);
    for (const [what, watched] of Object.entries({ raw, processed, sound })) assertAscends(watched, what);
    const ends = [raw, processed, sound].map(({ frames }) => frames.at(-1)?.mediaTimeMs ?? 0);
    assert.ok(Math.max(...ends) - Math.min(...ends) < 500, `all are at one time: ${ends.join(' ')}`);
    const [activity] = rig.pipelines.activity();
    assert.deepEqual(
      [activity?.restarts, activity?.decoder?.restarts, activity?.renditions.find(({ rendition }) => rendition === 'processed')?.restarts],
      [1, 1, 1],
    );
  });

  it('goes on with processed when its file is replaced by one of another size', async () => {
    await openRig(['copyable.mp4'], { detector: thing() });
    const raw = await rig.watch('copyable', 'raw/h264');
    const processed = await rig.watch('copyable', 'processed/h264');
    const sound = await rig.watch('copyable', 'audio/opus');
    await processed.more(10, 'of the first file');
    await replace('copyable.mp4', 'portrait.mp4');
    await eventually(
      () => rig.pipelines.activity()[0]?.renditions.every(({ rendition, widthPx }) => rendition === 'audio' || widthPx === 360),
      5000,
      'the new file',
    );
    await processed.more(15, 'of the second file');
    for (const [what, watched] of Object.entries({ raw, processed, sound })) assertAscends(watched, what);
    const keyframe = processed.frames.findLastIndex((frame) => frame.keyframe);
    assert.ok(decodeFrames('h264', processed.frames.slice(keyframe), 360, 640).length > 0);
    const { feeds, decoders, encoders } = rig.processes;
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 1, 1]);
  });

  it('never steps back when its file is replaced after the clock of the machine was set back', async () => {
    await openRig(['copyable.mp4']);
    const tracks = await Promise.all(
      ['raw/h264', 'raw/vp8', 'audio/opus'].map(async (track) => [track, await rig.watch('copyable', track)] as const),
    );
    for (const [track, watched] of tracks) await watched.more(40, `of ${track} of the first file`);
    Object.assign(rig.deps.clock, { wallClock: () => Date.now() - 3_600_000 });
    await replace('copyable.mp4', 'b-frames.mp4');
    await eventually(() => rig.pipelines.activity()[0]?.delivery === 'transcode', 5000, 'the new file');
    for (const [track, watched] of tracks) await watched.more(20, `of ${track} of the second file`);
    for (const [track, watched] of tracks) assertAscends(watched, track);
  });

  it('takes a new viewer while its file is being replaced, and makes that rendition once', async () => {
    await openRig(['copyable.mp4'], { detector: thing() });
    const vp8 = await rig.watch('copyable', 'raw/vp8');
    await vp8.more(5, 'of the first file');
    const resume = stallEncoder();
    await replace('copyable.mp4', 'portrait.mp4');
    // The decoder is ended after the feed, together with the encoder.
    await eventually(() => rig.processes.decoders.length === 0, 2000, 'the old feed and decoder to end');
    const late = await rig.watch('copyable', 'processed/h264');
    resume();
    await late.more(5, 'of the new file');
    await vp8.more(5, 'of the new file');
    await eventually(() => rig.processes.encoders.length === 2, 2000, 'two encoders');
    late.leave();
    vp8.leave();
    await eventually(() => rig.deps.ledger.snapshot().child_processes === 0, 3000, 'no process');
  });

  it('leaves no process when a viewer comes while its file is being removed, and tells that viewer', async () => {
    await openRig(['copyable.mp4'], { detector: thing() });
    const vp8 = await rig.watch('copyable', 'raw/vp8');
    await vp8.more(5, 'before the removal');
    const resume = stallEncoder();
    rmSync(path.join(rig.uploadDir, 'copyable.mp4'));
    // A feed that dies without a file ends the source before the library has looked.
    for (const { pid } of rig.processes.feeds) process.kill(pid, 'SIGKILL');
    await eventually(() => rig.processes.decoders.length === 0, 2000, 'feed and decoder to end');
    const late = await rig.watch('copyable', 'processed/h264');
    resume();
    assert.equal(await vp8.closed, 'source-ended');
    assert.equal(await within(late.closed, 2000, 'the late track to end'), 'source-ended');
    await eventually(() => rig.deps.ledger.snapshot().child_processes === 0, 3000, 'no process');
  });

  it('keeps its processes for a viewer who comes back within the grace time, and starts anew after it', async () => {
    await openRig(['copyable.mp4'], { detector: thing(), idleGraceMs: 300 });
    const first = await rig.watch('copyable', 'processed/h264');
    await first.more(5, 'for the first viewer');
    const before = [...rig.processes.feeds, ...rig.processes.decoders, ...rig.processes.encoders].map(({ pid }) => pid);
    first.leave();
    const second = await rig.watch('copyable', 'processed/h264');
    await second.more(15, 'for the second viewer');
    assert.deepEqual(
      [...rig.processes.feeds, ...rig.processes.decoders, ...rig.processes.encoders].map(({ pid }) => pid),
      before,
    );
    second.leave();
    assert.equal(await second.closed, 'viewer-left');
    // The old processes are still ending.
    const third = await rig.watch('copyable', 'processed/h264');
    assert.notEqual(third.lease.track, second.lease.track);
    await third.more(5, 'for the third viewer');
    third.leave();
    await eventually(
      () => rig.pipelines.activity().length === 0 && rig.deps.ledger.snapshot().child_processes === 0,
      5000,
      'nothing to run',
    );
  });

  it('stops processed alone when its last viewer leaves, and starts it again while the old one ends', async () => {
    await openRig(['copyable.mp4'], { detector: thing() });
    const raw = await rig.watch('copyable', 'raw/h264');
    for (let round = 0; round < 4; round++) {
      const processed = await rig.watch('copyable', round % 2 ? 'processed/vp8' : 'processed/h264');
      await processed.more(3, `in round ${round}`);
      processed.leave();
      await processed.closed;
    }
    await eventually(() => rig.processes.decoders.length === 0 && rig.processes.encoders.length === 0, 5000, 'only the feed to run');
    await raw.more(5, 'after all');
    assertAscends(raw, 'raw');
  });

  it('goes on without boxes while there is no detector, and draws again when it is back', async () => {
    const detector = thing();
    await openRig(['grey.mp4'], { detector });
    const processed = await rig.watch('grey', 'processed/h264');
    await processed.more(20, 'with boxes');
    detector.state = 'restarting';
    await processed.more(30, 'without a detector');
    const keyframe = processed.frames.findLastIndex((frame) => frame.keyframe);
    const without = decodeFrames('h264', processed.frames.slice(keyframe), 320, 180).at(-1);
    assert.ok(without && distance(edgeColour(without), [128, 128]) < 12, 'the box has gone');
    detector.state = 'ready';
    await processed.more(15, 'with the detector back');
    const again = decodeFrames('h264', processed.frames.slice(keyframe), 320, 180).at(-1);
    const { u, v } = classColour(0);
    assert.ok(again && distance(edgeColour(again), [u, v]) < 25, 'the box is back');
  });
});

describe('processed pictures of every size', () => {
  afterEach(() => rig.close());

  const sizes: readonly (readonly [VideoName, number, number])[] = [
    ['tiny.mp4', 2, 2],
    ['small.mp4', 16, 16],
    ['odd.webm', 852, 480],
    ['portrait.mp4', 360, 640],
    ['rotated.mp4', 360, 640],
    ['wide-pixels.mp4', 1046, 576],
    ['huge.mp4', 3840, 2160],
  ];
  for (const [name, widthPx, heightPx] of sizes) {
    it(`come from ${name} as ${widthPx}x${heightPx}`, async () => {
      await openRig([name], { detector: new FixedDetector([{ label: 'thing', classId: 0, score: 0.9, box: [0, 0, widthPx, heightPx] }]) });
      const id = path.parse(name).name;
      const tracks = await Promise.all(
        ['processed/h264', 'processed/vp8'].map(async (track) => [track, await rig.watch(id, track)] as const),
      );
      for (const [track, watched] of tracks) await watched.more(3, `of ${track}`);
      for (const [track, { frames }] of tracks) {
        assert.ok(decodeFrames(track.endsWith('vp8') ? 'vp8' : 'h264', frames, widthPx, heightPx).length >= 3, track);
      }
      const [activity] = rig.pipelines.activity();
      assert.deepEqual(activity?.troubles, []);
      assert.deepEqual(
        activity.renditions.map((rendition) => [rendition.widthPx, rendition.heightPx]),
        [
          [widthPx, heightPx],
          [widthPx, heightPx],
        ],
      );
    });
  }
});
