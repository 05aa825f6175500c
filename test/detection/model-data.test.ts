import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { inspectModel, modelDataBeside } from '../../src/detection/index.js';
import { externalData } from '../../src/detection/onnx-external-data.js';
import { onnxModel, onnxWeights, pictureInput, type Graph } from '../helpers/onnx.js';

/** A YOLOv8 of two classes that sees the same box in any picture; its output is kept in a file of its own. */
function graph(weightsAt: string): Graph {
  return {
    inputs: [pictureInput(64)],
    outputs: [{ name: 'output0', dims: [1, 6, 84], values: [32] }],
    metadata: { names: "{0: 'a', 1: 'b'}" },
    weightsAt,
  };
}

describe('models whose weights are in files of their own', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-data-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => path.join(folder, name);
  const weights = onnxWeights(graph(''));
  const write = (weightsAt = 'model.onnx.data', bytes: Buffer | null = weights): string => {
    writeFileSync(at('model.onnx'), onnxModel(graph(weightsAt)));
    if (bytes) writeFileSync(at('model.onnx.data'), bytes);
    return at('model.onnx');
  };

  it('are opened with what lies beside them, whatever the family finds', async () => {
    const { model, dataPaths, reason } = await inspectModel(write());
    assert.deepEqual([model?.family, model?.labels, dataPaths, reason], ['yolov8', ['a', 'b'], [at('model.onnx.data')], undefined]);
  });

  it('are opened where their JSON says that the weights have another name, and checks them by sha256', async () => {
    write('export_1.onnx.data', null);
    writeFileSync(at('mine.bin'), weights);
    const json = (sha256: string): string => {
      writeFileSync(at('model.json'), JSON.stringify({ data: [{ location: 'export_1.onnx.data', file: 'mine.bin', sha256 }] }));
      return at('model.json');
    };
    assert.equal((await inspectModel(json(createHash('sha256').update(weights).digest('hex')))).model?.family, 'yolov8');
    await assert.rejects(
      inspectModel(json('0'.repeat(64))),
      /mine\.bin is damaged or another file: its sha256 is [0-9a-f]{64}, its JSON says 0{64}/,
    );
  });

  it('are opened through a link, with the weights where the link leads', async () => {
    const real = write();
    mkdirSync(at('links'));
    symlinkSync(real, at('links/linked.onnx'));
    assert.equal((await inspectModel(at('links/linked.onnx'))).model?.family, 'yolov8');
  });

  it('are refused by the name of the file that is missing, cut off or elsewhere', () => {
    assert.throws(
      () => modelDataBeside(write('other.data')),
      /its weights are in a file of their own, 'other\.data', which is not beside it; copy that file to /,
    );
    assert.throws(
      () => modelDataBeside(write('model.onnx.data', weights.subarray(0, 100))),
      /'model\.onnx\.data' has 100 bytes, at least 2016 are needed: it is cut off/,
    );
    for (const location of ['../model.onnx.data', '/etc/passwd', 'C:\\weights', 'a/../../b', '\\\\host\\share', '']) {
      assert.throws(() => modelDataBeside(write(location)), /names a file of weights that is not beside it/, location);
    }
    rmSync(at('model.onnx.data'));
    mkdirSync(at('model.onnx.data'));
    assert.throws(() => modelDataBeside(write('model.onnx.data', null)), /which is no file/);
  });

  it('are refused where their JSON tells of weights that they do not have', async () => {
    write();
    writeFileSync(at('model.json'), JSON.stringify({ data: [{ location: 'moved.data' }] }));
    await assert.rejects(
      inspectModel(at('model.json')),
      /its JSON tells of the weights 'moved\.data', which the ONNX file does not name; it names model\.onnx\.data/,
    );
  });

  it('name each file once with all that is needed of it, and damaged ones say less, without end or error', () => {
    const bytes = onnxModel({
      ...graph('w.data'),
      outputs: [
        { name: 'a', dims: [4] },
        { name: 'b', dims: [2, 8] },
      ],
    });
    assert.deepEqual([...externalData(bytes)], [['w.data', 80]]);
    assert.deepEqual([...externalData(onnxModel({ inputs: [], outputs: [{ name: 'a', dims: [4] }] }))], []);
    for (let length = 0; length < bytes.length; length += 7) externalData(bytes.subarray(0, length));
    for (let i = 0; i < bytes.length; i++) externalData(Buffer.from(bytes.map((byte, at) => (at === i ? byte ^ 0xff : byte))));
    // A graph in an attribute of a node of a graph, over and over.
    let nested: Buffer = Buffer.alloc(0);
    const inside = (number: number, content: Buffer): Buffer =>
      Buffer.concat([Buffer.from([number * 8 + 2, (content.length & 127) | 128, content.length >> 7]), content]);
    for (let depth = 0; depth < 1000; depth++) nested = inside(6, inside(1, inside(5, nested)));
    assert.equal(externalData(inside(7, nested)).size, 0);
  });
});
