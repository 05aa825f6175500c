/** Who may connect: how many viewers and publishers there may be, under which ids, and who gives way where there are too many. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { capacityReached, RETRY_AFTER_S } from '../../base/refusals.js';
import type { Logger } from '../../base/logger.js';
import { claimClientId } from './client-id.js';
import { WaitingLine, type WaitingClient } from './waiting-line.js';

type Role = 'viewer' | 'publisher';

/** What bounds the connections of a role. */
const VARIABLES: Readonly<Record<Role, string>> = { viewer: 'MAX_CONNECTIONS', publisher: 'MAX_PUBLISHERS' };

/** How many may connect. */
export interface AdmissionInit {
  /** Connections at the same time, for each role. */
  readonly max: Readonly<Record<Role, number>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who asks to be admitted. */
export interface Newcomer {
  /** Left out: generated. */
  readonly clientId: string | undefined;
  /** What it wants to watch or publish. */
  readonly sourceId: string;
  /** Viewers and publishers are counted apart. */
  readonly role: Role;
  /** Whose offers count together. */
  readonly address: string;
}

/** Somebody who was admitted, until they leave. */
export interface Admitted {
  /** Secret: who knows it owns the session. */
  readonly sessionId: string;
  /** Unique: with a suffix where the one asked for was taken. */
  readonly clientId: string;
  /** Its session has begun: from now on it can give way. */
  begun(client: WaitingClient): void;
  /** It is connected, and need not give way any more. */
  connected(): void;
  /** It is gone, and another one may come. Idempotent. */
  leave(): void;
}

/** The connections of one role. */
interface Pool {
  readonly line: WaitingLine;
  admitted: number;
}

/** Who has been admitted. */
export class Admission {
  readonly #init: AdmissionInit;
  readonly #pools: Readonly<Record<Role, Pool>>;
  readonly #clientIds = new Set<string>();

  constructor(init: AdmissionInit) {
    this.#init = init;
    this.#pools = {
      viewer: { line: new WaitingLine(init.clock), admitted: 0 },
      publisher: { line: new WaitingLine(init.clock), admitted: 0 },
    };
  }

  /** Those who were admitted and have not left. */
  get admitted(): number {
    return this.#pools.viewer.admitted + this.#pools.publisher.admitted;
  }

  /** True for the id of somebody who is admitted. */
  hasClient(clientId: string): boolean {
    return this.#clientIds.has(clientId);
  }

  /** May make somebody give way who is not connected. @throws MediaPeerError CAPACITY_REACHED, BODY_INVALID */
  admit({ clientId: requestedId, sourceId, role, address }: Newcomer): Admitted {
    const clientId = claimClientId(requestedId, this.#clientIds, role);
    const pool = this.#pools[role];
    if (pool.admitted >= this.#init.max[role]) this.#makeWay(pool, role, address);
    if (requestedId !== undefined && clientId !== requestedId)
      this.#init.logger.warn({ requestedClientId: requestedId, clientId, sourceId }, 'client id collision');
    pool.admitted++;
    this.#clientIds.add(clientId);
    let isCounted = true;
    const free = (): void => {
      if (isCounted) pool.admitted--;
      isCounted = false;
    };
    const waiting = pool.line.enter(address, free);
    return {
      sessionId: randomBytes(18).toString('base64url'),
      clientId,
      begun: (client) => waiting.begun(client),
      connected: () => waiting.connected(),
      leave: () => {
        free();
        waiting.leave();
        this.#clientIds.delete(clientId);
      },
    };
  }

  #makeWay({ line }: Pool, role: Role, address: string): void {
    if (line.giveWayTo(address)) return;
    const waitS = Math.max(1, Math.ceil((line.untilSomebodyGivesWayMs(address) ?? RETRY_AFTER_S.place * 1000) / 1000));
    const max = this.#init.max[role];
    throw capacityReached(`all ${max} places of ${role}s are taken (${VARIABLES[role]})`, waitS);
  }
}
