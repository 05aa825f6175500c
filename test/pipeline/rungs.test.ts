import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import type { LadderPlan, PacketizedFrame, Rendition, Rung, VideoCodec } from '../../src/media/index.js';
import { eventually, within } from '../helpers/deadline.js';
import { copyVideo, type VideoName } from '../helpers/make-video.js';
import { makeNumberedClip, readLumaNumber } from '../helpers/numbered-clip.js';
import { decodeFrames, FixedDetector, PipelineRig, type RigOptions, type Watched } from '../helpers/pipeline-rig.js';
import { FakePublisher } from '../helpers/publisher.js';

const thing = (): FixedDetector => new FixedDetector([{ label: 'thing', classId: 0, score: 0.9, box: [100, 60, 120, 80] }]);
const plan = (...items: readonly (readonly [number, number])[]): LadderPlan =>
  items.map(([shortSidePx, kbps]) => ({ shortSidePx, bitrateBps: 1000 * kbps }));

let rig: PipelineRig;

async function openRig(videos: readonly VideoName[], options: RigOptions = {}): Promise<PipelineRig> {
  return (rig = await PipelineRig.open(videos, options));
}

async function ladder(sourceId: string, rendition: Rendition = 'raw', codec: VideoCodec = 'h264'): Promise<readonly Rung[]> {
  return (await rig.pipelines.open(sourceId)).ladder({ rendition, codec });
}

const names = async (...of: Parameters<typeof ladder>): Promise<string[]> => (await ladder(...of)).map(({ name }) => name);

/** From its newest keyframe on. */
function newestGroup({ frames }: Watched): readonly PacketizedFrame[] {
  return frames.slice(frames.findLastIndex(({ keyframe }) => keyframe));
}

function assertAscends({ frames, lease }: Watched): void {
  frames.forEach(({ mediaTimeMs }, i) => {
    const before = frames[i - 1]?.mediaTimeMs ?? -Infinity;
    assert.ok(mediaTimeMs > before, `${lease.track.name}: ${mediaTimeMs} ms after ${before} ms`);
  });
}

/** Of every decoded picture from the first keyframe on, by its media time. */
function numbers(watched: Watched, codec: VideoCodec, widthPx: number, heightPx: number): Map<number, number | undefined> {
  const frames = watched.frames.slice(watched.frames.findIndex(({ keyframe }) => keyframe));
  const pictures = decodeFrames(codec, frames, widthPx, heightPx);
  return new Map(pictures.map((picture, i) => [frames[i]?.mediaTimeMs ?? NaN, readLumaNumber(picture, widthPx)]));
}

describe('a lower rung', () => {
  afterEach(() => rig.close());

  for (const codec of ['h264', 'vp8'] as const) {
    it(`in ${codec} is smaller, of the same pictures at the same media times, raw and processed, and costs one encoder each`, async () => {
      await openRig([], { detector: thing(), ladder: plan([180, 200]) });
      await makeNumberedClip(path.join(rig.uploadDir, 'numbered.mp4'));
      await rig.library.refresh();
      const raw = await rig.watch('numbered', 'raw/h264');
      const rungs = await Promise.all([rig.watch('numbered', `raw/${codec}/180p`), rig.watch('numbered', `processed/${codec}/180p`)]);
      const again = await rig.watch('numbered', `raw/${codec}/180p`);
      for (const watched of [...rungs, again]) await watched.more(75, watched.lease.track.name);
      assert.equal(again.lease.track, rungs[0].lease.track);
      assert.deepEqual([rig.processes.decoders.length, rig.processes.encoders.length], [1, 2]);
      const shown = numbers(raw, 'h264', 640, 360);
      for (const watched of rungs) {
        const small = numbers(watched, codec, 320, 180);
        assert.ok(small.size > 60, `${watched.lease.track.name} decodes to ${small.size} pictures`);
        const wrong = [...small].filter(([mediaTimeMs, number]) => shown.has(mediaTimeMs) && shown.get(mediaTimeMs) !== number);
        const known = [...small].filter(([mediaTimeMs]) => shown.has(mediaTimeMs)).length;
        assert.ok(known > 55, `${known} of ${small.size} have the media time of a raw frame`);
        assert.deepEqual(wrong, [], `${watched.lease.track.name}: numbers by media time`);
        assertAscends(watched);
      }
      for (const watched of [...rungs, again]) watched.leave();
      await eventually(() => rig.processes.decoders.length + rig.processes.encoders.length === 0, 5000, 'only the feed to run');
      await raw.more(5, 'after the rungs');
      raw.leave();
    });
  }

  const sizes: readonly (readonly [VideoName, number, number])[] = [
    ['portrait.mp4', 180, 320],
    ['odd.webm', 320, 180],
    ['wide-pixels.mp4', 326, 180],
    ['rotated.mp4', 180, 320],
  ];
  for (const [name, widthPx, heightPx] of sizes) {
    it(`of ${name} is ${widthPx}x${heightPx}`, async () => {
      await openRig([name], { ladder: plan([180, 200]) });
      const id = path.parse(name).name;
      const rung = (await ladder(id)).find((each) => each.name === '180p');
      assert.deepEqual([rung?.widthPx, rung?.heightPx, rung?.isRunning, rung?.isAvailable], [widthPx, heightPx, false, true]);
      const watched = await rig.watch(id, 'raw/h264/180p');
      await watched.more(10, 'of the rung');
      assert.ok(decodeFrames('h264', watched.frames, widthPx, heightPx).length >= 8);
      const [activity] = rig.pipelines.activity();
      assert.deepEqual(
        activity?.renditions.map((each) => [each.rung, each.widthPx, each.heightPx, each.viewers]),
        [['180p', widthPx, heightPx, 1]],
      );
    });
  }

  it('keeps its rate even: no keyframe is larger than a dozen ordinary frames, on demand or not', async () => {
    await openRig(['copyable-720p.mp4']);
    const tracks = await Promise.all(['raw/h264/360p', 'raw/vp8/180p', 'raw/h264/180p'].map((name) => rig.watch('copyable-720p', name)));
    for (const watched of tracks) await watched.more(60, watched.lease.track.name);
    for (const watched of tracks) {
      const before = watched.frames.length;
      const ask = watched.lease.track.subscribe({ send: () => undefined, pendingBytes: 0 });
      ask.requestKeyframe();
      ask.requestKeyframe();
      await eventually(() => watched.frames.slice(before).some(({ keyframe }) => keyframe), 2000, 'the keyframe that was asked for');
      ask.close();
      await watched.more(60, 'after it');
      const sizes = watched.frames.slice(30).map(({ sizeBytes }) => sizeBytes);
      const mean = sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length;
      assert.ok(Math.max(...sizes) < 12 * mean, `${watched.lease.track.name}: ${Math.max(...sizes)} of ${Math.round(mean)} bytes`);
    }
    const rates = (await ladder('copyable-720p')).map(({ name, bitrateBps = 0 }) => [name, bitrateBps] as const);
    const [first, ...others] = tracks.map(({ frames }) => {
      const seconds = ((frames.at(-1)?.mediaTimeMs ?? 0) - (frames[0]?.mediaTimeMs ?? 0)) / 1000;
      return (8 * frames.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)) / seconds;
    });
    assert.ok(first !== undefined && first < 1.15 * 550_000, `360p takes ${Math.round(first ?? 0)} bit/s`);
    for (const bps of others) assert.ok(bps < 1.25 * 180_000, `180p takes ${Math.round(bps)} bit/s`);
    assert.deepEqual(
      rates.map(([name]) => name),
      ['source', '540p', '360p', '180p'],
    );
  });

  it('goes on in the proportion of the new file where its file is replaced', async () => {
    await openRig(['copyable.mp4'], { ladder: plan([180, 200]) });
    const watched = await rig.watch('copyable', 'raw/h264/180p');
    await watched.more(10, 'of the first file');
    renameSync(copyVideo('portrait.mp4', rig.uploadDir, '.incoming'), path.join(rig.uploadDir, 'copyable.mp4'));
    await rig.library.refresh();
    await eventually(() => rig.pipelines.activity()[0]?.renditions[0]?.widthPx === 180, 5000, 'the new file');
    await watched.more(15, 'of the second file');
    assertAscends(watched);
    assert.ok(decodeFrames('h264', newestGroup(watched), 180, 320).length > 0);
    assert.equal(rig.processes.encoders.length, 1);
  });

  it('heals when its encoder dies, as often as that happens', async () => {
    await openRig(['copyable.mp4'], { ladder: plan([180, 200]) });
    const watched = await rig.watch('copyable', 'raw/h264/180p');
    for (let round = 1; round <= 2; round++) {
      await watched.more(5, 'before');
      const [encoder] = rig.processes.encoders;
      assert.ok(encoder);
      process.kill(encoder.pid, 'SIGKILL');
      await eventually(() => rig.pipelines.activity()[0]?.renditions[0]?.restarts === round, 5000, 'the restart');
    }
    await watched.more(10, 'after');
    assertAscends(watched);
  });

  it('needs places: those of one that nobody watches are given to it, and else it is refused, as its ladder says before', async () => {
    await openRig(['copyable-720p.mp4', 'copyable.mp4'], {
      rungPlaces: 0.5,
      idleGraceMs: 60_000,
      ladder: plan([360, 550], [180, 180]),
    });
    const available = async (id: string): Promise<boolean[]> => (await ladder(id)).map(({ isAvailable }) => isAvailable);
    assert.deepEqual(await available('copyable-720p'), [true, true, true]);
    const first = await rig.watch('copyable-720p', 'raw/h264/360p');
    await first.more(5, 'of the first rung');
    assert.deepEqual(await available('copyable-720p'), [true, true, false]);
    assert.deepEqual(
      (await ladder('copyable-720p')).map(({ isRunning }) => isRunning),
      [true, true, false],
    );
    const refusal = {
      code: 'CAPACITY_REACHED',
      message: /too few places for encoders of lower qualities: this one takes 0.25, 0.08 of 0.5 /,
    };
    await assert.rejects(rig.watch('copyable-720p', 'raw/h264/180p'), refusal);
    await assert.rejects(rig.watch('copyable', 'raw/vp8/180p'), refusal);
    assert.equal(rig.pipelines.activity().length, 1, 'no source is started for what is refused');
    const beside = await rig.watch('copyable-720p', 'raw/h264/360p');
    const whole = await rig.watch('copyable', 'raw/vp8');
    await whole.more(1, 'of an encode in the quality of its source, which needs no place');
    beside.leave();
    await assert.rejects(rig.watch('copyable-720p', 'raw/h264/180p'), refusal);
    first.leave();
    const second = await rig.watch('copyable', 'raw/h264/180p');
    assert.equal(await within(first.closed, 5000, 'the end of the rung that was idle'), 'viewer-left');
    await second.more(5, 'of the one that took its place');
  });

  it('is refused where its source has none of that name', async () => {
    await openRig(['copyable.mp4'], { ladder: plan([360, 550], [180, 180]) });
    for (const name of ['720p', '0p', 'high', '360', '360P'])
      await assert.rejects(rig.watch('copyable', `raw/h264/${name}`), {
        code: 'NOTHING_TO_SERVE',
        message: `source 'copyable' has no quality '${name}'; it has ${(await names('copyable')).join(', ')}`,
      });
    assert.equal(rig.pipelines.activity().length, 0);
    const same = await rig.watch('copyable', 'raw/h264/source');
    assert.equal(same.lease.track, (await rig.watch('copyable', 'raw/h264')).lease.track);
  });
});

describe('the ladder of a source', () => {
  afterEach(() => rig.close());

  it('is known before it runs, by its size and length, and measured while it does', async () => {
    await openRig(['copyable-720p.mp4'], { detector: thing() });
    const before = await ladder('copyable-720p');
    assert.deepEqual(
      before.map(({ name, widthPx, heightPx, isRunning }) => [name, widthPx, heightPx, isRunning]),
      [
        ['source', 1280, 720, false],
        ['540p', 960, 540, false],
        ['360p', 640, 360, false],
        ['180p', 320, 180, false],
      ],
    );
    assert.deepEqual(
      before.slice(1).map(({ bitrateBps }) => bitrateBps),
      [1_100_000, 550_000, 180_000],
    );
    const watched = await rig.watch('copyable-720p', 'raw/h264');
    await watched.more(135, 'more than the 4 s that are measured');
    const [top] = await ladder('copyable-720p');
    const seconds = ((watched.frames.at(-1)?.mediaTimeMs ?? 0) - (watched.frames[0]?.mediaTimeMs ?? 0)) / 1000;
    const sentBps = (8 * watched.frames.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)) / seconds;
    assert.ok(top?.isRunning === true && Math.abs((top.bitrateBps ?? 0) / sentBps - 1) < 0.2, `${top?.bitrateBps} of ${sentBps} bit/s`);
    assert.deepEqual(await names('copyable-720p', 'processed', 'vp8'), ['source', '540p', '360p', '180p']);
  });

  it('is of H.264 below H.265 that is copied', async () => {
    await openRig(['hevc-copyable.mp4'], { ladder: plan([180, 150]) });
    assert.deepEqual(await names('hevc-copyable', 'raw', 'h265'), ['source', '180p']);
    const watched = await rig.watch('hevc-copyable', 'raw/h265/180p');
    assert.equal(watched.lease.track.codec, 'h264');
    assert.equal(watched.lease.track, (await rig.watch('hevc-copyable', 'raw/h264/180p')).lease.track);
    await watched.more(10, 'of the rung');
    assert.deepEqual(
      (await ladder('hevc-copyable', 'raw', 'h265')).map(({ isRunning }) => isRunning),
      [true, true],
    );
  });

  it('ends with the source itself where it is off', async () => {
    await openRig(['copyable-720p.mp4'], { ladder: [] });
    assert.deepEqual(await names('copyable-720p'), ['source']);
    await assert.rejects(rig.watch('copyable-720p', 'raw/h264/360p'), { code: 'NOTHING_TO_SERVE' });
  });

  it('follows a publisher that changes its size, and keeps a rung for those who watch it', async () => {
    await openRig([], { ladder: plan([360, 550], [240, 300], [180, 150], [90, 60]) });
    const publisher = new FakePublisher(rig.rooms, { room: 'gate', codec: 'h264', size: '640x480', pattern: 'testsrc2' }).start();
    try {
      const raw = await rig.watch('gate', 'raw/h264');
      await raw.more(5, 'of the publisher');
      assert.deepEqual(await names('gate'), ['source', '360p', '240p', '180p', '90p']);
      const rung = await rig.watch('gate', 'raw/h264/240p');
      await rung.more(5, 'of 240p');
      publisher.change({ size: '240x180' });
      await eventually(async () => (await ladder('gate'))[0]?.heightPx === 180, 5000, 'the smaller size');
      assert.deepEqual(await names('gate'), ['source', '240p', '180p', '90p']);
      await rung.more(10, 'of 240p, still');
      publisher.change({ size: '360x640' });
      await eventually(async () => (await ladder('gate'))[0]?.heightPx === 640, 5000, 'the turned picture');
      assert.deepEqual(await names('gate'), ['source', '360p', '240p', '180p', '90p']);
      await eventually(
        () => rig.pipelines.activity()[0]?.renditions.some((each) => each.widthPx === 240) === true,
        5000,
        'the turned rung',
      );
      await rung.more(15, 'of the turned picture');
      assertAscends(rung);
      assert.ok(decodeFrames('h264', newestGroup(rung), 240, 426).length > 0);
      rung.leave();
      raw.leave();
    } finally {
      publisher.leave('left');
    }
  });
});
