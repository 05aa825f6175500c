/** Places of connections: how many viewers and publishers there may be, who they are, and who gives way when none is left. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { claimClientId } from './client-id.js';
import type { SessionOptions } from './session.js';
import { WaitingLine, type Waiting } from './waiting-line.js';

type Role = SessionOptions['role'];

/** What bounds the places of a role. */
const VARIABLES: Readonly<Record<Role, string>> = { viewer: 'MAX_CONNECTIONS', publisher: 'MAX_PUBLISHERS' };
/** Where nobody will give way soon. */
const RETRY_AFTER_S = 5;

export interface PlacesInit {
  /** Places at the same time, for each role. */
  readonly max: Readonly<Record<Role, number>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who asks for a place. */
export interface Candidate {
  /** Left out: generated. */
  readonly clientId: string | undefined;
  readonly sourceId: string;
  readonly role: Role;
  /** Whose offers count together. */
  readonly address: string;
}

export interface Place {
  /** Secret: who knows it owns the session. */
  readonly sessionId: string;
  readonly clientId: string;
  /** What has to be known of whoever sits here until it is connected. */
  readonly waiting: Waiting;
  /** Idempotent. */
  readonly giveBack: () => void;
}

/** The places of one role. */
interface Pool {
  readonly line: WaitingLine;
  taken: number;
}

export class Places {
  readonly #init: PlacesInit;
  readonly #pools: Readonly<Record<Role, Pool>>;
  readonly #clientIds = new Set<string>();

  constructor(init: PlacesInit) {
    this.#init = init;
    this.#pools = { viewer: { line: new WaitingLine(init.clock), taken: 0 }, publisher: { line: new WaitingLine(init.clock), taken: 0 } };
  }

  get taken(): number {
    return this.#pools.viewer.taken + this.#pools.publisher.taken;
  }

  /** True for the id of somebody who has a place. */
  hasClient(clientId: string): boolean {
    return this.#clientIds.has(clientId);
  }

  /** May make somebody give way who is not connected. @throws MediaPeerError CAPACITY_REACHED, BODY_INVALID */
  take({ clientId: requestedId, sourceId, role, address }: Candidate): Place {
    const clientId = claimClientId(requestedId, this.#clientIds, role);
    const pool = this.#pools[role];
    if (pool.taken >= this.#init.max[role]) this.#makeRoom(pool, role, address);
    if (requestedId !== undefined && clientId !== requestedId)
      this.#init.logger.warn({ requestedClientId: requestedId, clientId, sourceId }, 'client id collision');
    pool.taken++;
    this.#clientIds.add(clientId);
    let isCounted = true;
    const free = (): void => {
      if (isCounted) pool.taken--;
      isCounted = false;
    };
    const waiting = pool.line.enter(address, free);
    return {
      sessionId: randomBytes(18).toString('base64url'),
      clientId,
      waiting,
      giveBack: () => {
        free();
        waiting.leave();
        this.#clientIds.delete(clientId);
      },
    };
  }

  #makeRoom({ line }: Pool, role: Role, address: string): void {
    if (line.giveWayTo(address)) return;
    const waitS = Math.max(1, Math.ceil((line.untilSomebodyGivesWayMs(address) ?? RETRY_AFTER_S * 1000) / 1000));
    const max = this.#init.max[role];
    throw new MediaPeerError('CAPACITY_REACHED', `all ${max} places of ${role}s are taken (${VARIABLES[role]}); try again in ${waitS} s`, {
      retryAfterS: waitS,
    });
  }
}
