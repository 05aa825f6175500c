import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WatchingControl, type Watched } from '../../../src/page/timeline/watching-control.js';
import type { Position } from '/sightline.js';

/** A viewer that notes its commands; `refused` of them are. */
function viewer(refused: readonly string[] = []) {
  const commands: string[] = [];
  const listeners: ((position: Position) => void)[] = [];
  let isPaused = false;
  const command = (text: string): Promise<void> => {
    commands.push(text);
    return refused.includes(text) ? Promise.reject(new Error(text)) : Promise.resolve();
  };
  const watching = {
    on: (_name: string, listener: (position: Position) => void) => {
      listeners.push(listener);
      return () => undefined;
    },
    position: undefined,
    get isPaused() {
      return isPaused;
    },
    seek: (at: number) => command(`seek ${at}`),
    setSpeed: (speed: number) => command(`speed ${speed}`),
    step: (frames: number) => command(`step ${frames}`),
    pause: () => ((isPaused = true), command('pause')),
    resume: () => ((isPaused = false), command('resume')),
    live: () => command('live'),
  } as Watched;
  const tell = (position: Pick<Position, 'at' | 'state'> & Partial<Position>): void =>
    listeners.forEach((listener) => listener({ rtpTimestamp: undefined, speed: 1, ...position }));
  return { control: new WatchingControl(watching, () => 1000), commands, tell };
}

describe('the control of a player', () => {
  it('tells where the server says that it is', () => {
    const { control, tell } = viewer();
    assert.deepEqual(control.position.value, { atS: undefined, state: 'live', speed: 1 });
    tell({ at: 900, state: 'playing', speed: 2 });
    assert.deepEqual(control.position.value, { atS: 900, state: 'playing', speed: 2 });
    tell({ at: 950, state: 'gap', notice: 'the camera was away' });
    assert.deepEqual(control.position.value, { atS: 950, state: 'gap', speed: 1, notice: 'the camera was away' });
    tell({ at: 1000, state: 'live' });
    assert.deepEqual(control.position.value, { atS: undefined, state: 'live', speed: 1 });
  });

  it('goes on where the present was stopped, with what was recorded since', async () => {
    const { control, commands } = viewer();
    await control.pause();
    assert.deepEqual(control.position.value, { atS: 1000, state: 'held', speed: 1 });
    await control.resume();
    assert.deepEqual(commands, ['pause', 'seek 1000', 'resume']);
    assert.equal(control.position.value.state, 'live');
  });

  it('goes on with the present where nothing was recorded', async () => {
    const { control, commands } = viewer(['seek 1000']);
    await control.pause();
    await control.resume();
    assert.deepEqual(commands, ['pause', 'seek 1000', 'resume']);
    assert.equal(control.position.value.state, 'live');
  });

  it('steps through what was recorded of the present', async () => {
    const { control, commands } = viewer();
    await control.step(-1);
    assert.deepEqual(commands, ['seek 1000', 'step -1']);
  });

  it('plays the present, whatever was paused before', async () => {
    const { control, commands, tell } = viewer();
    tell({ at: 900, state: 'playing' });
    await control.pause();
    tell({ at: 901, state: 'paused' });
    await control.live();
    assert.deepEqual(commands, ['pause', 'live', 'resume']);
  });

  it('leaves things as they are where the server refuses', async () => {
    const { control } = viewer(['seek 5', 'pause']);
    await assert.rejects(control.seek(5));
    await assert.rejects(control.pause());
    assert.equal(control.position.value.state, 'live');
  });
});
