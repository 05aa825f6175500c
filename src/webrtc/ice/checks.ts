/**
 * The gate before the ICE agent: connectivity checks are authenticated before they are answered (RFC 8445 §7.3), other
 * datagrams are taken from addresses that passed one alone. Checks that come before the peer's description wait for
 * it: a client that has our description checks as soon as it has made its own.
 */
import { classes, parseMessage, type CandidatePair } from 'werift';
import type { IcePath } from './path.js';
import { pairInternals, stunInternals, type IceInternals } from './werift.js';

type Address = readonly [host: string, port: number];

/** Addresses that one client may send from. */
const MAX_PROVEN = 32;
/**
 * Pairs that are checked (RFC 8445 §6.1.2.5): who knows the credentials could name any number of addresses by
 * sending from them, and each would be sent checks.
 */
const MAX_PAIRS = 100;
/** Checks of one pair whose repetitions are still recognized. */
const MAX_REMEMBERED_CHECKS = 64;
/** Refusals that are believed: a role conflict (RFC 8445 §7.2.5.1) costs one for each pair. The library asks again at once, without end. */
const MAX_REFUSALS = 2 * MAX_PAIRS;
/** Addresses whose latest check waits for the peer's description. */
const MAX_EARLY = 32;

/** What became of a datagram that looks like STUN. */
export interface CheckEvents {
  /** An authentic check of the peer came. `nominates`: it asks to be sent to at this address. */
  onCheck(path: IcePath, address: Address, nominates: boolean): void;
  /** An answer came; whether it is authentic the library finds out. */
  onAnswer(path: IcePath, address: Address): void;
}

export class IceChecks {
  readonly #ice: IceInternals;
  readonly #events: CheckEvents;
  /** Addresses whose checks were authentic, the latest ones. */
  readonly #proven = new Set<string>();
  #refusals = 0;
  /** The latest check of each address, in order; undefined once the peer's description is there. */
  #early: Map<string, { readonly path: IcePath; readonly data: Buffer; readonly address: Address }> | undefined = new Map();

  constructor(ice: IceInternals, events: CheckEvents) {
    this.#ice = ice;
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
    const stun = stunInternals(path.protocol);
    if (message.messageClass === classes.ERROR && ++this.#refusals > MAX_REFUSALS) return;
    if (message.messageClass !== classes.REQUEST) {
      stun.datagramReceived(data, address);
      if (message.messageClass === classes.RESPONSE) this.#events.onAnswer(path, address);
      return;
    }
    const authentic = this.#authenticated(data);
    if (!authentic) return;
    if (this.#early) return this.#keepEarly(path, data, address);
    const pair = this.pairOf(path, address);
    if (pair) forgetOldChecks(pair);
    else if (this.#ice.checkList.length >= MAX_PAIRS) return;
    this.#prove(address.join(' '));
    this.#events.onCheck(path, address, authentic.attributesKeys.includes('USE-CANDIDATE'));
    stun.onRequestReceived.execute(authentic, address, data);
  }

  pairOf({ protocol }: IcePath, [host, port]: Address): CandidatePair | undefined {
    return this.#ice.checkList.find((pair) => pair.protocol === protocol && pair.remoteAddr[0] === host && pair.remoteAddr[1] === port);
  }

  /** Requests must carry our credentials; the library itself authenticates the answers to ours. */
  #authenticated(data: Buffer): ReturnType<typeof parseMessage> {
    const { localUsername, localPassword, remoteUsername } = this.#ice;
    const message = parseMessage(data, Buffer.from(localPassword, 'utf8'));
    if (!message?.attributesKeys.includes('MESSAGE-INTEGRITY') || !message.attributesKeys.includes('USERNAME')) return undefined;
    const username = String(message.getAttributeValue('USERNAME'));
    const isForUs = this.#early ? username.startsWith(`${localUsername}:`) : username === `${localUsername}:${remoteUsername}`;
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

/** The library keeps the id of every check, one each few seconds for as long as the session lives. */
function forgetOldChecks(pair: CandidatePair): void {
  const { requestTransactionIds } = pairInternals(pair);
  if (requestTransactionIds.size >= MAX_REMEMBERED_CHECKS) requestTransactionIds.clear();
}
