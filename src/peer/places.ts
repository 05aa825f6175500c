/** Places of connections: how many may be taken, and by whom. */
import { randomBytes } from 'node:crypto';
import { MediaPeerError } from '../errors.js';
import type { Logger } from '../logger.js';
import { claimClientId } from './client-id.js';
import type { SessionOptions } from './session.js';

const RETRY_AFTER_S = 5;

export interface Place {
  /** Secret: who knows it owns the session. */
  readonly sessionId: string;
  readonly clientId: string;
  /** Idempotent. */
  readonly giveBack: () => void;
}

export class Places {
  readonly max: number;
  readonly #logger: Logger;
  readonly #clientIds = new Set<string>();
  #taken = 0;

  /** @param max places at the same time */
  constructor(max: number, logger: Logger) {
    this.max = max;
    this.#logger = logger;
  }

  get taken(): number {
    return this.#taken;
  }

  /** True for the id of somebody who has a place. */
  hasClient(clientId: string): boolean {
    return this.#clientIds.has(clientId);
  }

  /** @throws MediaPeerError CAPACITY_REACHED, BODY_INVALID */
  take(requestedId: string | undefined, { sourceId, role }: { readonly sourceId: string; readonly role: SessionOptions['role'] }): Place {
    const clientId = claimClientId(requestedId, this.#clientIds, role);
    if (this.#taken >= this.max) {
      throw new MediaPeerError('CAPACITY_REACHED', `all ${this.max} connections are taken; try again in ${RETRY_AFTER_S} s`, { retryAfterS: RETRY_AFTER_S });
    }
    if (requestedId !== undefined && clientId !== requestedId) this.#logger.warn({ requestedClientId: requestedId, clientId, sourceId }, 'client id collision');
    this.#taken++;
    this.#clientIds.add(clientId);
    let isGivenBack = false;
    return {
      sessionId: randomBytes(18).toString('base64url'),
      clientId,
      giveBack: () => {
        if (isGivenBack) return;
        isGivenBack = true;
        this.#taken--;
        this.#clientIds.delete(clientId);
      },
    };
  }
}
