/** A source of H.265: copied for who takes it, decoded once for everybody else. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { eventually, within } from '../helpers/deadline.js';
import { copyVideo, noH265, type VideoName } from '../helpers/make-video.js';
import { decodeFrames, FixedDetector, PipelineRig, type RigOptions } from '../helpers/pipeline-rig.js';

describe('a source of H.265', { skip: noH265, timeout: 120_000 }, () => {
  let rig: PipelineRig;
  const openRig = async (videos: readonly VideoName[], options: RigOptions = {}): Promise<PipelineRig> =>
    (rig = await PipelineRig.open(videos, options));

  afterEach(() => rig.close());

  it('is copied in one process while only its copy is watched, and the copy decodes', async () => {
    await openRig(['hevc-copyable.mp4']);
    const [copy, sound] = await Promise.all([rig.watch('hevc-copyable', 'raw/h265'), rig.watch('hevc-copyable', 'audio/opus')]);
    await copy.more(70, 'of the copy, over the seam of its loop');
    await sound.more(10, 'of sound');
    const { feeds, decoders, encoders } = rig.processes;
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 0, 0]);
    assert.equal(decodeFrames('h265', copy.frames, 640, 360).length, copy.frames.length);
  });

  it('is decoded once for both other codecs, processed and detections, with the media times of the copy', async () => {
    const detector = new FixedDetector([{ classId: 0, label: 'thing', score: 0.9, box: [100, 60, 120, 80] }]);
    await openRig(['hevc-copyable.mp4'], { detector });
    const watched = await Promise.all(
      ['raw/h265', 'raw/h264', 'raw/vp8', 'processed/h264'].map((name) => rig.watch('hevc-copyable', name)),
    );
    const [copy, ...made] = watched;
    for (const one of watched) await one.more(30, 'of each');
    const { feeds, decoders, encoders } = rig.processes;
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 1, 3]);
    const times = new Set(copy?.frames.map(({ mediaTimeMs }) => mediaTimeMs));
    for (const { frames } of made)
      for (const { mediaTimeMs } of frames.slice(1, -4)) assert.ok(times.has(mediaTimeMs), `${mediaTimeMs} ms is a frame's`);
    assert.ok(detector.looks > 0);
    const [activity] = rig.pipelines.activity();
    assert.deepEqual([activity?.delivery, activity?.codec, activity?.troubles], ['passthrough', 'h265', []]);
  });

  it('of many pixels is decoded to fewer, and tells both sizes', async () => {
    await openRig(['hevc-2160p.mp4']);
    const [copy, made] = await Promise.all([rig.watch('hevc-2160p', 'raw/h265'), rig.watch('hevc-2160p', 'raw/h264')]);
    await copy.more(3, 'of the copy');
    await made.more(3, 'of what is made');
    const sizes = rig.pipelines.activity()[0]?.renditions.map(({ codec, widthPx, heightPx }) => [codec, widthPx, heightPx]);
    assert.deepEqual(sizes?.sort(), [
      ['h264', 1920, 1080],
      ['h265', 3840, 2160],
    ]);
  });

  it('that goes on in another codec ends its track of H.265, keeps the others, and is left by nobody in the end', async () => {
    await openRig(['hevc-copyable.mp4'], { idleGraceMs: 0 });
    const [copy, made] = await Promise.all([rig.watch('hevc-copyable', 'raw/h265'), rig.watch('hevc-copyable', 'raw/h264')]);
    await Promise.all([copy.more(10, 'of the copy'), made.more(10, 'of what is made')]);
    renameSync(copyVideo('copyable.mp4', rig.uploadDir, '.next.mp4'), path.join(rig.uploadDir, 'hevc-copyable.mp4'));
    await rig.library.refresh();
    assert.equal(await within(copy.closed, 15_000, 'the end of the copy'), 'source-changed');
    await made.more(20, 'of the other file');
    await assert.rejects(rig.watch('hevc-copyable', 'raw/h265'), { code: 'SOURCE_NOT_LIVE', message: /does not come in H\.265 any more/ });
    const { feeds, decoders, encoders } = rig.processes;
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 0, 0]);
    made.leave();
    copy.leave();
    await eventually(() => rig.pipelines.activity().length === 0, 5_000, 'the source to stop');
  });

  it('stops when the last holder of a track that has ended gives it back', async () => {
    await openRig(['hevc-copyable.mp4'], { idleGraceMs: 0 });
    const copy = await rig.watch('hevc-copyable', 'raw/h265');
    await copy.more(10, 'of the copy');
    renameSync(copyVideo('copyable.mp4', rig.uploadDir, '.next.mp4'), path.join(rig.uploadDir, 'hevc-copyable.mp4'));
    await rig.library.refresh();
    assert.equal(await within(copy.closed, 15_000, 'the end of the copy'), 'source-changed');
    assert.equal(rig.pipelines.activity().length, 1, 'whoever held it may go on with another track');
    copy.leave();
    await eventually(() => rig.pipelines.activity().length === 0, 5_000, 'the source to stop');
  });
});
