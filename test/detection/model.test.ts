import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { loadModelDescription } from '../../src/detection/index.js';
import { MediaPeerError } from '../../src/errors.js';
import { ModelFolder } from '../helpers/models.js';

const folder = new ModelFolder();
after(() => folder.remove());

const GOOD = { family: 'yolox', input: { width: 416, height: 416 }, labels: 'coco' };

function refusal(json: unknown, onnx?: Buffer): string {
  const file = folder.write(json, onnx);
  try {
    loadModelDescription(file);
  } catch (error) {
    assert.ok(error instanceof MediaPeerError);
    assert.equal(error.code, 'MODEL_INVALID');
    return error.message;
  }
  return assert.fail('it was accepted');
}

describe('loadModelDescription', () => {
  it('takes the ONNX file or its JSON, and has defaults for what is left out', () => {
    const file = folder.write(GOOD);
    const model = loadModelDescription(file);
    assert.deepEqual(model, loadModelDescription(file.replace('.onnx', '.json')));
    assert.deepEqual([model.onnxPath, model.labels.length, model.strides, model.scoreThreshold, model.nmsIou, model.decoded], [file, 80, [8, 16, 32], 0.4, 0.45, false]);
  });

  it('says what JSON to write when there is none or it is not JSON', () => {
    assert.match(refusal('{'), /"family":"yolox"/);
    assert.throws(() => loadModelDescription('/nowhere/x.onnx'), /A model needs a JSON beside it/);
  });

  it('names every fault with its field', () => {
    const message = refusal({ family: 'yolo99', input: { width: 416 }, labels: [] });
    for (const part of ['/family', '/input', '/labels', 'known families: yolox']) assert.ok(message.includes(part), `${part} in: ${message}`);
  });

  it('tells what it found where something else was expected', () => {
    const message = refusal({ ...GOOD, input: { width: '416', height: 416 }, score_threshold: 4 });
    assert.match(message, /\/input\/width must be integer, found "416"/);
    assert.match(message, /\/score_threshold must be <= 1, found 4/);
  });

  it('refuses a path that is neither an ONNX file nor a JSON', () => {
    assert.throws(() => loadModelDescription('/nowhere/model.pt'), /neither an \.onnx file nor the \.json/);
  });

  it('refuses an input size that the strides do not divide', () => {
    assert.match(refusal({ ...GOOD, input: { width: 400, height: 416 } }), /400x416 is not a multiple of stride 32/);
  });

  it('checks the sha256 when one is given', () => {
    const onnx = Buffer.from('model');
    assert.match(refusal({ ...GOOD, sha256: '0'.repeat(64) }, onnx), /damaged or another file/);
    const file = folder.write({ ...GOOD, sha256: createHash('sha256').update(onnx).digest('hex') }, onnx);
    assert.equal(loadModelDescription(file).onnxPath, file);
  });
});
