import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { runFile, type Outcome, type RunOptions } from '../../../scripts/test/run-file.js';
import { lineOf, summary } from '../../../scripts/test/summary.js';
import { slowness } from '../../helpers/deadline.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'run-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

/** Runs a test file with that text. */
function run(text: string, options: Partial<RunOptions> = {}): Promise<Outcome> {
  const file = path.join(folder, `test${++files}.test.mjs`);
  writeFileSync(file, `import assert from 'node:assert'; import { describe, it, test } from 'node:test';\n${text}`);
  return runFile(file, { limitMs: 60_000 * slowness, ...options });
}

describe('a test file in a process of its own', { skip: process.platform === 'win32' && 'process groups are of POSIX' }, () => {
  it('is told by what passed, failed and was skipped', async () => {
    const { passed, failed, skipped, faults, output } = await run(
      "describe('a suite', () => { it('one', () => {}); it('two', () => assert.ok(false)); }); test('three', { skip: 'no camera' }, () => {});",
    );
    assert.deepEqual([passed, failed, skipped, faults], [1, ['two'], [{ title: 'three', reason: 'no camera' }], []]);
    assert.match(output, /✔ one/);
    assert.match(output, /AssertionError/);
  });

  it('fails where it cannot be loaded, though no test of it did', async () => {
    const { faults, output } = await run("import './nothing.mjs';");
    assert.deepEqual(faults, ['ended with exit code 1 while no test ran']);
    assert.match(output, /ERR_MODULE_NOT_FOUND/);
  });

  it('fails where a suite cannot be prepared or cleared away', async () => {
    const { failed } = await run(
      "import { before } from 'node:test'; describe('a suite', () => { before(() => assert.fail()); it('one', () => {}); });",
    );
    assert.ok(failed.includes('a suite'), failed.join());
  });

  it('is ended over its limit with all that it started, and the test that hung is named', async () => {
    const text = `import { spawn } from 'node:child_process';
      test('fine', () => {});
      describe('outside', () => { it('hangs', async () => { spawn('sleep', ['1000'], { stdio: 'inherit' }); await new Promise((resolve) => setTimeout(resolve, 1e6)); }); });`;
    const { faults, passed } = await run(text, { limitMs: 2000 * slowness });
    assert.equal(passed, 1);
    assert.match(faults.join(), /^took longer than \d+ s and was killed while this ran: outside > hangs$/);
  });

  it('has a temporary folder of its own, which is taken away', async () => {
    const { output } = await run(
      "import { mkdtempSync } from 'node:fs'; import os from 'node:os'; console.log(mkdtempSync(`${os.tmpdir()}/left-`));",
    );
    const left = /^(\/.*left-.*)$/m.exec(output)?.[1];
    assert.ok(left !== undefined && left.startsWith(`${os.tmpdir()}/slt-`) && !existsSync(left), output);
  });

  it('is told which process outlived it, which is ended', { skip: process.platform !== 'linux' && 'reads /proc' }, async () => {
    const { faults } = await run(
      "import { spawn } from 'node:child_process'; spawn('sleep', ['999'], { detached: true, stdio: 'ignore' }).unref();",
    );
    assert.deepEqual(faults, ['left a process behind, which was killed: sleep 999 ']);
  });

  it('is ended with the whole run', async () => {
    const stop = new AbortController();
    const text = "test('one', async () => { console.log('begun'); await new Promise((resolve) => setTimeout(resolve, 1e6)); });";
    const { faults } = await run(text, { signal: stop.signal, onOutput: (output) => output.includes('begun') && stop.abort() });
    assert.match(faults.join(), /^was ended by SIGKILL/);
  });
});

describe('what is said of test files', () => {
  const outcome = (file: string, tookMs: number, more: Partial<Outcome> = {}): Outcome => ({
    ...{ file: `/dist/test/${file}.test.js`, tookMs, passed: 2, failed: [], skipped: [], faults: [], output: '' },
    ...more,
  });

  it('a line each, with what is wrong', () => {
    assert.equal(lineOf(outcome('a', 1234), '/dist'), '✔    1.2 s  test/a.test.ts  2 passed');
    const bad = outcome('b', 12_000, { failed: ['x'], skipped: [{ title: 'y', reason: '' }], faults: ['left a process behind'] });
    assert.equal(lineOf(bad, '/dist'), '✖   12.0 s  test/b.test.ts  2 passed, 1 failed, 1 skipped\n    it left a process behind');
  });

  it('at the end the slowest twenty, what was skipped and why, what failed, and the totals', () => {
    const many = Array.from({ length: 25 }, (_unused, i) => outcome(`file${i}`, i * 1000));
    const bad = outcome('bad', 1, { failed: ['it works'], skipped: [{ title: 'sees', reason: 'no camera' }] });
    const text = summary({ outcomes: [...many, bad], unsteady: [] }, { dist: '/dist', tookMs: 61_000 });
    assert.match(text, /Slowest 20 of 26 files:\n +24\.0 s {2}test\/file24\.test\.ts\n/);
    assert.ok(!text.includes('file4.test.ts'));
    assert.match(text, /Skipped:\n {2}test\/bad\.test\.ts: sees \(no camera\)\n/);
    assert.match(text, /Failed:\n {2}test\/bad\.test\.ts: it works\n/);
    assert.match(text, /52 tests passed, 1 failed, 1 skipped; 26 files \(1 failed\) in 61\.0 s\.$/);
    assert.ok(!text.includes('Unsteady'));
  });

  it('what passed only alone has a section of its own, with what failed before', () => {
    const first = outcome('a', 1000, { failed: ['a viewer sees', 'a viewer hears'], faults: ['left a process behind'] });
    const text = summary({ outcomes: [outcome('a', 900), outcome('b', 10)], unsteady: [first] }, { dist: '/dist', tookMs: 2000 });
    assert.match(
      text,
      /\n\nUnsteady: passed only alone, failed before:\n {2}test\/a\.test\.ts: a viewer sees\n {2}test\/a\.test\.ts: a viewer hears\n {2}test\/a\.test\.ts: it left a process behind\n\n/,
    );
    assert.match(text, /4 tests passed, 0 failed, 0 skipped; 2 files \(0 failed, 1 unsteady\) in 2\.0 s\.$/);
  });
});
