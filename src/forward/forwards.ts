/** All forwards: those of the configuration, and those that administrators add and remove while the server runs. */
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { capacityReached, serverClosing } from '../base/refusals.js';
import type { IceServer } from '../webrtc/index.js';
import { Forward, type ForwardSessions } from './forward.js';
import type { ForwardRequest, ForwardStatus, ForwardTotals } from './status.js';
import { forwardId, readTarget, type Target } from './target.js';

/** What forwards need. */
export interface ForwardsInit {
  /** Connections of their own, so that they take no place of a viewer; asked for when there is a forward. */
  readonly sessions: () => ForwardSessions;
  /** Forwards at the same time. */
  readonly max: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Other sources are forwarded than before. */
  readonly onChange?: (() => void) | undefined;
}

const TICK_MS = 1000;

/** Every forward of the server. */
export class Forwards {
  readonly #init: ForwardsInit;
  readonly #forwards = new Map<string, Forward>();
  /** Of forwards that were removed, by source. */
  readonly #removed = new Map<string, ForwardTotals>();
  #ticking: Timer | undefined;
  #isClosed = false;

  constructor(init: ForwardsInit) {
    this.#init = init;
  }

  /** The id that a forward will have. @throws MediaPeerError where it cannot be added, as `add` */
  check({ sourceId, url, token }: ForwardRequest): string {
    return this.#idOf(sourceId, readTarget(url, token));
  }

  /** Begins to forward. @throws MediaPeerError BODY_INVALID, FORWARD_EXISTS, CAPACITY_REACHED, SERVER_CLOSING */
  add({ sourceId, url, token, rendition = 'raw', origin }: ForwardRequest): ForwardStatus {
    const { sessions, clock, logger } = this.#init;
    const target = readTarget(url, token);
    const id = this.#idOf(sourceId, target);
    const forward = new Forward({ id, sourceId, rendition, origin, target, sessions: sessions(), clock, logger });
    this.#forwards.set(id, forward);
    this.#ticking ??= clock.every(TICK_MS, () => {
      for (const each of this.#forwards.values()) each.tick();
    });
    this.#init.onChange?.();
    return forward.status;
  }

  /** Those of a source, or all, the oldest first. */
  list(sourceId?: string): ForwardStatus[] {
    return this.#of(sourceId).map(({ status }) => status);
  }

  /** Ids of the sources that are forwarded, each once. */
  get sources(): string[] {
    return [...new Set([...this.#forwards.values()].map(({ sourceId }) => sourceId))];
  }

  /** Sums since the start, by source. */
  get totals(): ReadonlyMap<string, ForwardTotals> {
    const totals = new Map(this.#removed);
    for (const { status } of this.#forwards.values()) totals.set(status.sourceId, added(totals.get(status.sourceId), status));
    return totals;
  }

  /**
   * Ends one of a source's forwards, or all of them; resolves when their connections are closed here and there.
   * @returns how many there were
   * @throws MediaPeerError FORWARD_NOT_FOUND where there is none of that id
   */
  async remove(sourceId: string, id?: string): Promise<number> {
    const forwards = this.#of(sourceId).filter((forward) => id === undefined || forward.id === id);
    if (id !== undefined && forwards.length === 0)
      throw new MediaPeerError(
        'FORWARD_NOT_FOUND',
        `source '${sourceId}' has no forward '${id.slice(0, 40)}'; GET /sources/:id/forward lists those that it has`,
      );
    for (const forward of forwards) this.#forwards.delete(forward.id);
    if (this.#forwards.size === 0) this.#stopTicking();
    this.#init.onChange?.();
    await Promise.all(
      forwards.map(async (forward) => {
        await forward.close();
        this.#removed.set(sourceId, added(this.#removed.get(sourceId), forward.status));
      }),
    );
    return forwards.length;
  }

  /** A source has come, or come back. */
  sourceCame(sourceId: string): void {
    for (const forward of this.#of(sourceId)) forward.sourceCame();
  }

  /** STUN and TURN servers that the other side of a connection has named, by the client id of its session. */
  iceServersOf(clientId: string): readonly IceServer[] {
    return [...this.#forwards.values()].find((forward) => forward.clientId === clientId)?.iceServers ?? [];
  }

  /** Ends all of them. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopTicking();
    await Promise.all([...this.#forwards.values()].map((forward) => forward.close()));
  }

  #idOf(sourceId: string, target: Target): string {
    const { max } = this.#init;
    if (this.#isClosed) throw serverClosing();
    const id = forwardId(sourceId, target);
    if (this.#forwards.has(id))
      throw new MediaPeerError(
        'FORWARD_EXISTS',
        `source '${sourceId}' is forwarded to ${target.shown} already, by forward '${id}'; remove that one first`,
      );
    if (this.#forwards.size >= max) throw capacityReached(`all ${max} places of forwards are taken (MAX_FORWARDS)`);
    return id;
  }

  #of(sourceId: string | undefined): Forward[] {
    return [...this.#forwards.values()].filter((forward) => sourceId === undefined || forward.sourceId === sourceId);
  }

  #stopTicking(): void {
    this.#ticking?.cancel();
    this.#ticking = undefined;
  }
}

function added(sums: ForwardTotals = { attempts: 0, bytesSent: 0 }, { attempts, bytesSent }: ForwardTotals): ForwardTotals {
  return { attempts: sums.attempts + attempts, bytesSent: sums.bytesSent + bytesSent };
}
