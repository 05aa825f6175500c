import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ModelFolder } from '../../src/detection/index.js';

test('the models of the configuration can be chosen by name wherever they lie, beside those of the folder', (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'models-'));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const file of ['nano.onnx', 'tiny.onnx', 'tiny.json', 'README.md']) writeFileSync(path.join(dir, file), '');
  const folder = new ModelFolder(dir, ['/srv/mine.onnx', '/srv/nano.json', '/opt/nano.onnx']);
  assert.deepEqual(folder.list(), ['mine', 'nano', 'tiny']);
  assert.equal(folder.pathOf('mine'), '/srv/mine.onnx');
  assert.equal(folder.pathOf('nano'), '/srv/nano.json');
  assert.equal(folder.pathOf('tiny'), path.join(dir, 'tiny.onnx'));
});

test('a model that is not there is refused with the names that are, and where to put it', () => {
  const folder = new ModelFolder('/nowhere/models', ['/srv/mine.onnx']);
  assert.throws(() => folder.pathOf('../mine'), {
    code: 'MODEL_NOT_FOUND',
    message: /no model '\.\.\/mine'; available: mine\. Put its \.onnx into \/nowhere\/models, or/,
  });
});
