import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { Supervised, type Running } from '../../src/pipeline/supervised.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** A process that ends when told to. */
class FakeProcess implements Running {
  readonly closed: Promise<{ readonly error?: Error }>;
  end: (error?: Error) => void = () => undefined;
  constructor(readonly work: () => void) {
    this.closed = new Promise((resolve) => (this.end = (error) => resolve(error ? { error } : {})));
  }
  close(): Promise<unknown> {
    this.end();
    return this.closed;
  }
}

function setUp() {
  const clock = new FakeClock();
  const opened: FakeProcess[] = [];
  const supervised = new Supervised({
    name: 'test',
    clock,
    logger: silentLogger,
    open: (worked) => {
      const process = new FakeProcess(worked);
      opened.push(process);
      return process;
    },
  });
  return { clock, opened, supervised };
}

describe('Supervised', () => {
  it('opens at once, and again after an end, waiting longer each time', async () => {
    const { clock, opened, supervised } = setUp();
    assert.equal(opened.length, 1);
    opened[0]!.end(new Error('killed'));
    await clock.advance(0);
    assert.equal(supervised.current, undefined);
    assert.equal(supervised.trouble, 'killed');
    await clock.advance(250);
    assert.equal(opened.length, 2);
    assert.equal(supervised.restarts, 1);
    assert.equal(supervised.trouble, 'killed', 'one that runs may still give nothing');
    opened[1]!.work();
    assert.equal(supervised.trouble, undefined);
    opened[1]!.end(new Error('killed'));
    await clock.advance(0);
    await clock.advance(249);
    assert.equal(opened.length, 2, 'the second wait is longer than 250 ms');
    await clock.advance(251);
    assert.equal(opened.length, 3);
    await supervised.close();
  });

  it('stays closed, and leaves no timer, when closed while it waits', async () => {
    const { clock, opened, supervised } = setUp();
    opened[0]!.end(new Error('killed'));
    await clock.advance(0);
    await supervised.close();
    await clock.advance(60_000);
    assert.equal(opened.length, 1);
    assert.equal(clock.pendingTimers, 0);
  });

  it('closes the running one and does not count that as a restart', async () => {
    const { supervised } = setUp();
    await supervised.close();
    assert.equal(supervised.restarts, 0);
    assert.equal(supervised.current, undefined);
  });
});
