import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOptions } from '../../../src/cli/annotate/options.js';
import { UsageError } from '../../../src/cli/errors.js';

describe("annotate's command line", () => {
  it('needs two files alone', () => {
    assert.deepEqual(parseOptions(['in.mkv', 'out.mp4']), {
      ...{ input: 'in.mkv', output: 'out.mp4', model: undefined, detections: undefined, overwrite: false },
      ...{ detectFps: undefined, minScore: undefined, fromS: 0, durationS: undefined },
    });
  });

  it('takes the rest', () => {
    assert.deepEqual(
      parseOptions(
        'in.mp4 out.mp4 --model m.json --detect-fps all --detections d.jsonl --min-score 0.5 --from 1.5 --duration 2 --overwrite'.split(
          ' ',
        ),
      ),
      {
        ...{ input: 'in.mp4', output: 'out.mp4', model: 'm.json', detections: 'd.jsonl', overwrite: true },
        ...{ detectFps: 'all', minScore: 0.5, fromS: 1.5, durationS: 2 },
      },
    );
  });

  for (const [argv, message] of [
    ['in.mp4', /name a video and the \.mp4 file/],
    ['in.mp4 out.mp4 more', /'more' is one too many/],
    ['in.mp4 out.avi', /'out\.avi' is not an \.mp4 file/],
    ['in.mp4 out.mp4 --detect-fps often', /--detect-fps: 'often'/],
    ['in.mp4 out.mp4 --detect-fps 0', /--detect-fps: '0'/],
    ['in.mp4 out.mp4 --min-score 2', /--min-score: '2'/],
    ['in.mp4 out.mp4 --from=-1', /--from: '-1'/],
    ['in.mp4 out.mp4 --duration 0', /--duration: '0'/],
    ['in.mp4 out.mp4 --frobnicate', /frobnicate/],
  ] as const) {
    it(`refuses ${argv}`, () => {
      assert.throws(
        () => parseOptions(argv.split(' ')),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});
