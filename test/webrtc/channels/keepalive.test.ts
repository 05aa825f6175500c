import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Keepalive } from '../../../src/webrtc/channels/keepalive.js';
import { FakeClock } from '../../helpers/fake-clock.js';

function open(canAsk: () => boolean = () => true) {
  const clock = new FakeClock();
  const asked: number[] = [];
  let silentAtMs: number | undefined;
  const keepalive = new Keepalive({
    clock,
    ask: () => {
      asked.push(clock.now());
      return canAsk();
    },
    onSilent: () => {
      assert.equal(silentAtMs, undefined, 'told once');
      silentAtMs = clock.now();
    },
  });
  const seconds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await clock.advance(1000);
      keepalive.tick();
    }
  };
  return { clock, keepalive, asked, seconds, silentAtMs: () => silentAtMs };
}

describe('keepalive', () => {
  it('asks every 5 s for as long as the client answers', async () => {
    const { keepalive, asked, seconds, silentAtMs } = open();
    for (let i = 1; i <= 20; i++) {
      await seconds(5);
      assert.deepEqual(asked.at(-1), i * 5000);
      keepalive.answered();
    }
    assert.equal(silentAtMs(), undefined);
  });

  it('ends a client that answered once and lets three questions in a row pass', async () => {
    const { keepalive, asked, seconds, silentAtMs } = open();
    await seconds(5);
    keepalive.answered();
    await seconds(60);
    assert.deepEqual(asked, [5000, 10_000, 15_000, 20_000]);
    assert.equal(silentAtMs(), 25_000);
  });

  it('never ends a client that does not know the question', async () => {
    const { keepalive, seconds, silentAtMs } = open();
    keepalive.heard();
    await seconds(600);
    assert.equal(silentAtMs(), undefined);
  });

  it('takes any message for a sign of life', async () => {
    const { keepalive, seconds, silentAtMs } = open();
    keepalive.answered();
    for (let i = 0; i < 20; i++) {
      await seconds(14);
      keepalive.heard();
    }
    assert.equal(silentAtMs(), undefined);
    await seconds(21);
    assert.notEqual(silentAtMs(), undefined);
  });

  it('does not count the time in which the connection was away', async () => {
    const { clock, keepalive, asked, seconds, silentAtMs } = open();
    keepalive.answered();
    await seconds(16);
    assert.equal(asked.length, 3);
    await clock.advance(25_000);
    keepalive.tick();
    assert.equal(silentAtMs(), undefined);
    assert.equal(asked.length, 4, 'asked at once when it is back');
    await seconds(14);
    assert.equal(silentAtMs(), undefined);
    await seconds(1);
    assert.equal(silentAtMs(), 56_000);
  });

  it('counts no question that could not be handed over', async () => {
    const { keepalive, seconds, silentAtMs } = open(() => false);
    keepalive.answered();
    await seconds(120);
    assert.equal(silentAtMs(), undefined);
  });
});
