import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { loadModelDescription } from '../../src/detection/index.js';
import { readModelFiles } from '../../src/detection/model-files.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { ModelFolder } from '../helpers/models.js';

const folder = new ModelFolder();
after(() => folder.remove());

const GOOD = { family: 'yolox', input: { width: 416, height: 416 }, labels: 'coco' };

function refusal(json: unknown, onnx = Buffer.from('model')): string {
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
    const file = folder.write(GOOD, Buffer.from('model'));
    const model = loadModelDescription(file);
    assert.deepEqual(model, loadModelDescription(file.replace('.onnx', '.json')));
    assert.deepEqual(
      [model.onnxPath, model.labels.length, model.strides, model.scoreThreshold, model.nmsIou, model.decoded],
      [file, 80, [8, 16, 32], 0.4, 0.45, false],
    );
  });

  it('says what JSON to write when it is not JSON or leaves out what the file alone would tell', () => {
    assert.match(refusal('{'), /cannot be read as JSON .*"family":"yolox"/);
    assert.match(refusal({ labels: 'coco' }), /must give family, input and labels, such as \{"family":"yolox"/);
    assert.throws(
      () => loadModelDescription('/nowhere/x.json'),
      /there is no \/nowhere\/x\.json\. `sightline models list`.*models add FILE/,
    );
  });

  it('refuses members that nobody knows, by name, and takes those for people', () => {
    assert.match(refusal({ ...GOOD, labls: ['a'] }), /unknown member 'labls', did you mean 'labels'\?/);
    assert.match(
      refusal({ ...GOOD, input: { width: 416, height: 416, widht: 1 } }),
      /unknown member 'input.widht', did you mean 'width'\?/,
    );
    assert.match(refusal({ ...GOOD, frobnicate: 1 }), /unknown member 'frobnicate', known members: name, file, family/);
    const file = folder.write({ ...GOOD, licence: 'MIT', source: 'x', url: 'x', bytes: 1, metrics: [] }, Buffer.from('model'));
    assert.equal(loadModelDescription(file).family, 'yolox');
  });

  it('says which family reads models of another name', () => {
    assert.match(refusal({ ...GOOD, family: 'YOLO11' }), /"YOLO11" models are read by the family 'yolov8'/);
    assert.match(refusal({ ...GOOD, family: 'rt-detr' }), /read by the family 'detr'/);
  });

  it('says what a file is that is no model', () => {
    assert.match(refusal(GOOD, Buffer.alloc(0)), /model\.onnx is empty: .*copy it again\. .*models pull yolox_nano/);
    assert.throws(() => readModelFiles('/nowhere/x.onnx'), /there is no \/nowhere\/x\.onnx\. .*models pull yolox_nano/);
    assert.match(
      refusal(GOOD, Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n')),
      /is a Git LFS pointer.*git lfs pull/,
    );
    assert.match(refusal(GOOD, Buffer.from('<!doctype html><html>')), /is a web page/);
    assert.match(refusal(GOOD, Buffer.from('PK\u0003\u0004')), /PyTorch checkpoints/);
  });

  it('changes the layout that the family prescribes as the JSON says', () => {
    const input = { width: 64, height: 32, channels: 'rgb', fit: 'stretch', pad: 0, scale: 0.5, mean: [1, 2, 3], std: 4 };
    const file = folder.write({ ...GOOD, input }, Buffer.from('model'));
    assert.deepEqual(loadModelDescription(file).input, {
      widthPx: 64,
      heightPx: 32,
      channels: 'rgb',
      fit: 'stretch',
      pad: 0,
      scale: 0.5,
      mean: [1, 2, 3],
      std: [4, 4, 4],
    });
    assert.match(refusal({ ...GOOD, input: { ...input, std: 0, fit: 'center', mean: [1] } }), /\/input\/fit.*\/input\/mean.*\/input\/std/);
  });

  it('names every fault with its field', () => {
    const message = refusal({ family: 'yolo99', input: { width: 416 }, labels: [] });
    for (const part of ['/family', '/labels must', 'known families: yolox']) assert.ok(message.includes(part), `${part} in: ${message}`);
  });

  it('tells what it found where something else was expected', () => {
    const message = refusal({ ...GOOD, input: { width: '416', height: 416 }, score_threshold: 4 });
    assert.match(message, /\/input\/width must be integer, found "416"/);
    assert.match(message, /\/score_threshold must be <= 1, found 4/);
  });

  it('refuses a path that is neither an ONNX file nor a JSON', () => {
    assert.throws(
      () => loadModelDescription('/nowhere/model.pt'),
      /neither an \.onnx file nor the \.json .*models\/README\.md says how to export/,
    );
  });

  it('checks the sha256 when one is given', () => {
    const onnx = Buffer.from('model');
    assert.match(refusal({ ...GOOD, sha256: '0'.repeat(64) }, onnx), /damaged or another file/);
    const file = folder.write({ ...GOOD, sha256: createHash('sha256').update(onnx).digest('hex') }, onnx);
    assert.equal(loadModelDescription(file).onnxPath, file);
  });
});
