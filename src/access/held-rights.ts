/** The rights that a session goes on with after it was opened: asked again whenever it turns to something else. */
import type { MediaPeerError } from '../base/errors.js';
import type { Access } from './access.js';
import { isAmbient, may, type Principal } from './principal.js';

/** What the client of one session may do. */
export class HeldRights {
  readonly #access: Access;
  readonly #principal: Principal;

  constructor(access: Access, principal: Principal) {
    this.#access = access;
    this.#principal = principal;
  }

  /** True where its client has shown who it is; false where it may what it may by where it comes from. */
  get wasShown(): boolean {
    return !isAmbient(this.#principal);
  }

  /** Whether it may be sent a source. */
  mayWatch(source: string): Promise<boolean> {
    return this.#access.may(this.#principal, 'watch', { source });
  }

  /** Whether it may be told what is detected in a source. */
  mayHaveData(source: string): boolean {
    return may(this.#principal, 'data', { source });
  }

  /** An error as it may read it. */
  readable(error: MediaPeerError): Promise<MediaPeerError> {
    return this.#access.readable(this.#principal, error);
  }
}
