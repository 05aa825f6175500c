import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from '../../src/base/turns.js';

describe('turns', () => {
  const job = () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const begun = { value: false };
    return { begun, end, run: () => ((begun.value = true), ended) };
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('lets so many run at a time, the others in the order they came', async () => {
    const turns = new Turns({ atOnce: 2, what: 'jobs' });
    const jobs = [job(), job(), job(), job()];
    const done = jobs.map(({ run }) => turns.run(run));
    await settle();
    assert.deepEqual(
      jobs.map(({ begun }) => begun.value),
      [true, true, false, false],
    );
    jobs[1]?.end();
    await settle();
    assert.deepEqual(
      jobs.map(({ begun }) => begun.value),
      [true, true, true, false],
    );
    for (const { end } of jobs) end();
    await Promise.all(done);
  });

  it('passes the place on after a job that fails', async () => {
    const turns = new Turns({ atOnce: 1, what: 'jobs' });
    const failed = turns.run(() => Promise.reject(new Error('no')));
    const next = turns.run(() => Promise.resolve(7));
    await assert.rejects(failed, /no/);
    assert.equal(await next, 7);
    assert.equal(await turns.run(() => Promise.resolve(8)), 8);
  });

  it('does not begin a job whose client has gone, and leaves nobody else waiting', async () => {
    const turns = new Turns({ atOnce: 1, what: 'jobs' });
    const [first, second, third] = [job(), job(), job()];
    const gone = new AbortController();
    const done = [turns.run(first.run), turns.run(third.run)];
    const left = turns.run(second.run, gone.signal);
    gone.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    await assert.rejects(turns.run(second.run, gone.signal), /gone/);
    first.end();
    third.end();
    await Promise.all(done);
    assert.deepEqual([second.begun.value, third.begun.value], [false, true]);
  });

  it('refuses what would wait behind too many', async () => {
    const turns = new Turns({ atOnce: 1, maxWaiting: 1, what: 'stills' });
    const [first, second] = [job(), job()];
    const done = [turns.run(first.run), turns.run(second.run)];
    await assert.rejects(
      turns.run(() => Promise.resolve()),
      { code: 'CAPACITY_REACHED', message: '1 stills are already waiting; try again in 2 s' },
    );
    first.end();
    second.end();
    await Promise.all(done);
  });

  it('lets what is more urgent go first, in the turn of a job', async () => {
    let free = (): void => undefined;
    const turns = new Turns({ atOnce: 1, what: 'jobs', whenFree: () => new Promise((resolve) => (free = resolve)) });
    const one = job();
    const done = turns.run(one.run);
    await settle();
    assert.equal(one.begun.value, false);
    free();
    await settle();
    assert.equal(one.begun.value, true);
    one.end();
    await done;
  });

  it('lets owners take turns; who has most waiting gives way where too many wait', async () => {
    const turns = new Turns({ atOnce: 1, maxWaiting: 4, what: 'passwords' });
    const first = job();
    const order: string[] = [];
    const run = (name: string): Promise<void> => turns.run(() => Promise.resolve(void order.push(name)), undefined, name.slice(0, 1));
    const running = turns.run(first.run, undefined, 'a');
    const waiting = ['a1', 'a2', 'a3', 'a4'].map(run);
    const refused = assert.rejects(waiting.pop() ?? running, { code: 'CAPACITY_REACHED' });
    const other = run('b1');
    await refused;
    await assert.rejects(run('a5'), { code: 'CAPACITY_REACHED' });
    first.end();
    await Promise.all([running, ...waiting, other]);
    assert.deepEqual(order, ['a1', 'b1', 'a2', 'a3']);
  });

  it('keeps places for others than the owner of many', async () => {
    const turns = new Turns({ atOnce: 3, eachAtOnce: 2, what: 'questions' });
    const jobs = [job(), job(), job()];
    const other = job();
    const done = [...jobs.map(({ run }) => turns.run(run, undefined, 'a')), turns.run(other.run, undefined, 'b')];
    const begun = (): boolean[] => [...jobs, other].map((each) => each.begun.value);
    await settle();
    assert.deepEqual(begun(), [true, true, false, true]);
    other.end();
    await settle();
    assert.deepEqual(begun(), [true, true, false, true]);
    jobs[0]?.end();
    await settle();
    assert.deepEqual(begun(), [true, true, true, true]);
    for (const { end } of jobs) end();
    await Promise.all(done);
  });
});
