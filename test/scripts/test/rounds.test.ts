import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kind, TestFile } from '../../../scripts/test/kinds.js';
import { runRounds, type Results } from '../../../scripts/test/rounds.js';
import type { Outcome } from '../../../scripts/test/run-file.js';

const filesOf = (kinds: Readonly<Record<string, Kind>>): TestFile[] =>
  Object.entries(kinds).map(([file, kind]) => ({ file, kind, because: [] }));

const outcomeOf = (file: string, failed: readonly string[], more: Partial<Outcome> = {}): Outcome => ({
  ...{ file, tookMs: 1, passed: 1, failed, skipped: [], faults: [], output: '' },
  ...more,
});

/** Runs files of which each name's failures are those of its first, second, ... run; tells what ran in which order. */
async function rounds(
  kinds: Readonly<Record<string, Kind>>,
  failures: Readonly<Record<string, readonly (readonly string[])[]>>,
): Promise<Results & { readonly ran: readonly string[] }> {
  const ran: string[] = [];
  const times = new Map<string, number>();
  const results = await runRounds(filesOf(kinds), 2, async ({ file }, isAgain) => {
    ran.push(isAgain ? `${file} again` : file);
    const time = times.get(file) ?? 0;
    times.set(file, time + 1);
    await new Promise(setImmediate);
    return outcomeOf(file, failures[file]?.[time] ?? []);
  });
  return { ...results, ran };
}

const names = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ file }) => file).sort();

describe('a run of all test files', () => {
  it('takes what computes first, then what plays media, then what measures', async () => {
    const { ran, outcomes, unsteady } = await rounds({ measures: 'alone', plays: 'live', computes: 'unit', browses: 'browser' }, {});
    assert.deepEqual(ran, ['computes', 'plays', 'browses', 'measures']);
    assert.deepEqual([names(outcomes), unsteady], [['browses', 'computes', 'measures', 'plays'], []]);
  });

  for (const kind of ['live', 'browser', 'alone'] as const) {
    it(`a file of kind ${kind} that failed runs once more at the end; where it passes, both are told`, async () => {
      const { ran, outcomes, unsteady } = await rounds(
        { shaky: kind, steady: 'live', measures: 'alone' },
        { shaky: [['a viewer sees'], []] },
      );
      assert.deepEqual([ran.at(-1), ran.length], ['shaky again', 4]);
      assert.deepEqual(outcomes.find(({ file }) => file === 'shaky')?.failed, []);
      assert.deepEqual(
        unsteady.map(({ file, failed }) => [file, failed]),
        [['shaky', ['a viewer sees']]],
      );
    });
  }

  it('one that fails again has failed, with what failed then, and there is no third time', async () => {
    const { ran, outcomes, unsteady } = await rounds({ broken: 'live', steady: 'live' }, { broken: [['one', 'two'], ['two'], []] });
    assert.deepEqual(ran, ['broken', 'steady', 'broken again']);
    assert.deepEqual(outcomes.find(({ file }) => file === 'broken')?.failed, ['two']);
    assert.deepEqual(unsteady, []);
  });

  it('those that run again do so one after another', async () => {
    let running = 0;
    const { unsteady } = await runRounds(filesOf({ a: 'live', b: 'live', c: 'browser' }), 3, async ({ file }, isAgain) => {
      running++;
      await new Promise(setImmediate);
      if (isAgain) assert.equal(running, 1);
      running--;
      return outcomeOf(file, [], isAgain ? {} : { faults: ['left a process behind'] });
    });
    assert.deepEqual(names(unsteady), ['a', 'b', 'c']);
  });

  it('what only computes does not run again', async () => {
    const { ran, outcomes } = await rounds({ wrong: 'unit', steady: 'live' }, { wrong: [['one'], []] });
    assert.deepEqual(ran, ['wrong', 'steady']);
    assert.deepEqual(outcomes.find(({ file }) => file === 'wrong')?.failed, ['one']);
  });

  it('a file that ran by itself does not run again', async () => {
    const { ran, unsteady } = await rounds({ shaky: 'live' }, { shaky: [['one'], []] });
    assert.deepEqual([ran, unsteady], [['shaky'], []]);
  });

  it('five run again, six show that something is broken', async () => {
    const many = (count: number) => Array.from({ length: count }, (_unused, i) => `live${i}`);
    const run = (count: number) =>
      rounds(
        { ...Object.fromEntries(many(count).map((name) => [name, 'live' as const])), steady: 'live' },
        Object.fromEntries(many(count).map((name) => [name, [['one'], []]])),
      );
    assert.deepEqual(names((await run(5)).unsteady), many(5));
    const { ran, unsteady, outcomes } = await run(6);
    assert.deepEqual([ran.length, unsteady.length, outcomes.filter(({ failed }) => failed.length > 0).length], [7, 0, 6]);
  });

  it('a run that is stopped tells what it has', async () => {
    const { outcomes } = await runRounds(filesOf({ a: 'unit', b: 'live' }), 1, ({ file }) =>
      Promise.resolve(file === 'a' ? outcomeOf(file, []) : undefined),
    );
    assert.deepEqual(names(outcomes), ['a']);
  });
});
