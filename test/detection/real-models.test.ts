/** Real models on a real picture: the person at 40 s of the video, where several independent decoders agree it is. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { Detector, inspectModel, type ModelDescription } from '../../src/detection/index.js';
import type { FamilyName } from '../../src/detection/families/names.js';
import { iou } from '../../src/detection/boxes.js';
import { silentLogger } from '../../src/base/logger.js';
import type { Box, Detection } from '../../src/media/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { assetPath, projectRoot } from '../helpers/assets.js';
import { ModelFolder } from '../helpers/models.js';
import { pictureAt } from '../helpers/pictures.js';

interface RealModel {
  readonly file: string;
  readonly family: FamilyName;
  readonly sizePx: number;
  /** Of the person; undefined where the net misses it. */
  readonly score: number | undefined;
}

const MODELS: readonly RealModel[] = [
  { file: 'yolox_nano_416.onnx', family: 'yolox', sizePx: 416, score: 0.89 },
  { file: 'AGPL_testonly_yolov8n_320_int8.onnx', family: 'yolov8', sizePx: 320, score: 0.9 },
  { file: 'AGPL_testonly_yolov8n_640_int8.onnx', family: 'yolov8', sizePx: 640, score: 0.92 },
  { file: 'AGPL_testonly_yolo11n_320_int8.onnx', family: 'yolov8', sizePx: 320, score: 0.92 },
  { file: 'AGPL_testonly_yolo26n_640_int8_end2end.onnx', family: 'yolo-end2end', sizePx: 640, score: 0.91 },
  { file: 'deimv2_atto_320_int8.onnx', family: 'detr', sizePx: 320, score: undefined },
  { file: 'FastestDet.onnx', family: 'fastestdet', sizePx: 352, score: 0.94 },
  { file: 'yolo-fastestv2_352.onnx', family: 'yolo-fastestv2', sizePx: 352, score: 0.96 },
  { file: 'nanodet_m_320.onnx', family: 'nanodet', sizePx: 320, score: 0.73 },
];
const PERSON: Box = [381, 4, 163, 367];

const video = assetPath('videos/one-by-one-person-detection.mp4');
const absent = video && MODELS.every(({ file }) => assetPath(`models/${file}`)) ? false : 'needs ../shared/assets, which is absent';
const folder = new ModelFolder();
after(() => folder.remove());

async function look(modelPath: string): Promise<{ model: ModelDescription; detections: readonly Detection[] }> {
  const ledger = new ResourceLedger();
  const detector = await Detector.open({ modelPath, clock: systemClock(ledger), logger: silentLogger, ledger });
  const { detections } = await detector.detect(await pictureAt(video!, 40, 768, 432));
  const { model } = detector;
  await detector.close();
  assert.deepEqual([ledger.snapshot().workers, ledger.snapshot().timers], [0, 0]);
  return { model, detections };
}

describe('real models', () => {
  for (const { file, family, sizePx, score } of MODELS) {
    it(`${file} is recognised without a JSON and sees what it sees with one`, { skip: absent }, async () => {
      const modelPath = folder.asset(file)!;
      const { model, detections } = await look(modelPath);
      assert.deepEqual(
        [model.family, model.input.widthPx, model.input.heightPx, model.labels.length, model.labels[0]],
        [family, sizePx, sizePx, 80, 'person'],
      );
      folder.describe(modelPath, { family, input: { width: sizePx, height: sizePx }, labels: 'coco' });
      const described = await look(modelPath);
      assert.deepEqual(
        described.detections.map(({ box, classId, score: s }) => [box, classId, s]),
        detections.map(({ box, classId, score: s }) => [box, classId, s]),
      );
      const [best] = detections;
      if (score === undefined) return;
      assert.equal(best?.label, 'person');
      assert.ok(Math.abs(best.score - score) < 0.05, `score ${best.score}`);
      assert.ok(iou(best.box, PERSON) > 0.9, `box ${best.box.join()}`);
    });
  }

  it('the bundled model is recognised too, though not its labels', async () => {
    const { model, reason } = await inspectModel(`${projectRoot}/models/sightline-demo.onnx`);
    assert.equal(reason, undefined);
    assert.deepEqual([model?.family, model?.strides, model?.decoded], ['yolox', [8], false]);
  });
});
