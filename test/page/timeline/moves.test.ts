import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signal } from '@preact/signals';
import { Moves } from '../../../src/page/timeline/moves.js';
import type { PlayerControl, PlayerPosition } from '../../../src/page/timeline/player-control.js';
import { Playhead } from '../../../src/page/timeline/playhead.js';

/** A player whose record goes from 100 to 1000, which is now. */
function rig(position: PlayerPosition) {
  const commands: string[] = [];
  const waiting: (() => void)[] = [];
  let isSlow = false;
  const command = (text: string): Promise<void> => {
    commands.push(text);
    return isSlow && text.startsWith('seek') ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve();
  };
  const control: PlayerControl = {
    position: signal(position),
    seek: (atS) => (atS === 666 ? Promise.reject(new Error('damaged')) : command(`seek ${atS}`)),
    setSpeed: (speed) => command(`speed ${speed}`),
    step: (frames) => command(`step ${frames}`),
    pause: () => command('pause'),
    resume: () => command('resume'),
    live: () => command('live'),
  };
  const head = new Playhead(() => 1000);
  head.tell(position, performance.now());
  const moves = new Moves({ control: () => control, head, whole: () => ({ fromS: 100, toS: 1000 }) });
  return { moves, commands, beSlow: () => (isSlow = true), answer: () => waiting.shift()?.() };
}

const PAUSED: PlayerPosition = { atS: 500, state: 'paused', speed: 1 };
const LIVE: PlayerPosition = { atS: undefined, state: 'live', speed: 1 };

describe('moves in time', () => {
  it('stay inside what is recorded, and end in the present', async () => {
    const { moves, commands } = rig(PAUSED);
    await moves.goTo(20);
    await moves.by(-10);
    await moves.goTo(999.5);
    await moves.goTo(5000);
    assert.deepEqual(commands, ['seek 100', 'seek 490', 'live', 'live']);
  });

  it('say why one was refused, until the next one is not', async () => {
    const { moves } = rig(PAUSED);
    await moves.goTo(666);
    assert.match(String(moves.refused.value), /damaged/);
    await moves.goTo(600);
    assert.equal(moves.refused.value, undefined);
  });

  it('play and hold by what the player does', async () => {
    const paused = rig(PAUSED);
    await paused.moves.toggle();
    const live = rig(LIVE);
    await live.moves.toggle();
    assert.deepEqual([...paused.commands, ...live.commands], ['resume', 'pause']);
  });

  it('follow a hand: what played is held, the newest wish counts, and the last one is shown', async () => {
    const { moves, commands, beSlow, answer } = rig(LIVE);
    beSlow();
    moves.beginDrag(900);
    for (const atS of [800, 700, 600]) moves.drag(atS);
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(moves.draggedTo.value, 600);
    assert.equal(moves.headS, 600);
    assert.deepEqual(commands, ['pause', 'seek 900']);
    const ended = moves.endDrag(550);
    answer();
    // The seek of the end waits for the one that is on its way.
    while (!commands.includes('seek 550')) await new Promise((resolve) => setImmediate(resolve));
    answer();
    await ended;
    assert.deepEqual(commands, ['pause', 'seek 900', 'seek 550', 'resume']);
    assert.equal(moves.draggedTo.value, undefined);
  });

  it('leave a player that was paused paused after a drag', async () => {
    const { moves, commands } = rig(PAUSED);
    moves.beginDrag(400);
    await moves.endDrag(300);
    assert.equal(commands.at(-1), 'seek 300');
    assert.ok(!commands.includes('pause') && !commands.includes('resume'), commands.join());
  });
});

describe('the head of a player', () => {
  it('goes on between two words of the server, but not for long, and not beyond the present', () => {
    const head = new Playhead(() => 1000);
    assert.equal(head.at(0), 1000);
    head.tell({ atS: 500, state: 'playing', speed: 2 }, 10_000);
    assert.deepEqual(
      [10_000, 10_500, 60_000].map((ms) => head.at(ms)),
      [500, 501, 504],
    );
    head.tell({ atS: 999.5, state: 'playing', speed: 8 }, 0);
    assert.equal(head.at(1000), 1000);
    head.tell(PAUSED, 0);
    assert.equal(head.at(1500), 500);
  });
});
