/** Sessions on their way out: their client ids are not anybody else's, but not free yet either. */
import type { Logger } from '../base/logger.js';
import type { EndReason } from '../media/index.js';
import type { Sessions } from '../webrtc/index.js';

/** Sessions that are being closed, by client id. */
export class ClosingSessions {
  readonly #sessions: Pick<Sessions, 'close'>;
  readonly #logger: Logger;
  readonly #closing = new Map<string, Promise<void>>();

  constructor({ sessions, logger }: { readonly sessions: Pick<Sessions, 'close'>; readonly logger: Logger }) {
    this.#sessions = sessions;
    this.#logger = logger;
  }

  /** True while a session of that client is being closed. */
  has(clientId: string): boolean {
    return this.#closing.has(clientId);
  }

  /** Resolves when none of that client is being closed; never rejects. */
  async settled(clientId: string): Promise<void> {
    await this.#closing.get(clientId);
  }

  /** Ends a session; nobody has to wait for it. */
  close(clientId: string, sessionId: string, reason: EndReason): void {
    const closed = Promise.all([this.settled(clientId), this.#sessions.close(sessionId, reason)])
      .catch((error: unknown) => this.#logger.error({ err: error, clientId }, 'a session could not be closed'))
      .then(() => {
        if (this.#closing.get(clientId) === closed) this.#closing.delete(clientId);
      });
    this.#closing.set(clientId, closed);
  }
}
