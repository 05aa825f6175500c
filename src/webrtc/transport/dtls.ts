/**
 * DTLS of one transport, between the datagrams that carry it and what it carries: it survives datagrams that come early,
 * late or twice, lets nobody but the other side end it, and hands its keys to SRTP.
 */
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { putHandshakeInOrder } from './dtls-handshake.js';
import { closeNotify, isAdmitted, isGoodbye, readRecords, stopHandshake } from './dtls-records.js';
import { saltBytes, SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80, type SrtpMasterKey } from './srtp-keys.js';
import { WeriftDtls, type DtlsAssociation, type DtlsState, type WeriftDtlsInit } from './werift-dtls.js';

/** Roles, certificates, and what carries the datagrams. */
export interface DtlsInit extends Omit<WeriftDtlsInit, 'srtpProfiles'> {
  readonly logger: Logger;
}

/** What SRTP is protected with, each way. */
export interface SrtpKeys {
  /** For what is sent. */
  readonly local: SrtpMasterKey;
  /** For what is received. */
  readonly remote: SrtpMasterKey;
}

/** What DTLS tells its owner, from `start` to `close`. */
export interface DtlsEvents {
  /** A datagram for the other side. */
  send(datagram: Buffer): void;
  /** The handshake is done. Once. */
  connected(keys: SrtpKeys): void;
  /** The other side is gone. */
  left(): void;
  /** It cannot be used, and why. */
  failed(why: string): void;
  /** A datagram was passed over, and why. */
  dropped(why: string): void;
}

/** Datagrams that may come before a pair is nominated: a client's first flight and its repetitions. */
const MAX_EARLY_DATAGRAMS = 8;
/** The cheaper one first. */
const SRTP_PROFILES = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80] as const;
const MASTER_KEY_BYTES = 16;

/** DTLS of one transport. */
export class Dtls {
  readonly role: 'client' | 'server';
  /** What SCTP is bound to. */
  readonly carrier: WeriftDtls;
  readonly #logger: Logger;
  readonly #events: DtlsEvents;
  readonly #early: Buffer[] = [];
  #isConnected = false;
  #isClosed = false;

  constructor(init: DtlsInit, events: DtlsEvents) {
    this.role = init.role;
    this.#logger = init.logger;
    this.#events = events;
    this.carrier = new WeriftDtls(
      { ...init, srtpProfiles: SRTP_PROFILES },
      { send: (datagram) => events.send(datagram), state: (state) => this.#follow(state) },
    );
  }

  /** Begins the handshake, once: datagrams can be sent now. Those that came before are read. */
  start(): void {
    if (this.carrier.state !== 'new' || this.#isClosed) return;
    this.carrier.start().then(
      () => this.#finish(),
      (error: unknown) => {
        if (!this.#isClosed) this.#logger.debug({ err: error }, 'dtls handshake failed');
        this.#events.failed(messageOf(error));
      },
    );
    // The association listens as soon as `start` has been called.
    if (this.carrier.association) putHandshakeInOrder(this.carrier.association, this.role);
    for (const datagram of this.#early.splice(0)) this.receive(datagram);
  }

  /** A datagram of the other side. */
  receive(datagram: Buffer): void {
    const { state, association } = this.carrier;
    if (state === 'new') {
      if (this.#early.length < MAX_EARLY_DATAGRAMS) this.#early.push(Buffer.from(datagram));
      return;
    }
    const records = readRecords(datagram);
    if (association && records.some((record) => isGoodbye(association, record))) return this.#events.left();
    const admitted = records.filter((record) => isAdmitted(record, this.#isConnected)).map(({ bytes }) => bytes);
    const [first] = admitted;
    if (!first) return;
    try {
      this.carrier.receive(admitted.length === 1 ? first : Buffer.concat(admitted));
    } catch (error) {
      this.#events.dropped(messageOf(error));
    }
  }

  /** Says goodbye (close_notify) and ends it; resolves when that has left. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { state, association } = this.carrier;
    if (association) {
      if (this.#isConnected && state === 'connected') this.#events.send(closeNotify(association));
      stopHandshake(association);
    }
    // Datagrams of this turn leave before the sockets go.
    await new Promise(setImmediate);
    await this.carrier.stop();
  }

  #follow(state: DtlsState): void {
    this.#logger.debug({ dtlsState: state }, 'dtls state');
    if (state === 'closed') this.#events.left();
    // Before that, the handshake tells why.
    if (state === 'failed' && this.#isConnected) this.#events.failed('the association failed');
  }

  #finish(): void {
    if (this.#isClosed || !this.carrier.association) return;
    const keys = keysOf(this.carrier.association);
    if (!keys) return this.#events.failed('no SRTP profile of the client is supported');
    this.#isConnected = true;
    this.#events.connected(keys);
  }
}

/** Undefined where the two sides agreed on no profile that is spoken here. */
function keysOf(association: DtlsAssociation): SrtpKeys | undefined {
  const profile = SRTP_PROFILES.find((known) => known === association.srtp.srtpProfile);
  if (profile === undefined) return undefined;
  const keys = association.extractSessionKeys(MASTER_KEY_BYTES, saltBytes(profile));
  return {
    local: { profile, key: keys.localKey, salt: keys.localSalt },
    remote: { profile, key: keys.remoteKey, salt: keys.remoteSalt },
  };
}
