/**
 * The pair in use. werift stays with the pair that was nominated first; the controlling side may move to another
 * one, or from another address (RFC 8445 §8.1.1). That is followed only once a check of ours was answered there, so
 * nobody else can be made the target. Where we control, and nominate with each check, the best pair that works is it.
 *
 * A NAT may give the peer another address, of which the peer knows nothing: one that controls need not nominate again,
 * and one that does not control cannot. So where the other end has fallen silent, a pair on which the peer is heard is followed as well.
 */
import type { Clock } from '../../base/clock.js';
import type { IceSocket } from './socket.js';
import { pairState, type CheckedPair, type Checklist, type IcePath } from './werift.js';

/** Where datagrams go. */
export interface IceTarget {
  /** What datagrams leave by. */
  readonly path: IcePath;
  /** IP address of the peer. */
  readonly host: string;
  /** Of the peer. */
  readonly port: number;
}

/** Where a peer is heard. */
interface Place {
  readonly path: IcePath;
  readonly address: readonly [string, number];
}

/** Longer than browsers pause between two checks of the pair in use (2.5 s). */
const SILENT_MS = 3000;

/** The pair in use of one agent. */
export class IceNomination {
  readonly #checklist: Checklist;
  readonly #clock: Clock;
  readonly #paths: ReadonlyMap<IceSocket, IcePath>;
  #target: IceTarget | undefined;
  #pair: CheckedPair | undefined;
  /** Where the controlling side asked last to be sent to. */
  #wish: Place | undefined;
  /** Where the peer was heard when the other end of the pair in use was silent. */
  #moved: Place | undefined;
  /** Monotonic ms. */
  #targetHeardMs = 0;

  constructor(checklist: Checklist, paths: ReadonlyMap<IceSocket, IcePath>, clock: Clock) {
    this.#checklist = checklist;
    this.#paths = paths;
    this.#clock = clock;
  }

  /** Undefined before the first nomination. */
  get target(): IceTarget | undefined {
    return this.#target;
  }

  /** The pair in use, or that was until the end; undefined before the first nomination. */
  get pair(): CheckedPair | undefined {
    return this.#pair;
  }

  /** True for the other end of the pair in use. */
  isTarget(path: IcePath, host: string, port: number): boolean {
    return this.#target?.path === path && this.#target.port === port && this.#target.host === host;
  }

  /** The controlling side asks to be sent to there. */
  wish(path: IcePath, address: readonly [string, number]): void {
    this.#wish = { path, address };
    if (!this.#checklist.isControlling) this.#moved = undefined;
  }

  /** The peer, and nobody else, was heard from there. @returns true where `follow` may find another pair now */
  heard(path: IcePath, address: readonly [string, number]): boolean {
    const nowMs = this.#clock.now();
    if (this.isTarget(path, ...address)) this.#targetHeardMs = nowMs;
    else if (this.#target && nowMs - this.#targetHeardMs >= SILENT_MS) {
      this.#moved = { path, address };
      return true;
    }
    return false;
  }

  /** Looks what has changed. @returns `first`: a pair is in use from now on; `moved`: another one than before */
  follow(): 'first' | 'moved' | undefined {
    const wanted = this.#wanted();
    if (wanted) this.#checklist.nominate(wanted);
    const pair = this.#checklist.nominated;
    const path = pair && [...this.#paths.values()].find(({ protocol }) => protocol === pair.protocol);
    if (!path) return undefined;
    const [host, port] = pair.remoteAddr;
    if (this.isTarget(path, host, port)) return undefined;
    const change = this.#target ? 'moved' : 'first';
    this.#target = { path, host, port };
    path.socket.claim?.(host, port);
    this.#targetHeardMs = this.#clock.now();
    this.#pair = pair;
    return change;
  }

  #wanted(): CheckedPair | undefined {
    const { nominated, isControlling, pairs } = this.#checklist;
    if (!nominated) return undefined;
    const moved = this.#workingAt(this.#moved);
    if (moved) return moved;
    // The list is in the order of priorities.
    if (isControlling) return pairs.find((pair) => pair.nominated && works(pair));
    return this.#workingAt(this.#wish);
  }

  #workingAt(place: Place | undefined): CheckedPair | undefined {
    const pair = place && this.#checklist.pairOf(place.path, place.address);
    return pair && works(pair) ? pair : undefined;
  }
}

function works(pair: CheckedPair): boolean {
  return pairState(pair) === 'succeeded';
}
