import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import { Admission, type Admitted } from '../../../src/webrtc/session/admission.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { recordingLogger } from '../rig.js';

/** Those who were admitted. */
class Hall {
  readonly clock = new FakeClock();
  readonly admission: Admission;
  /** Names of those who gave way, in order. */
  readonly gone: string[] = [];

  constructor(viewer: number, publisher = 1) {
    this.admission = new Admission({ max: { viewer, publisher }, clock: this.clock, logger: recordingLogger([]) });
  }

  /** @throws MediaPeerError CAPACITY_REACHED */
  enter(
    clientId: string,
    address: string,
    { isHeard = false, role = 'viewer' }: { isHeard?: boolean; role?: 'viewer' | 'publisher' } = {},
  ): Admitted {
    const admitted = this.admission.admit({ clientId, address, sourceId: 'street', role });
    admitted.begun({ isHeard: () => isHeard, giveWay: () => void this.gone.push(clientId) });
    return admitted;
  }

  /** The seconds after which a refused newcomer may try again. */
  refused(address: string, role: 'viewer' | 'publisher' = 'viewer'): number | undefined {
    try {
      this.enter('late', address, { role });
    } catch (error) {
      if (error instanceof MediaPeerError && error.code === 'CAPACITY_REACHED') return error.retryAfterS;
      throw error;
    }
    throw new Error('it was admitted');
  }
}

describe('when no more may connect', () => {
  it('who has waited for more than 3 s gives way, the oldest first, and Retry-After says when', async () => {
    const hall = new Hall(2);
    hall.enter('first', 'a');
    await hall.clock.advance(500);
    hall.enter('second', 'a');
    assert.equal(hall.refused('a'), 3);
    await hall.clock.advance(2400);
    assert.equal(hall.refused('a'), 1);
    await hall.clock.advance(100);
    hall.enter('third', 'a');
    assert.deepEqual(hall.gone, ['first']);
    assert.equal(hall.admission.admitted, 2);
  });

  it('who was connected never gives way', async () => {
    const hall = new Hall(2);
    for (const name of ['first', 'second']) hall.enter(name, 'a').connected();
    await hall.clock.advance(60_000);
    assert.equal(hall.refused('b'), 5);
    assert.deepEqual(hall.gone, []);
  });

  it('the address that waits with most sessions goes first, and a lonely slow joiner last', async () => {
    const hall = new Hall(4);
    hall.enter('slow', 'honest');
    for (const name of ['x1', 'x2', 'x3']) hall.enter(name, 'attacker');
    await hall.clock.advance(5000);
    for (const name of ['y1', 'y2']) hall.enter(name, 'newcomer');
    assert.deepEqual(hall.gone, ['x1', 'x2']);
  });

  it('a flood from one address pushes out nobody of another', async () => {
    const hall = new Hall(3);
    hall.enter('slow', 'honest');
    hall.enter('x1', 'attacker');
    hall.enter('x2', 'attacker');
    await hall.clock.advance(4000);
    for (let i = 3; i < 20; i++) {
      hall.enter(`x${i}`, 'attacker');
      await hall.clock.advance(2000);
    }
    assert.ok(hall.gone.length === 17 && !hall.gone.includes('slow'), hall.gone.join());
  });

  it('whoever nothing was heard from goes before those whose checks arrive', async () => {
    const hall = new Hall(2);
    hall.enter('relayed', 'office', { isHeard: true });
    await hall.clock.advance(10);
    hall.enter('silent', 'office');
    await hall.clock.advance(4000);
    hall.enter('next', 'office');
    assert.deepEqual(hall.gone, ['silent']);
  });

  it('an address that takes turns with itself cannot keep the others out', async () => {
    for (const takesTurns of ['by pushing itself out', 'by leaving']) {
      const hall = new Hall(1);
      const first = hall.enter('x1', 'attacker');
      await hall.clock.advance(3000);
      if (takesTurns === 'by leaving') first.leave();
      hall.enter('x2', 'attacker');
      assert.equal(hall.refused('honest'), 1, takesTurns);
      await hall.clock.advance(1000);
      hall.enter('joiner', 'honest').connected();
      assert.equal(hall.gone.at(-1), 'x2', takesTurns);
    }
  });

  it('joiners of an address of which others connect keep their 3 s', async () => {
    const hall = new Hall(2);
    hall.enter('x1', 'office');
    await hall.clock.advance(2900);
    hall.enter('fast', 'office').connected();
    await hall.clock.advance(50);
    assert.equal(hall.refused('other'), 1);
    await hall.clock.advance(50);
    hall.enter('joiner', 'office');
    await hall.clock.advance(2000);
    assert.equal(hall.refused('other'), 1, 'a second is not enough');
    assert.deepEqual(hall.gone, ['x1']);
  });

  it('publishers are counted apart, and the refusal names what bounds them', () => {
    const hall = new Hall(1, 1);
    hall.enter('viewer', 'a');
    hall.enter('camera', 'a', { role: 'publisher' });
    assert.throws(() => hall.enter('late', 'a'), /all 1 places of viewers are taken \(MAX_CONNECTIONS\); try again in 3 s/);
    assert.throws(() => hall.enter('late', 'a', { role: 'publisher' }), /all 1 places of publishers are taken \(MAX_PUBLISHERS\)/);
  });

  it('one that gave way counts once, however its session ends', async () => {
    const hall = new Hall(1);
    const first = hall.enter('first', 'a');
    await hall.clock.advance(3000);
    hall.enter('second', 'a');
    first.leave();
    first.leave();
    assert.equal(hall.admission.admitted, 1);
    assert.equal(hall.refused('a'), 3);
    assert.equal(hall.admission.hasClient('first'), false);
  });
});
