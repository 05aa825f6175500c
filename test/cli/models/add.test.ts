import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { add, type AddOptions } from '../../../src/cli/models/add.js';
import { CommandError } from '../../../src/cli/errors.js';
import { tryModel } from '../../../src/cli/models/trial.js';
import { loadModelDescription } from '../../../src/detection/index.js';
import { onnxModel, onnxWeights, pictureInput } from '../../helpers/onnx.js';
import { demoLabels, demoOnnx, FakeTerminal, Workshop } from './workshop.js';

describe('models add', () => {
  let workshop: Workshop;
  let terminal: FakeTerminal;
  beforeEach(() => {
    workshop = new Workshop();
    terminal = new FakeTerminal();
  });
  afterEach(() => workshop.remove());

  const run = (more: Partial<AddOptions> = {}): Promise<void> => {
    const options = {
      file: demoOnnx,
      models: workshop.models,
      family: 'yolox',
      labels: demoLabels.join(','),
      input: undefined,
      name: 'mine',
      members: { strides: [8] },
      link: false,
      force: false,
    };
    return add({ ...options, ...more }, { terminal, signal: new AbortController().signal });
  };
  const refused = (more: Partial<AddOptions>, message: RegExp): Promise<void> =>
    assert.rejects(run(more), (error) => error instanceof CommandError && message.test(error.message));

  it('copies the file, writes a JSON that the server takes, and says how to use it', async () => {
    await run({ members: { strides: [8], score_threshold: 0.5, licence: 'MIT' } });
    assert.deepEqual(workshop.files, ['mine.json', 'mine.onnx']);
    const model = loadModelDescription(path.join(workshop.models, 'mine.json'));
    assert.deepEqual(
      [model.name, model.family, model.labels, model.inputWidthPx, model.inputHeightPx, model.scoreThreshold],
      ['mine', 'yolox', demoLabels, 384, 224, 0.5],
    );
    assert.match(terminal.text, /Added mine: yolox, 384x224, 3 classes \(car, person, drone\)[^]*--model \S*mine\.json/);
  });

  it('finds out by itself what the file shows, and writes it down', async () => {
    await run({ family: undefined, labels: undefined, members: {} });
    const model = loadModelDescription(path.join(workshop.models, 'mine.json'));
    assert.deepEqual([model.family, model.inputWidthPx, model.inputHeightPx, model.labels.length], ['yolox', 384, 224, 3]);
    assert.match(terminal.text, /Note: the names of its 3 classes are not known/);
  });

  it('takes the name of the file', async () => {
    await run({ name: undefined });
    assert.deepEqual(workshop.files, ['sightline-demo.json', 'sightline-demo.onnx']);
  });

  it('takes the files of weights with it, named after the model, and the copies work without the originals', async () => {
    const graph = { inputs: [pictureInput(64)], outputs: [{ name: 'output0', dims: [1, 6, 84] }], weightsAt: 'model.onnx_data' };
    mkdirSync(workshop.path('export'));
    const file = workshop.write('export/model.onnx', onnxModel(graph));
    const more = { file, family: undefined, labels: 'a,b', members: {} };
    await refused(more, /nothing was added: .*weights are in a file of their own, 'model\.onnx_data', which is not beside it/);
    workshop.write('export/model.onnx_data', onnxWeights(graph));
    await run({ ...more, link: true, name: 'linked' });
    await run({ ...more });
    assert.deepEqual(workshop.files, ['linked.json', 'linked.onnx', 'linked.onnx.data', 'mine.json', 'mine.onnx', 'mine.onnx.data']);
    assert.ok(lstatSync(path.join(workshop.models, 'linked.onnx.data')).isSymbolicLink());
    await refused(more, /mine\.onnx and .*mine\.onnx\.data and .*mine\.json are there already/);
    assert.equal((await tryModel(path.join(workshop.models, 'linked.onnx'))).model.family, 'yolov8');
    rmSync(workshop.path('export'), { recursive: true });
    assert.equal((await tryModel(path.join(workshop.models, 'mine.json'))).model.family, 'yolov8');
    const json = JSON.parse(readFileSync(path.join(workshop.models, 'mine.json'), 'utf8')) as {
      data: { location: string; file: string; sha256: string }[];
    };
    assert.deepEqual(json.data, [
      { location: 'model.onnx_data', file: 'mine.onnx.data', sha256: createHash('sha256').update(onnxWeights(graph)).digest('hex') },
    ]);
  });

  it('writes the JSON alone for a model of several files that is in the folder already', async () => {
    mkdirSync(workshop.models);
    const graph = { inputs: [pictureInput(64)], outputs: [{ name: 'output0', dims: [1, 6, 84] }], weightsAt: 'weights.bin' };
    writeFileSync(path.join(workshop.models, 'mine.onnx'), onnxModel(graph));
    writeFileSync(path.join(workshop.models, 'weights.bin'), onnxWeights(graph));
    await run({ file: path.join(workshop.models, 'mine.onnx'), family: undefined, labels: 'a,b', members: {} });
    assert.deepEqual(workshop.files, ['mine.json', 'mine.onnx', 'weights.bin']);
    assert.equal((await tryModel(path.join(workshop.models, 'mine.json'))).model.family, 'yolov8');
  });

  it('links where asked to', async () => {
    await run({ link: true });
    assert.ok(lstatSync(path.join(workshop.models, 'mine.onnx')).isSymbolicLink());
    assert.ok(loadModelDescription(path.join(workshop.models, 'mine.onnx')));
  });

  it('writes the JSON alone for a file that is in the folder already', async () => {
    mkdirSync(workshop.models);
    copyFileSync(demoOnnx, path.join(workshop.models, 'mine.onnx'));
    await run({ file: path.join(workshop.models, 'mine.onnx') });
    assert.deepEqual(workshop.files, ['mine.json', 'mine.onnx']);
    assert.ok(!lstatSync(path.join(workshop.models, 'mine.onnx')).isSymbolicLink());
  });

  for (const [what, content] of [
    ['a line each', 'car\r\nperson\r\ndrone\r\n'],
    ['a JSON array', ' ["car", "person", "drone"]\n'],
    ['with a byte order mark', '\uFEFFcar\nperson\ndrone'],
  ] as const) {
    it(`reads labels from a file, ${what}`, async () => {
      await run({ labels: workshop.write('labels.txt', content) });
      assert.deepEqual(loadModelDescription(path.join(workshop.models, 'mine.json')).labels, demoLabels);
    });
  }

  it('replaces a model only when told to', async () => {
    await run();
    await refused({ labels: 'a,b,c' }, /mine\.onnx and .*mine\.json are there already; --force replaces/);
    assert.deepEqual(loadModelDescription(path.join(workshop.models, 'mine.json')).labels, demoLabels);
    await run({ labels: 'a,b,c', force: true });
    assert.deepEqual(loadModelDescription(path.join(workshop.models, 'mine.json')).labels, ['a', 'b', 'c']);
  });

  it('leaves the model that is there when its replacement does not work', async () => {
    await run();
    const before = readFileSync(path.join(workshop.models, 'mine.json'), 'utf8');
    await refused({ labels: 'car,person', force: true }, /nothing was added/);
    assert.equal(readFileSync(path.join(workshop.models, 'mine.json'), 'utf8'), before);
    assert.deepEqual(workshop.files, ['mine.json', 'mine.onnx']);
  });

  it('refuses a wrong number of labels, saying what was found against what was expected, and leaves nothing', async () => {
    await refused({ labels: 'car,person' }, /\b2 labels/);
    assert.deepEqual(workshop.files, []);
  });

  for (const [what, more, message] of [
    ['a family that is unknown', { family: 'yolo99' }, /yolo99/],
    ['a labels file that is missing', { labels: 'nowhere.txt' }, /nowhere\.txt cannot be read.*--labels car,person/],
    ['an empty label', { labels: 'car,,drone' }, /name 2 of 3 is ""/],
    ['an input that does not fit', { input: { width: 640, height: 640 } }, /mine|sightline-demo\.onnx/],
    ['a file that is not there', { file: '/nowhere/x.onnx' }, /cannot be read/],
    ['a file of another kind', { file: 'weights.pt' }, /not an \.onnx file; export/],
    ['a folder', { file: undefined }, /is not a file/],
    ['a damaged file', { file: undefined }, /cannot be used/],
    ['a name that is a path', { name: '../mine' }, /cannot be a model's name/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const made =
        what === 'a folder' ? workshop.path('folder.onnx') : workshop.write('damaged.onnx', readFileSync(demoOnnx).subarray(0, 1000));
      if (what === 'a folder') mkdirSync(made);
      await refused('file' in more && more.file === undefined ? { file: made } : more, message);
      assert.ok(!existsSync(workshop.models) || workshop.files.length === 0);
    });
  }

  it('says which name of a labels file is wrong', async () => {
    await refused({ labels: workshop.write('labels.json', '["car", 7, "drone"]') }, /labels\.json: name 2 of 3 is 7/);
    await refused({ labels: workshop.write('labels.json', '["car"') }, /looks like JSON, but is not/);
    await refused({ labels: workshop.write('labels.txt', `car\n${'x'.repeat(65)}\ndrone`) }, /name 2 has 65 characters/);
  });

  it('says why it cannot write', async () => {
    writeFileSync(workshop.path('blocked'), '');
    await refused({ models: path.join(workshop.path('blocked'), 'models') }, /cannot be written: a part of that path is a file/);
  });
});
