import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import sharp from 'sharp';
import { DetectionScheduler, DetectorPool, LabelRenderer } from '../../src/detection/index.js';
import { noticeColour } from '../../src/detection/palette.js';
import type { FrameDetections } from '../../src/media/index.js';
import { CurrentSnapshots, SourceModels, type DetectionModel } from '../../src/pipeline/index.js';
import { FrameNumbers } from '../../src/pipeline/frame-numbers.js';
import { projectRoot } from '../helpers/assets.js';
import { eventually } from '../helpers/deadline.js';
import { realDeps } from '../helpers/ffmpeg-deps.js';
import { copyVideo } from '../helpers/make-video.js';
import { decodeFrames, FixedDetector, PipelineRig, type RigOptions } from '../helpers/pipeline-rig.js';

const thing = (score = 0.9): FixedDetector => new FixedDetector([{ label: 'thing', classId: 0, score, box: [100, 60, 120, 80] }]);

let rig: PipelineRig;

async function openRig(video: Parameters<typeof copyVideo>[0], options: RigOptions): Promise<PipelineRig> {
  return (rig = await PipelineRig.open([video], options));
}

async function read(sourceId: string): Promise<{
  readonly messages: readonly FrameDetections[];
  more(count: number): Promise<void>;
  leave(): void;
  readonly reasons: readonly string[];
}> {
  const lease = (await rig.pipelines.open(sourceId)).openDetections();
  const { feed } = lease;
  const messages: FrameDetections[] = [];
  const reasons: string[] = [];
  const stop = feed.subscribe((message) => void messages.push(message));
  feed.onClosed((reason) => void reasons.push(reason));
  return {
    messages,
    reasons,
    more: async (count) => {
      const wanted = messages.length + count;
      await eventually(() => messages.length >= wanted, 15_000, `${count} more detections`);
    },
    leave: () => {
      stop();
      lease.release();
    },
  };
}

describe('the detections of a source', () => {
  afterEach(() => rig.close());

  it('come without any encoder, from one decoder that ends with the last reader', async () => {
    await openRig('copyable.mp4', { detector: thing() });
    const raw = await rig.watch('copyable', 'raw/h264');
    const readers = await Promise.all([read('copyable'), read('copyable')]);
    for (const reader of readers) await reader.more(10);
    const { feeds, decoders, encoders } = rig.processes;
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 1, 0]);
    assert.equal(readers[0].messages.at(-1), readers[1].messages.at(-1), 'readers share one value');
    for (const reader of readers) reader.leave();
    await eventually(() => rig.processes.decoders.length === 0, 5000, 'the decoder to end');
    await raw.more(5, 'of the copy, which goes on');
    assert.equal(rig.pipelines.activity()[0]?.detection, undefined);
  });

  it('carry the media time of the very frame, ascending numbers and what the detector found, also across a loop and a replaced file', async () => {
    await openRig('grey-transcoded.mp4', { detector: thing() });
    const raw = await rig.watch('grey-transcoded', 'raw/h264');
    const reader = await read('grey-transcoded');
    await reader.more(60);
    renameSync(copyVideo('grey.mp4', rig.uploadDir, '.incoming'), path.join(rig.uploadDir, 'grey-transcoded.mp4'));
    await rig.library.refresh();
    await reader.more(30);
    // A viewer's first frame is a keyframe; messages begin and end where they like.
    const times = raw.frames.map(({ mediaTimeMs }) => mediaTimeMs);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const covered = reader.messages.map(({ mediaTimeMs }) => mediaTimeMs).filter((timeMs) => timeMs >= first && timeMs <= last);
    const unshown = covered.filter((timeMs) => !times.includes(timeMs));
    // A machine that is short of cores may not encode every picture that was looked at.
    const dropped = rig.counts.encoders.sums().reduce((sum, { counts }) => sum + counts.dropped, 0);
    assert.ok(unshown.length <= dropped, `media times ${unshown.join(', ')} of no frame; the encoder was not given ${dropped}`);
    assert.ok(covered.length >= 40, `${covered.length} of ${reader.messages.length} messages within what raw frames cover`);
    reader.messages.forEach(({ frame }, i) => assert.ok(i === 0 || frame > (reader.messages[i - 1]?.frame ?? 0), `frame ${frame}`));
    const ids = new Set(reader.messages.map(({ objects }) => objects[0]?.objectId));
    for (const { objects } of reader.messages) {
      assert.deepEqual(
        objects.map(({ box, isObserved }) => ({ box, isObserved })),
        [{ box: [100, 60, 120, 80], isObserved: true }],
      );
    }
    assert.equal(ids.size, 2, 'one object, and another one in the other file');
    raw.leave();
    reader.leave();
  });

  it('go on while the motion gate lets the net sleep: what was found is still there', async () => {
    const detector = thing();
    await openRig('grey.mp4', { detector, motionGate: true });
    const reader = await read('grey');
    await eventually(() => reader.messages.filter(({ inferenceMs }) => inferenceMs === 0).length >= 30, 15_000, 'looks that were spared');
    const looks = detector.looks;
    const slept = reader.messages.filter(({ inferenceMs }) => inferenceMs === 0);
    assert.ok(looks < reader.messages.length, `${looks} looks for ${reader.messages.length} messages`);
    for (const { objects } of slept)
      assert.deepEqual(
        objects.map(({ box }) => box),
        [[100, 60, 120, 80]],
      );
    assert.ok((rig.pipelines.activity()[0]?.detection?.framesSlept ?? 0) >= slept.length);
    reader.leave();
  });

  it('end with the source', async () => {
    await openRig('copyable.mp4', { detector: thing() });
    const reader = await read('copyable');
    await reader.more(2);
    await rig.pipelines.close();
    assert.deepEqual(reader.reasons, ['server-closing']);
  });

  it('are refused where no detector looks', async () => {
    await openRig('copyable.mp4', {});
    await assert.rejects(read('copyable'), { code: 'DETECTION_OFF' });
    await assert.rejects(read('nowhere'), { code: 'SOURCE_NOT_FOUND' });
  });

  it('go on with another model while viewers of processed notice nothing but other boxes', async () => {
    const first = thing();
    const seeing = (detector: FixedDetector, name: string): DetectionModel => ({
      modelName: name,
      scheduler: new DetectionScheduler({ detector, clock: rig.deps.clock, logger: rig.deps.logger }),
      labels: new LabelRenderer({ labels: ['other'] }),
      classNames: ['other'],
      scoreThreshold: 0.4,
    });
    let current: DetectionModel | undefined;
    const listeners = new Set<() => void>();
    await openRig('copyable.mp4', {
      seeing: { of: () => current, onChange: (listener) => (listeners.add(listener), () => listeners.delete(listener)) },
    });
    const change = (next: DetectionModel | undefined): void => {
      current = next;
      for (const listener of listeners) listener();
    };
    change(seeing(first, 'first'));
    const processed = await rig.watch('copyable', 'processed/h264');
    const reader = await read('copyable');
    await reader.more(3);
    const second = new FixedDetector([{ label: 'other', classId: 5, score: 0.8, box: [10, 10, 50, 50] }]);
    change(seeing(second, 'second'));
    await eventually(() => reader.messages.at(-1)?.objects[0]?.label === 'other', 5000, "the other model's objects");
    assert.equal(rig.pipelines.activity()[0]?.detection?.model, 'second');
    change(undefined);
    const looks = second.looks;
    await processed.more(20, 'with detection switched off');
    assert.ok(second.looks <= looks + 1);
    assert.equal(rig.pipelines.activity()[0]?.detection?.model, undefined);
    processed.leave();
    reader.leave();
    await eventually(() => listeners.size === 0, 5000, 'nobody to listen for changes');
  });
});

describe('a detector that is being restarted', () => {
  afterEach(() => rig.close());

  it('is told in the processed picture, which goes on', async () => {
    const detector = thing();
    await openRig('grey.mp4', { detector });
    const processed = await rig.watch('grey', 'processed/h264');
    await processed.more(10, 'of processed');
    detector.state = 'restarting';
    await processed.more(40, 'with a notice');
    detector.state = 'ready';
    const pictures = decodeFrames('h264', processed.frames, 320, 180);
    await processed.more(30, 'without it');
    const later = decodeFrames('h264', processed.frames, 320, 180);
    assert.ok(isAmber(pictures.at(-1)), 'the notice stands in the upper left corner');
    assert.ok(!isAmber(pictures[0]) && !isAmber(later.at(-1)), 'and nowhere before or after');
  });
});

/** Chroma beside the text of a notice. */
function isAmber(picture: Buffer | undefined): boolean {
  const at = 320 * 180 + (10 >> 1) * 160 + (10 >> 1);
  const [u = 0, v = 0] = [picture?.[at], picture?.[at + 160 * 90]];
  return Math.hypot(u - noticeColour().u, v - noticeColour().v) < 25;
}

describe('CurrentSnapshots', () => {
  afterEach(() => rig.close());

  it('draw what is seen into a picture of the running source, in its proportions, and start it where it does not run', async () => {
    await openRig('grey.mp4', { detector: thing() });
    const stills = new CurrentSnapshots(rig.pipelines, rig.deps.clock);
    const pictures = await Promise.all([
      stills.get('grey', { widthPx: 160, isAnnotated: true }),
      stills.get('grey', { widthPx: 1920, isAnnotated: true }),
    ]);
    const [small, whole] = await Promise.all(pictures.map((picture) => sharp(picture).raw().toBuffer({ resolveWithObject: true })));
    assert.deepEqual([small?.info.width, small?.info.height, whole?.info.width, whole?.info.height], [160, 90, 320, 180]);
    const at = 3 * (100 * 320 + 100);
    const [red = 0, green = 0, blue = 0] = whole?.data.subarray(at, at + 3) ?? [];
    assert.ok(Math.max(red, green, blue) - Math.min(red, green, blue) > 60, `the box's edge is coloured: ${red} ${green} ${blue}`);
    await eventually(() => rig.pipelines.activity().length === 0, 5000, 'the source to end');
  });
});

describe('CurrentSnapshots of a file that is replaced', () => {
  afterEach(() => rig.close());

  it('come from the file that takes its place', async () => {
    const detector = thing();
    detector.state = 'restarting';
    await openRig('grey-transcoded.mp4', { detector });
    const still = new CurrentSnapshots(rig.pipelines, rig.deps.clock).get('grey-transcoded', { widthPx: 160, isAnnotated: true });
    await eventually(() => rig.processes.feeds.length === 1, 5000, 'the source to run');
    const [before] = rig.processes.feeds;
    renameSync(copyVideo('grey.mp4', rig.uploadDir, '.incoming'), path.join(rig.uploadDir, 'grey-transcoded.mp4'));
    await rig.library.refresh();
    await eventually(() => rig.processes.feeds.some(({ pid }) => pid !== before?.pid), 5000, 'the other file to run');
    detector.state = 'ready';
    assert.ok((await still).length > 0);
  });
});

describe('SourceModels', () => {
  it('loads a model once for all its sources, keeps the one of before when the next cannot be used, and ends what nobody uses', async () => {
    const deps = realDeps();
    const pool = new DetectorPool(deps);
    const demo = path.join(projectRoot, 'models/sightline-demo.json');
    const models = await SourceModels.open({
      pool,
      logger: deps.logger,
      defaultModel: demo,
      models: new Map([
        ['gate', demo],
        ['yard', 'none'],
      ]),
    });
    assert.equal(pool.loaded, 1);
    assert.equal(models.inUse().length, 1);
    assert.equal(models.of('street'), models.of('other'));
    assert.equal(models.of('yard'), undefined);
    let changes = 0;
    models.onChange(() => changes++);
    await assert.rejects(models.assign('gate', '/nowhere/model.onnx'), { code: 'MODEL_INVALID' });
    assert.deepEqual([changes, models.choiceOf('gate'), pool.loaded], [0, demo, 1]);
    await Promise.all([models.assign('gate', 'none'), models.assign('street', 'none')]);
    assert.deepEqual([changes, models.of('gate'), models.of('street'), pool.loaded], [2, undefined, undefined, 1]);
    await models.assign('gate', demo);
    const seeing = models.of('gate');
    await models.assign('gate', demo);
    assert.equal(models.of('gate'), seeing, 'a source that is given the model it has notices nothing');
    assert.equal(pool.loaded, 1);
    assert.equal(models.of('gate')?.modelName, 'sightline-demo');
    await models.close();
    assert.equal(pool.loaded, 0);
    assert.equal(deps.ledger.snapshot().workers, 0);
  });

  it('changes nothing where a choice cannot be kept, and goes back to what is configured now', async () => {
    const deps = realDeps();
    const pool = new DetectorPool(deps);
    const demo = path.join(projectRoot, 'models/sightline-demo.json');
    const models = await SourceModels.open({
      pool,
      logger: deps.logger,
      defaultModel: 'none',
      models: new Map([
        ['gate', demo],
        ['yard', 'none'],
      ]),
      chosen: new Map([
        ['yard', demo],
        ['gone', '/nowhere/model.onnx'],
      ]),
    });
    assert.deepEqual([models.choiceOf('yard'), models.choiceOf('gone'), pool.loaded], [demo, 'none', 1]);
    await assert.rejects(
      models.assign('gate', 'none', () => Promise.reject(new Error('the disk is full'))),
      /the disk is full/,
    );
    assert.equal(models.choiceOf('gate'), demo);
    await models.configure(
      new Map([
        ['yard', '/nowhere/other.onnx'],
        ['street', demo],
      ]),
    );
    assert.deepEqual(
      ['gate', 'yard', 'street'].map((id) => models.choiceOf(id)),
      ['none', demo, demo],
    );
    await models.configure(new Map([['street', '/nowhere/other.onnx']]));
    assert.equal(models.choiceOf('street'), demo, 'what cannot be loaded changes nothing');
    await models.assign('yard', undefined);
    assert.equal(models.choiceOf('yard'), 'none');
    await models.close();
    assert.equal(pool.loaded, 0);
  });

  it('lets a source go whose configured model cannot be loaded any more: it has the one for all then', async () => {
    const deps = realDeps();
    const pool = new DetectorPool(deps);
    const demo = path.join(projectRoot, 'models/sightline-demo.json');
    const models = await SourceModels.open({ pool, logger: deps.logger, defaultModel: 'none', models: new Map([['gate', demo]]) });
    await models.assign('gate', demo);
    await models.configure(new Map([['gate', '/nowhere/model.onnx']]));
    await assert.rejects(models.assign('gate', undefined), { code: 'MODEL_INVALID' });
    await assert.rejects(
      models.forget('gate', () => Promise.reject(new Error('the disk is full'))),
      /the disk is full/,
    );
    assert.equal(models.choiceOf('gate'), demo, 'what cannot be kept changes nothing');
    await models.forget('gate');
    assert.deepEqual([models.choiceOf('gate'), pool.loaded], ['none', 0]);
    await models.configure(new Map([['gate', demo]]));
    assert.equal(models.choiceOf('gate'), demo, 'nobody has chosen one any more');
    await models.close();
    assert.equal(pool.loaded, 0);
  });
});

describe('FrameNumbers', () => {
  it('numbers pictures by their media time, whoever asks for which of them', () => {
    const numbers = new FrameNumbers();
    numbers.setRate(30);
    assert.deepEqual(
      [0, 33, 100, 5000].map((timeMs) => numbers.at(timeMs)),
      [0, 1, 3, 150],
    );
  });

  it('ascends when another file follows with another rate', () => {
    const numbers = new FrameNumbers();
    numbers.setRate(60);
    numbers.at(100_000);
    numbers.setRate(10);
    assert.deepEqual([numbers.at(100_050), numbers.at(100_150)], [6001, 6002]);
  });

  it('never gives two pictures one number', () => {
    const numbers = new FrameNumbers();
    numbers.setRate(1);
    assert.deepEqual([numbers.at(10), numbers.at(20), numbers.at(30)], [0, 1, 2]);
  });
});
