import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { info } from '../../../src/cli/models/info.js';
import { list } from '../../../src/cli/models/list.js';
import { readRegistry } from '../../../src/cli/models/registry.js';
import { projectRoot } from '../../helpers/assets.js';
import { demoLabels, demoOnnx, FakeTerminal, Workshop } from './workshop.js';

const json = { family: 'yolox', input: { width: 384, height: 224 }, strides: [8], labels: demoLabels, licence: 'MIT' };
const bundledRegistry = path.join(projectRoot, 'models/registry.json');

describe('models list and info', () => {
  let workshop: Workshop;
  let terminal: FakeTerminal;
  beforeEach(() => {
    workshop = new Workshop();
    workshop.writeRegistry('https://example.com/demo.onnx');
    mkdirSync(workshop.models);
    terminal = new FakeTerminal();
  });
  afterEach(() => workshop.remove());
  const put = (name: string, description: unknown): void => {
    copyFileSync(demoOnnx, path.join(workshop.models, `${name}.onnx`));
    if (description !== undefined)
      writeFileSync(
        path.join(workshop.models, `${name}.json`),
        typeof description === 'string' ? description : JSON.stringify(description),
      );
  };
  const lineOf = (word: string): string => terminal.text.split('\n').find((line) => line.startsWith(word)) ?? '';

  it('list what works with family, input, classes, size and licence', async () => {
    put('good', json);
    await list(workshop, terminal);
    assert.match(lineOf('good.json'), /^good\.json +yolox +384x224 +3 +0\.9 +\d+\.\d +MIT$/);
  });

  it('list what does not work with the reason', async () => {
    put('good', json);
    put('few-labels', { ...json, labels: ['car'] });
    put('damaged-json', '{');
    put('wrong-sum', { ...json, sha256: 'a'.repeat(64) });
    put('damaged-onnx', json);
    writeFileSync(path.join(workshop.models, 'damaged-onnx.onnx'), readFileSync(demoOnnx).subarray(0, 1000));
    writeFileSync(path.join(workshop.models, 'orphan.json'), JSON.stringify(json));
    await list(workshop, terminal);
    const problems = terminal.text.slice(terminal.text.indexOf('Not usable'));
    assert.match(problems, /few-labels\.json: .*\b1 labels/);
    assert.match(problems, /damaged-json\.json: .*JSON/);
    assert.match(problems, /wrong-sum\.json: .*sha256/);
    assert.match(problems, /damaged-onnx\.json: .*cannot be used/);
    assert.match(problems, /orphan\.json: its ONNX file orphan\.onnx is missing/);
    assert.match(terminal.text, /good\.json +yolox/);
  });

  it('list what can be downloaded, and whether it is there', async () => {
    await list(workshop, terminal);
    assert.match(terminal.text, /There is no model in/);
    assert.match(lineOf('demo '), /^demo +yolox +384x224 +0\.9 +MIT +no$/);
    put('demo', json);
    terminal = new FakeTerminal();
    await list(workshop, terminal);
    assert.match(lineOf('demo '), /yes$/);
  });

  it('list a folder that does not exist as empty', async () => {
    await list({ registry: workshop.registry, models: workshop.path('nowhere') }, terminal);
    assert.match(terminal.text, /There is no model in/);
  });

  it('tell inputs, outputs, family, labels and the JSON of a model', async () => {
    put('good', json);
    await info(path.join(workshop.models, 'good.onnx'), terminal);
    assert.match(
      terminal.text,
      /images +float32 +\[1,3,224,384\][^]*output +float32 +\[1,1344,8\][^]*family +yolox[^]*labels +3: car, person, drone[^]*it works/,
    );
  });

  it('tell what is wrong with a JSON and what to do', async () => {
    put('bad', { ...json, labels: ['car'] });
    await info(path.join(workshop.models, 'bad.json'), terminal);
    assert.match(terminal.text, /It cannot be used: .*\b1 labels[^]*models add \S+bad\.onnx --family/);
  });

  for (const [what, name, content, message] of [
    ['is damaged', 'x.onnx', 'no', /cannot be used/],
    ['is neither', 'x.txt', 'no', /neither an \.onnx file nor/],
    ['is a JSON of an unknown family', 'x.json', '{"family":"nothing"}', /family/],
  ] as const) {
    it(`refuse a file that ${what}`, async () => {
      await assert.rejects(info(workshop.write(name, content), terminal), (error: Error) => message.test(error.message));
    });
  }

  it('refuse a file that is not there', async () => {
    await assert.rejects(info(workshop.path('x.onnx'), terminal), /there is no .*x\.onnx/);
    await assert.rejects(info(workshop.path('x.json'), terminal), /there is no .*x\.json/);
  });

  it('recognise a file without a JSON', async () => {
    put('bare', undefined);
    await info(path.join(workshop.models, 'bare.onnx'), terminal);
    assert.match(terminal.text, /family +yolox[^]*needs none[^]*"family": "yolox"[^]*it works/);
  });

  it('find the bundled registry well formed', async () => {
    const entries = await readRegistry(bundledRegistry);
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['yolox_nano', 'yolox_tiny', 'yolox_s'],
    );
    assert.ok(entries.every(({ url, licence }) => url.startsWith('https://github.com/') && licence === 'Apache-2.0'));
  });
});
