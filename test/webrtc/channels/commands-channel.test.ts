import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandsChannel } from '../../../src/webrtc/channels/commands-channel.js';
import type { IncomingChannel } from '../../../src/webrtc/transport/data-channel.js';
import { FakeClock } from '../../helpers/fake-clock.js';

const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => logger };

/** A client whose commands are not carried out before a test says so. */
class Rig {
  readonly clock = new FakeClock();
  readonly answers: { readonly id?: number; readonly ok: boolean; readonly code?: string; readonly message?: string }[] = [];
  readonly #waiting: (() => void)[] = [];
  carriedOut = 0;
  #hear: (text: string) => void = () => undefined;

  constructor() {
    const channel: IncomingChannel = {
      label: 'commands',
      accept: (events) => {
        this.#hear = (text) => events.text?.(text);
        return {
          label: 'commands',
          bufferedBytes: 0,
          piecesAhead: 0,
          maxMessageBytes: 65_536,
          close: () => undefined,
          send: (text) => {
            this.answers.push(JSON.parse(text) as Rig['answers'][number]);
            return true;
          },
          sendBinary: () => true,
        };
      },
    };
    const execute = (): Promise<object> =>
      new Promise((resolve) => {
        this.#waiting.push(() => {
          this.carriedOut++;
          resolve({});
        });
      });
    const onNothing = (): void => undefined;
    new CommandsChannel({ channel, clock: this.clock, logger, execute, changes: () => 'all', onHeard: onNothing, onSilent: onNothing });
  }

  /** As fast as commands may come. */
  say(count: number, commandOf: (i: number) => object): void {
    for (let i = 0; i < count; i++) {
      void this.clock.advance(50);
      this.#hear(JSON.stringify(commandOf(i)));
    }
  }

  async carryOutAll(): Promise<void> {
    do {
      for (const go of this.#waiting.splice(0)) go();
      await new Promise(setImmediate);
    } while (this.#waiting.length > 0);
  }
}

describe('commands that wait for one that takes long', () => {
  it('are a hundred: more are refused, by their id, at once', async () => {
    const rig = new Rig();
    rig.say(103, (id) => ({ cmd: 'pause', id }));
    await new Promise(setImmediate);
    assert.deepEqual(
      rig.answers.map(({ id, ok, code }) => [id, ok, code]),
      [100, 101, 102].map((id) => [id, false, 'COMMANDS_TOO_FAST']),
    );
    assert.match(rig.answers[0]?.message ?? '', /100 commands wait for others before them; wait for their answers/);
    await rig.carryOutAll();
    assert.deepEqual([rig.answers.length, rig.carriedOut, new Set(rig.answers.map(({ id }) => id)).size], [103, 100, 103]);
    rig.say(1, () => ({ cmd: 'pause', id: 200 }));
    await rig.carryOutAll();
    assert.deepEqual([rig.answers.at(-1)?.id, rig.answers.at(-1)?.ok], [200, true]);
  });

  it('are answered in their order where they have no ids, the refused ones, too', async () => {
    const rig = new Rig();
    rig.say(150, () => ({ cmd: 'pause' }));
    await new Promise(setImmediate);
    assert.equal(rig.answers.length, 0);
    await rig.carryOutAll();
    assert.deepEqual(
      rig.answers.map(({ ok }) => ok),
      Array.from({ length: 150 }, (_, i) => i < 100),
    );
  });

  it('hold up no more than two hundred answers', async () => {
    const rig = new Rig();
    rig.say(260, () => ({ cmd: 'pause' }));
    await new Promise(setImmediate);
    assert.deepEqual([rig.answers.length, rig.answers[0]?.code], [60, 'COMMANDS_TOO_FAST']);
    await rig.carryOutAll();
    assert.deepEqual([rig.answers.length, rig.carriedOut], [260, 100]);
  });
});
