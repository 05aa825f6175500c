/**
 * Heals a connection whose path broke, by ICE restarts: 3 s after `disconnected`, which often heals by itself, at once
 * on `failed`, and when told to. Where that does not work within 4 s, or the server refuses, the connection is lost.
 */
import type { Clock, Timer } from './clock.js';
import { SightlineError, errorOf } from './errors.js';

/** A connection that is `disconnected` gets this long to heal by itself. */
const DISCONNECTED_GRACE_MS = 3_000;
/** A restart that works takes a few round trips. */
const RESTART_TIMEOUT_MS = 4_000;
/** A request that could not leave is repeated after this time: a network that is just coming back needs a moment. */
const REPEAT_MS = 500;

/** What is healed, and whom it tells. */
export interface IceHealerInit {
  /** Time of its waits. */
  readonly clock: Clock;
  /** What is healed. */
  readonly link: { readonly isConnected: boolean; restartIce(signal: AbortSignal): Promise<void> };
  /** A restart begins. */
  readonly onRestart: (why: SightlineError) => void;
  /** It is connected again. */
  readonly onHealed: () => void;
  /** It cannot be healed; told once, until it is connected again. */
  readonly onLost: (why: SightlineError) => void;
}

/** Looks after the path of one connection. */
export class IceHealer {
  readonly #init: IceHealerInit;
  #grace: Timer | undefined;
  #deadline: Timer | undefined;
  #repeat: Timer | undefined;
  #restarting: AbortController | undefined;
  #isLost = false;
  #isClosed = false;

  constructor(init: IceHealerInit) {
    this.#init = init;
  }

  /** Is told of each change of the connection's state. */
  connectionChanged(state: RTCPeerConnectionState): void {
    if (this.#isClosed) return;
    this.#grace?.cancel();
    if (state === 'connected') this.#settle();
    else if (this.#isLost) return;
    else if (state === 'closed') this.#lose(new SightlineError('SERVER_CLOSED'));
    else if (state === 'failed') this.restart(new SightlineError('CONNECTION_LOST'));
    else if (state === 'disconnected')
      this.#grace = this.#init.clock.after(DISCONNECTED_GRACE_MS, () => this.restart(new SightlineError('CONNECTION_WEAK')));
  }

  /** Restarts ICE now, unless that is under way. */
  restart(why: SightlineError): void {
    if (this.#isClosed || this.#isLost || this.#restarting) return;
    this.#grace?.cancel();
    const restarting = new AbortController();
    this.#restarting = restarting;
    this.#deadline = this.#init.clock.after(RESTART_TIMEOUT_MS, () => this.#giveUp(why));
    this.#init.onRestart(why);
    void this.#attempt(why, restarting.signal);
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  async #attempt(why: SightlineError, signal: AbortSignal): Promise<void> {
    try {
      await this.#init.link.restartIce(signal);
      // One that never stopped being connected shows no change; what was there still works.
      if (!signal.aborted && this.#init.link.isConnected) this.#settle();
    } catch (error) {
      if (signal.aborted) return;
      // An answer is a refusal, whatever its status: another connection is asked for next, and may be refused for good.
      if (errorOf(error).status !== undefined) this.#giveUp(why);
      else this.#repeat = this.#init.clock.after(REPEAT_MS, () => void this.#attempt(why, signal));
    }
  }

  /** What still is connected is not lost because it could not be restarted. */
  #giveUp(why: SightlineError): void {
    if (this.#init.link.isConnected) this.#settle();
    else this.#lose(why);
  }

  #settle(): void {
    const wasBroken = this.#restarting !== undefined || this.#isLost;
    this.#stop();
    this.#isLost = false;
    if (wasBroken) this.#init.onHealed();
  }

  #lose(why: SightlineError): void {
    this.#stop();
    this.#isLost = true;
    this.#init.onLost(why);
  }

  #stop(): void {
    this.#grace?.cancel();
    this.#deadline?.cancel();
    this.#repeat?.cancel();
    this.#restarting?.abort();
    this.#restarting = undefined;
  }
}
