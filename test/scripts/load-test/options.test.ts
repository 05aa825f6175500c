import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOptions } from '../../../scripts/load-test/options.js';
import { UsageError } from '../../../src/cli/errors.js';

describe("the load test's options", () => {
  it('have defaults that load a server started with npm start', () => {
    const options = parseOptions([]);
    assert.ok(options !== 'help');
    assert.deepEqual(
      [options.url, options.clients, options.tracks, options.durationS, options.rampS],
      ['http://127.0.0.1:8001', 10, ['raw', 'processed'], 20, 2],
    );
  });

  it('are taken from the command line', () => {
    const options = parseOptions(
      '--url http://[::1]:9/x --clients 3 --source demo --tracks raw --max-loss 0.5 --json --no-audio'.split(' '),
    );
    assert.ok(options !== 'help');
    assert.deepEqual(
      [options.url, options.clients, options.source, options.tracks, options.maxLossPercent, options.json, options.audio],
      ['http://[::1]:9', 3, 'demo', ['raw'], 0.5, true, false],
    );
  });

  for (const [argv, message] of [
    ['--clients 0', /--clients: '0' is not a number in \[1, 2000\]/],
    ['--clients 1.5', /not a whole number/],
    ['--duration soon', /--duration: 'soon'/],
    ['--tracks raw,both', /'both' is not one of raw, processed/],
    ['--tracks raw,raw', /twice/],
    ['--url ftp://x', /not an http or https address/],
    ['--frobnicate', /frobnicate/],
    ['street', /street/],
    ['--max-loss=', /--max-loss: ''/],
  ] as const) {
    it(`refuse ${argv}`, () => {
      assert.throws(
        () => parseOptions(argv.split(' ')),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});
