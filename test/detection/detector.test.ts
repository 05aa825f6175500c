import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { Detector } from '../../src/detection/index.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { assetPath } from '../helpers/assets.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { ModelFolder } from '../helpers/models.js';
import { pictureAt, plainPicture } from '../helpers/pictures.js';

const folder = new ModelFolder();
after(() => folder.remove());
const ledger = new ResourceLedger();
const open = (modelPath: string): Promise<Detector> =>
  Detector.open({ modelPath, clock: systemClock(ledger), logger: silentLogger, ledger });

const video = assetPath('videos/one-by-one-person-detection.mp4');
const nanoFolder = new ModelFolder();
after(() => nanoFolder.remove());
const nano = nanoFolder.yoloxNano();
const absent = nano && video ? false : 'needs ../shared/assets, which is absent';

describe('Detector', () => {
  it('refuses a file that is no ONNX model and leaves no thread', async () => {
    const file = folder.write({ family: 'yolox', input: { width: 64, height: 64 }, labels: ['a'] }, Buffer.from('garbage'));
    await assert.rejects(
      open(file),
      (error: unknown) => error instanceof MediaPeerError && error.code === 'MODEL_INVALID' && error.message.includes(file),
    );
    assert.equal(ledger.snapshot().workers, 0);
  });

  it('refuses a truncated ONNX file', { skip: absent }, async () => {
    const other = new ModelFolder();
    const file = other.yoloxNano()!;
    truncateSync(file, 200_000);
    await assert.rejects(
      open(file),
      (error: unknown) => error instanceof MediaPeerError && error.code === 'MODEL_INVALID' && error.message.includes(file),
    );
    other.remove();
    assert.equal(ledger.snapshot().workers, 0);
  });

  it('refuses a model of another input size, naming both sizes', { skip: absent }, async () => {
    const other = new ModelFolder();
    const file = other.yoloxNano()!;
    other.write({ family: 'yolox', input: { width: 320, height: 320 }, labels: 'coco' });
    await assert.rejects(open(file), /the model takes pictures of 416x416, its JSON says 320x320/);
    other.remove();
  });

  it('refuses a model with more or fewer labels than it has classes', { skip: absent }, async () => {
    const other = new ModelFolder();
    const file = other.yoloxNano()!;
    other.write({ family: 'yolox', input: { width: 416, height: 416 }, labels: ['car', 'person'] });
    await assert.rejects(open(file), /the model gives 80 classes, its JSON lists 2 labels/);
    other.remove();
  });

  it('finds the person of a real video where it stands', { skip: absent }, async () => {
    const detector = await open(nano!);
    const result = await detector.detect(await pictureAt(video!, 40, 768, 432));
    const [x, y, width, height] = result.detections[0]!.box;
    assert.equal(result.detections[0]!.label, 'person');
    [x, y, x + width, y + height].forEach((value, i) =>
      assert.ok(Math.abs(value - [383, 3, 546, 371][i]!) <= 8, [x, y, x + width, y + height].join()),
    );
    await detector.close();
    assert.equal(detector.state, 'closed');
    assert.equal(ledger.snapshot().workers, 0);
  });

  it('copies the picture that it looked at, until it looks at the next', { skip: absent }, async () => {
    const detector = await open(nano!);
    const { copyPicture } = await detector.detect(plainPicture(64, 48, 90));
    const copy = copyPicture?.();
    assert.deepEqual([copy?.widthPx, copy?.heightPx, copy?.data.equals(plainPicture(64, 48, 90).data)], [64, 48, true]);
    const next = detector.detect(plainPicture(64, 48, 200));
    assert.equal(copyPicture?.(), undefined);
    await next;
    assert.equal(copy?.data[0], 90, 'it has memory of its own');
    await detector.close();
  });

  it('is busy with one picture at a time and takes sizes as they come', { skip: absent }, async () => {
    const detector = await open(nano!);
    const first = detector.detect(plainPicture(640, 360));
    assert.equal(detector.isBusy, true);
    await assert.rejects(detector.detect(plainPicture(640, 360)), /another picture/);
    await first;
    assert.equal(detector.isBusy, false);
    assert.equal((await detector.detect(plainPicture(90, 160))).detections.length, 0);
    await detector.close();
  });

  it('gives up a picture whose run hangs, replaces the thread and works again', { skip: absent }, async () => {
    const clock = new FakeClock();
    const detector = await Detector.open({ modelPath: nano!, clock, logger: silentLogger, ledger });
    const failure = assert.rejects(
      detector.detect(plainPicture(64, 64)),
      (error: unknown) => error instanceof MediaPeerError && error.code === 'DETECTOR_FAILED',
    );
    await clock.advance(10_000);
    await within(failure, 5000, 'the failure');
    assert.equal(detector.state, 'restarting');
    await assert.rejects(detector.detect(plainPicture(64, 64)), /restarting/);
    await eventually(
      async () => {
        await clock.advance(100);
        return detector.state === 'ready';
      },
      10_000,
      'a new thread',
    );
    assert.equal((await detector.detect(plainPicture(64, 64))).detections.length, 0);
    assert.equal(detector.restarts, 1);
    await detector.close();
    assert.equal(ledger.snapshot().workers, 0);
    assert.equal(clock.pendingTimers, 0);
  });
});
