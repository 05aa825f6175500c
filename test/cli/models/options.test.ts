import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { UsageError } from '../../../src/cli/errors.js';
import { parseCommand } from '../../../src/cli/models/options.js';
import { projectRoot } from '../../helpers/assets.js';

describe("the model manager's command line", () => {
  it('is about the models folder of the project', () => {
    assert.deepEqual(parseCommand(['list']), {
      name: 'list',
      models: path.join(projectRoot, 'models'),
      registry: path.join(projectRoot, 'models/registry.json'),
    });
  });

  it('takes what describes a model', () => {
    const command = parseCommand(
      'add x.onnx --family yolox --labels a,b --input 640x384 --strides 8,16 --score 0.3 --nms 0.6 --decoded --licence MIT --force --models /m'.split(
        ' ',
      ),
    );
    assert.deepEqual(command, {
      name: 'add',
      add: {
        ...{
          file: 'x.onnx',
          models: '/m',
          family: 'yolox',
          labels: 'a,b',
          name: undefined,
          link: false,
          force: true,
          input: { width: 640, height: 384 },
        },
        members: { strides: [8, 16], decoded: true, score_threshold: 0.3, nms_iou: 0.6, licence: 'MIT' },
      },
    });
  });

  it('explains itself', () => {
    for (const argv of [[], ['help'], ['pull', '--help']]) assert.deepEqual(parseCommand(argv), { name: 'help' });
  });

  for (const [argv, message] of [
    ['remove x', /unknown command 'remove'/],
    ['pull', /pull which model/],
    ['info', /info which file/],
    ['list x', /list does not take 'x'/],
    ['pull a b', /pull does not take 'b'/],
    ['add x.onnx --input 640', /invalid --input: '640'/],
    ['add x.onnx --score 2', /invalid --score: '2'/],
    ['add x.onnx --nms=', /invalid --nms: ''/],
    ['add x.onnx --strides 8,x', /invalid --strides: 'x'/],
    ['list --frobnicate', /frobnicate/],
  ] as const) {
    it(`refuses ${argv}`, () => {
      assert.throws(
        () => parseCommand(argv.split(' ')),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});
