/** A session whose handshake is done: media flows, and a client that goes silent is given time to come back. */
import type { Clock } from '../../base/clock.js';
import type { EndReason } from '../../media/index.js';
import type { Participant } from './participant.js';
import type { Transports } from './transports.js';

/** A client that was not heard for this long is disconnected: more than the longest consent interval (RFC 7675 §5.1: 6 s). */
const SILENCE_MS = 7000;

/** What stands once the handshake is done. */
export interface ConnectedInit {
  readonly clock: Clock;
  /** The transports of the session. */
  readonly transports: Transports;
  /** Who is at the other end. */
  readonly participant: Participant;
  /** How long a silent client may come back. */
  readonly graceMs: number;
  /** From the start of the session to the end of the handshake. */
  readonly connectMs: number;
  /** The client went silent, or is heard again. Told each second. */
  readonly onState: (state: 'connected' | 'disconnected') => void;
  /** The client stayed away. */
  readonly onGone: (reason: EndReason) => void;
}

/** The connected part of a session's life. */
export class ConnectedSession {
  readonly connectMs: number;
  readonly #init: ConnectedInit;
  #silentSinceMs: number | undefined;

  /** Media flows from now on. */
  constructor(init: ConnectedInit) {
    this.#init = init;
    this.connectMs = init.connectMs;
    init.participant.connected();
  }

  /** Once a second. */
  tick(): void {
    const { clock, transports, participant, graceMs, onState, onGone } = this.#init;
    const now = clock.now();
    // A client that is heard and does not agree to be sent to (RFC 7675) is as far away as a silent one.
    if (now - transports.lastHeardMs < SILENCE_MS && transports.mayBeSentTo) {
      this.#silentSinceMs = undefined;
      onState('connected');
      participant.tick();
      return;
    }
    this.#silentSinceMs ??= now;
    onState('disconnected');
    if (now - this.#silentSinceMs < graceMs) return;
    onGone(transports.hasConsentExpired ? 'consent-expired' : 'ice-failed');
  }
}
