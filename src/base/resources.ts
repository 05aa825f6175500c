/**
 * The ledger of everything that must be released: whoever acquires a peer connection, a socket, a process,
 * a worker or a timer takes an entry and releases it. After any number of joins and leaves the ledger is at
 * its baseline; `/health` shows it.
 */

/** The kinds of things that are counted. */
const RESOURCE_KINDS = ['peer_connections', 'udp_sockets', 'tcp_sockets', 'child_processes', 'workers', 'timers'] as const;
/** What is counted in the ledger, as `/health` names it. */
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** Counts what is held, by kind. */
export class ResourceLedger {
  readonly #held = new Map<ResourceKind, number>(RESOURCE_KINDS.map((kind) => [kind, 0]));

  /** Enters `count` things; call the returned function once they are gone. Calling it again does nothing. */
  acquire(kind: ResourceKind, count = 1): () => void {
    this.#add(kind, count);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#add(kind, -count);
    };
  }

  /** How many of each kind are held now. */
  snapshot(): Record<ResourceKind, number> {
    return Object.fromEntries(this.#held) as Record<ResourceKind, number>;
  }

  #add(kind: ResourceKind, count: number): void {
    this.#held.set(kind, (this.#held.get(kind) ?? 0) + count);
  }
}
