import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PathWatch, type PathVerdict } from '../../../src/webrtc/congestion/path-watch.js';

/** A peer that answers checks, or does not. */
class Peer {
  readonly watch = new PathWatch();
  readonly verdicts: PathVerdict[] = [];
  nowMs = 0;
  isEverSilent = false;
  #answers: { readonly id: number; readonly askedMs: number; readonly atMs: number }[] = [];
  #asked = 0;

  /** @param roundTripMs of the empty way */
  constructor(readonly roundTripMs = 40) {}

  /** @param queueMs what a check waits for by its number and time; undefined: it is lost */
  run(ms: number, queueMs: (check: number, nowMs: number) => number | undefined): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 10) {
      for (const { id, askedMs, atMs } of this.#answers.filter((answer) => answer.atMs <= this.nowMs))
        this.verdicts.push(this.watch.add(id, atMs - askedMs, this.nowMs));
      this.#answers = this.#answers.filter(({ atMs }) => atMs > this.nowMs);
      const id = this.watch.ask(false, this.nowMs);
      this.isEverSilent ||= this.watch.isSilent(this.nowMs);
      if (id === undefined) continue;
      const waits = queueMs(this.#asked++, this.nowMs);
      if (waits === undefined) continue;
      this.#answers.push({ id, askedMs: this.nowMs, atMs: this.nowMs + this.roundTripMs + 10 * Math.round(waits / 10) });
    }
    return this;
  }
}

describe('the watch of a path', () => {
  it('sees a queue that grows within 0.7 s, and how much passes', () => {
    const peer = new Peer().run(2_000, () => 0);
    const fromMs = peer.nowMs;
    // 2.5 times what passes is sent: the queue grows by 1.5 s a second.
    peer.run(700, (_check, nowMs) => Math.min(300, (nowMs - fromMs) * 1.5));
    assert.ok(peer.verdicts.includes('congested'));
    assert.ok(peer.watch.passing > 0.35 && peer.watch.passing < 0.5, `${peer.watch.passing}`);
  });

  it('sees a short queue that stays', () => {
    const peer = new Peer().run(2_000, () => 0).run(1_900, () => 60);
    assert.equal(peer.verdicts.at(-1), 'congested');
  });

  it('takes neither varying delay nor one large frame for a queue', () => {
    const peer = new Peer()
      .run(10_000, (check) => (check * 7) % 40)
      .run(250, (check) => 150 - check)
      .run(2_000, (check) => (check * 7) % 40);
    assert.ok(!peer.verdicts.includes('congested'));
    assert.equal(peer.watch.isLossy(peer.nowMs), false);
  });

  it('finds the way lossy where half of the checks are lost, not where a few are', () => {
    const light = new Peer().run(5_000, (check) => (check % 8 === 0 ? undefined : 0));
    assert.equal(light.watch.isLossy(light.nowMs), false);
    const heavy = new Peer().run(2_000, () => 0).run(2_000, (check) => (check % 3 === 0 ? 0 : undefined));
    assert.equal(heavy.watch.isLossy(heavy.nowMs), true);
    assert.ok(heavy.watch.passing < 0.5);
  });

  it('loses nothing where a busy peer answers late, all at once', () => {
    const peer = new Peer().run(2_000, () => 0);
    const untilMs = peer.nowMs + 400;
    peer.run(1_000, (_check, nowMs) => Math.max(0, untilMs - nowMs));
    assert.ok(!peer.verdicts.includes('congested'), peer.verdicts.join(' '));
    assert.equal(peer.watch.isLossy(peer.nowMs), false);
  });

  it('takes a near peer that is busy again and again for no queue, and sees one that stays there, too', () => {
    const busy = new Peer(0).run(5_000, () => 0);
    // Late by 120 to 160 ms for 400 ms of every 2 s, and 700 ms once in a while.
    busy.run(20_000, (check, nowMs) => (nowMs % 2_000 < 400 ? 120 + ((check * 7) % 40) : 0));
    for (let round = 0; round < 3; round++) {
      const untilMs = busy.nowMs + 700;
      busy.run(5_000, (_check, nowMs) => Math.max(0, untilMs - nowMs));
    }
    assert.ok(!busy.verdicts.includes('congested'), busy.verdicts.join(' '));
    assert.equal(busy.isEverSilent, false);
    assert.equal(busy.watch.isLossy(busy.nowMs), false);
    const full = new Peer(0).run(5_000, () => 0).run(2_500, () => 200);
    assert.equal(full.verdicts.at(-1), 'congested');
    const gone = new Peer(0).run(5_000, () => 0).run(2_500, () => undefined);
    assert.equal(gone.isEverSilent, true);
  });

  it('asks who never answers twice a second', () => {
    const peer = new Peer();
    let asked = 0;
    const mute = (): undefined => {
      asked++;
    };
    peer.run(15_000, mute);
    assert.ok(asked < 50, `${asked}`);
  });

  it('finds out that nobody answers any more, only where somebody did', () => {
    const peer = new Peer().run(2_000, () => 0).run(800, () => undefined);
    assert.equal(peer.watch.isSilent(peer.nowMs), true);
    peer.run(200, () => 0);
    assert.equal(peer.watch.isSilent(peer.nowMs), false);
    const mute = new Peer().run(2_000, () => undefined);
    assert.equal(mute.watch.isSilent(mute.nowMs), false);
  });

  it('asks about ten times a second, and twice while nothing is sent', () => {
    const asked = (isIdle: boolean): number => {
      const watch = new PathWatch();
      let asked = 0;
      for (let nowMs = 0; nowMs < 1_000; nowMs += 10) {
        const id = watch.ask(isIdle, nowMs);
        if (id === undefined) continue;
        asked++;
        watch.add(id, 40, nowMs);
      }
      return asked;
    };
    assert.deepEqual([asked(false), asked(true)], [10, 2]);
  });

  it('keeps nothing of checks that are never answered, and answers of nobody', () => {
    const watch = new PathWatch();
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) watch.ask(false, nowMs);
    assert.equal(watch.add(0, 40, 60_000), 'clear');
    assert.equal(watch.add(-1, 40, 60_000), 'clear');
    assert.equal(watch.isAnswered(60_000), false);
  });
});
