import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classNames, onnxMetadata } from '../../src/detection/onnx-metadata.js';
import { onnxModel, pictureInput } from '../helpers/onnx.js';
import { seededRandom } from '../helpers/random.js';

const model = onnxModel({
  inputs: [pictureInput(64)],
  outputs: [{ name: 'o', dims: [1, 6, 84] }],
  metadata: { task: 'detect', names: "{0: 'a'}" },
});

describe('onnxMetadata', () => {
  it('reads the texts that an exporter stored', () => {
    assert.deepEqual(
      [...onnxMetadata(model)],
      [
        ['task', 'detect'],
        ['names', "{0: 'a'}"],
      ],
    );
    assert.equal(onnxMetadata(Buffer.from('garbage')).size, 0);
    assert.equal(onnxMetadata(Buffer.alloc(0)).size, 0);
  });

  it('never fails, whatever the bytes', () => {
    const random = seededRandom(8);
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(model.subarray(0, Math.ceil(random() * model.length)));
      for (let i = 0; i < 5; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      onnxMetadata(bytes);
      onnxMetadata(Buffer.from(Array.from({ length: 30 }, () => Math.floor(random() * 256))));
    }
  });
});

describe('classNames', () => {
  it("reads Python's dict with either quotes and escapes", () => {
    assert.deepEqual(classNames(`{0: 'a b', 1: "driver's", 2: 'it\\'s', 3: '漢'}`), ['a b', "driver's", "it's", '漢']);
  });

  it('takes nothing that has gaps or is no dict', () => {
    for (const text of [undefined, '', '{}', 'x', "{1: 'a'}", "{0: 'a', 2: 'b'}", "{0: 'a"]) assert.equal(classNames(text), undefined);
  });
});
