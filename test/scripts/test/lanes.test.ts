import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInLanes } from '../../../scripts/test/lanes.js';

describe('lanes', () => {
  it('run as many jobs as there are lanes, and of a kind as many as it may', async () => {
    const running: string[] = [];
    const seen: string[] = [];
    const jobs = ['b1', 'b2', 'a1', 'a2', 'b3'].map((name) => ({ name, kind: name.slice(0, 1) }));
    await runInLanes(jobs, { lanes: 2, ofKind: { b: 1 } }, async ({ name }) => {
      running.push(name);
      seen.push(running.join('+'));
      await new Promise(setImmediate);
      running.splice(running.indexOf(name), 1);
    });
    assert.deepEqual(seen, ['b1', 'b1+a1', 'a1+b2', 'b2+a2', 'a2+b3']);
  });

  it('a job that fails ends the run with its reason', async () => {
    await assert.rejects(
      runInLanes([{ kind: 'a' }], { lanes: 1, ofKind: {} }, () => Promise.reject(new Error('a fault of the runner'))),
      /a fault of the runner/,
    );
  });
});
