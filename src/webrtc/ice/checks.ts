/**
 * The gate before the ICE agent: connectivity checks are authenticated before they are answered (RFC 8445 §7.3), other
 * datagrams are taken from addresses that passed one alone. Checks that come before the peer's description wait for
 * it: a client that has our description checks as soon as it has made its own.
 */
import type { Address, Checklist, IcePath } from './werift.js';
import { attributeOf, authenticated, classes, parseMessage, type StunMessage } from './werift-stun.js';

/** Addresses that one client may send from. */
const MAX_PROVEN = 32;
/**
 * Pairs that are checked (RFC 8445 §6.1.2.5): who knows the credentials could name any number of addresses by
 * sending from them, and each would be sent checks.
 */
const MAX_PAIRS = 100;
/** Refusals that are believed: a role conflict (RFC 8445 §7.2.5.1) costs one for each pair. werift asks again at once, without end. */
const MAX_REFUSALS = 2 * MAX_PAIRS;
/** Addresses whose latest check waits for the peer's description. */
const MAX_EARLY = 32;

/** What became of a datagram that looks like STUN. */
export interface CheckEvents {
  /** An authentic check of the peer came. `nominates`: it asks to be sent to at this address. */
  onCheck(path: IcePath, address: Address, nominates: boolean): void;
  /** An answer came; whether it is authentic the checklist finds out. */
  onAnswer(path: IcePath, address: Address, data: Buffer): void;
}

/** The gate of one agent. */
export class IceChecks {
  readonly #checklist: Checklist;
  readonly #events: CheckEvents;
  /** Addresses whose checks were authentic, the latest ones. */
  readonly #proven = new Set<string>();
  #refusals = 0;
  /** The latest check of each address, in order; undefined once the peer's description is there. */
  #early: Map<string, { readonly path: IcePath; readonly data: Buffer; readonly address: Address }> | undefined = new Map();

  constructor(checklist: Checklist, events: CheckEvents) {
    this.#checklist = checklist;
    this.#events = events;
  }

  isProven(host: string, port: number): boolean {
    return this.#proven.has(`${host} ${port}`);
  }

  /** The peer's credentials are known: the checks that waited are answered now. */
  start(): void {
    const early = this.#early;
    this.#early = undefined;
    for (const { path, data, address } of early?.values() ?? []) this.receive(path, data, address);
  }

  receive(path: IcePath, data: Buffer, address: Address): void {
    const message = parseMessage(data);
    if (!message) return;
    if (message.messageClass === classes.ERROR && ++this.#refusals > MAX_REFUSALS) return;
    if (message.messageClass !== classes.REQUEST) {
      this.#checklist.receiveAnswer(path, data, address);
      if (message.messageClass === classes.RESPONSE) this.#events.onAnswer(path, address, data);
      return;
    }
    const authentic = this.#authenticated(data);
    if (!authentic) return;
    if (this.#early) return this.#keepEarly(path, data, address);
    if (!this.#checklist.pairOf(path, address) && this.#checklist.pairs.length >= MAX_PAIRS) return;
    this.#prove(address.join(' '));
    this.#events.onCheck(path, address, authentic.attributesKeys.includes('USE-CANDIDATE'));
    this.#checklist.receiveCheck(path, authentic, data, address);
  }

  /** Requests must carry our credentials; the checklist authenticates the answers to ours. */
  #authenticated(data: Buffer): StunMessage | undefined {
    const { localUfrag, localPassword, remoteUfrag } = this.#checklist;
    const message = authenticated(data, Buffer.from(localPassword, 'utf8'));
    const username = message && attributeOf(message, 'USERNAME');
    if (typeof username !== 'string') return undefined;
    const isForUs = this.#early ? username.startsWith(`${localUfrag}:`) : username === `${localUfrag}:${remoteUfrag}`;
    return isForUs ? message : undefined;
  }

  #keepEarly(path: IcePath, data: Buffer, address: Address): void {
    const key = `${path.candidate.transport} ${address.join(' ')}`;
    this.#early?.delete(key);
    this.#early?.set(key, { path, data: Buffer.from(data), address });
    dropOldest(this.#early, MAX_EARLY);
  }

  /** The oldest gives way: a client that keeps moving is still heard. */
  #prove(address: string): void {
    this.#proven.delete(address);
    this.#proven.add(address);
    dropOldest(this.#proven, MAX_PROVEN);
  }
}

function dropOldest(keys: Set<string> | Map<string, unknown> | undefined, max: number): void {
  const [oldest] = keys?.keys() ?? [];
  if (keys && keys.size > max && oldest !== undefined) keys.delete(oldest);
}
