import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { PolledText } from '../../src/base/polled-text.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { eventually } from '../helpers/deadline.js';

describe('a text file that is followed', () => {
  let folder: string;
  let file: string;
  let ledger: ResourceLedger;
  let polled: PolledText;
  let texts: string[];
  let faults: (string | undefined)[];
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-polled-'));
    file = path.join(folder, 'a.yml');
    writeFileSync(file, 'one');
    ledger = new ResourceLedger();
    texts = [];
    faults = [];
    polled = new PolledText({
      file,
      maxBytes: 100,
      text: 'one',
      clock: systemClock(ledger),
      periodMs: 20,
      onText: (text) => (text.includes('wrong') ? Promise.reject(new Error(`fault in ${text}`)) : Promise.resolve(void texts.push(text))),
      onFault: (fault) => faults.push(fault),
    });
  });
  afterEach(async () => {
    await polled.close();
    assert.equal(ledger.snapshot().timers, 0);
    rmSync(folder, { recursive: true });
  });
  const told = (): Promise<unknown> => eventually(() => texts.length + faults.length > 0, 5000, 'the file to be read');

  it('is read when it has changed, also where another file takes its name', async () => {
    writeFileSync(file, 'two');
    await told();
    writeFileSync(path.join(folder, 'b.yml'), 'three');
    renameSync(path.join(folder, 'b.yml'), file);
    await eventually(() => texts.length === 2, 5000, 'the other file');
    assert.deepEqual([texts, faults], [['two', 'three'], []]);
  });

  it('is read at once where somebody asks, though nothing has changed', async () => {
    await polled.readNow();
    assert.deepEqual(texts, ['one']);
  });

  for (const [what, damage, expected] of [
    ['a text that cannot be used', () => writeFileSync(file, 'wrong'), /^fault in wrong$/],
    ['a file that is gone', () => rmSync(file), /ENOENT/],
    ['one that is too large', () => writeFileSync(file, 'x'.repeat(101)), /larger than 100 bytes/],
    [
      'one that has no end',
      () => {
        rmSync(file);
        symlinkSync('/dev/zero', file);
      },
      /larger than 100 bytes/,
    ],
  ] as const) {
    it(`says ${what} once, and that it is well again`, async () => {
      damage();
      await told();
      assert.match(polled.fault ?? '', expected);
      await polled.readNow();
      rmSync(file, { force: true });
      writeFileSync(file, 'two');
      await eventually(() => texts.length === 1, 5000, 'the text that is well');
      assert.deepEqual([texts, faults.length, faults[1], polled.fault], [['two'], 2, undefined, undefined]);
    });
  }
});
