/**
 * Who gives way when no more may connect: clients that were admitted and have no connection yet. An offer costs its sender
 * nothing, so without this a handful of them would keep everybody out until CONNECTION_TIMEOUT.
 *
 * - Who was connected once never gives way, nor does anybody in the first 3 s of waiting: an honest client needs a
 *   tenth of a second, and through a relay rarely more than two. "Connected" is the end of the DTLS handshake: ICE alone
 *   is as cheap as the offer.
 * - The address that waits with most sessions gives way first; of that, whoever no check of ICE was heard from, then the
 *   oldest. So a slow joiner beside a flood is the last to go.
 * - A newcomer ends a session of its own address, or of one that waits with more sessions than its own: a flood from one
 *   address cannot push out a single waiting client of another. It can take turns with itself; so what an address keeps
 *   busy for 3 s without anybody of it connecting counts as old after 1 s, or others would never find a session to take.
 *
 * Considered: a bound on the sessions of an address (everybody behind a proxy that is not named is one address; a full
 * house from one office is no attack), and the oldest first whatever its address (a flood would push out slow joiners).
 */
import type { Clock } from '../../base/clock.js';

/** What a client that waits for its connection may take at least, on a full server. */
const GIVES_WAY_AFTER_MS = 3000;
/** The same, where its address has waited for so long with nobody connecting. */
const TURN_MS = 1000;
/** Addresses that are remembered after their last session has gone. */
const MAX_ADDRESSES = 4096;

/** A session that waits for its connection. */
export interface WaitingClient {
  /** True where something of the client was heard: an authentic check of ICE. */
  readonly isHeard: () => boolean;
  /** Ends it. */
  readonly giveWay: () => void;
}

/** Somebody who was admitted and has no connection yet. */
export interface Waiting {
  /** Its session has begun: from now on it can give way. */
  begun(client: WaitingClient): void;
  /** It is connected, and need not give way any more. */
  connected(): void;
  /** It is gone. */
  leave(): void;
}

interface Entry {
  readonly address: Address;
  readonly sinceMs: number;
  /** Counts it as gone. */
  readonly free: () => void;
  client: WaitingClient | undefined;
}

/** What is known of one address. */
interface Address {
  readonly name: string;
  readonly entries: Set<Entry>;
  /** Since when it waits without anybody of it connecting. */
  sinceMs: number;
  /** When its last session left. */
  leftMs: number;
}

/** Clients that were admitted and have no connection yet. */
export class WaitingLine {
  readonly #clock: Clock;
  readonly #addresses = new Map<string, Address>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param free counts it as gone at once, where it gives way; its end takes longer */
  enter(address: string, free: () => void): Waiting {
    const nowMs = this.#clock.now();
    const known = this.#address(address, nowMs);
    const entry: Entry = { address: known, sinceMs: nowMs, free, client: undefined };
    known.entries.add(entry);
    return {
      begun: (client) => (entry.client = client),
      connected: () => {
        this.#remove(entry);
        known.sinceMs = this.#clock.now();
      },
      leave: () => this.#remove(entry),
    };
  }

  /** Ends the session that gives way to a newcomer; false where there is none. */
  giveWayTo(newcomer: string): boolean {
    const nowMs = this.#clock.now();
    const leaving = this.#candidates(newcomer)
      .filter((entry) => this.#agesAt(entry, newcomer) <= nowMs)
      .map((entry) => ({ entry, isHeard: entry.client?.isHeard() ?? false }))
      .sort(
        (a, b) =>
          b.entry.address.entries.size - a.entry.address.entries.size ||
          Number(a.isHeard) - Number(b.isHeard) ||
          a.entry.sinceMs - b.entry.sinceMs,
      )[0]?.entry;
    if (!leaving) return false;
    this.#remove(leaving);
    leaving.free();
    leaving.client?.giveWay();
    return true;
  }

  /** How long until somebody would give way to that newcomer; undefined where nobody will. */
  untilSomebodyGivesWayMs(newcomer: string): number | undefined {
    const ages = this.#candidates(newcomer).map((entry) => this.#agesAt(entry, newcomer));
    return ages.length === 0 ? undefined : Math.max(0, Math.min(...ages) - this.#clock.now());
  }

  #candidates(newcomer: string): Entry[] {
    const own = this.#addresses.get(newcomer)?.entries.size ?? 0;
    return [...this.#addresses.values()]
      .filter(({ name, entries }) => name === newcomer || entries.size > own)
      .flatMap(({ entries }) => [...entries])
      .filter(({ client }) => client !== undefined);
  }

  /** When it may be made to give way. */
  #agesAt({ address, sinceMs }: Entry, newcomer: string): number {
    const itself = sinceMs + GIVES_WAY_AFTER_MS;
    if (address.name === newcomer) return itself;
    return Math.min(itself, Math.max(address.sinceMs + GIVES_WAY_AFTER_MS, sinceMs + TURN_MS));
  }

  #address(name: string, nowMs: number): Address {
    const known = this.#addresses.get(name);
    if (known && (known.entries.size > 0 || nowMs - known.leftMs < GIVES_WAY_AFTER_MS)) return known;
    this.#forget(nowMs);
    const address = { name, entries: new Set<Entry>(), sinceMs: nowMs, leftMs: nowMs };
    this.#addresses.delete(name);
    this.#addresses.set(name, address);
    return address;
  }

  #remove(entry: Entry): void {
    const { address } = entry;
    if (!address.entries.delete(entry)) return;
    address.leftMs = this.#clock.now();
  }

  /** Addresses that nobody waits from any more; where there are too many, the first of those. */
  #forget(nowMs: number): void {
    for (const [name, { entries, leftMs }] of this.#addresses) {
      if (entries.size === 0 && (nowMs - leftMs >= GIVES_WAY_AFTER_MS || this.#addresses.size >= MAX_ADDRESSES))
        this.#addresses.delete(name);
    }
  }
}
