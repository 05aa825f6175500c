/** A data channel that brings something of the source: it is acquired while the channel is open, and again where the source changes. */
import { MediaPeerError } from '../../base/errors.js';
import type { IncomingChannel, TextChannel } from '../transport/data-channel.js';

/** The channel, and what it brings. */
export interface LeasedChannelInit<Lease> {
  /** While it is open, the lease is held. */
  readonly channel: IncomingChannel;
  /** @throws MediaPeerError */
  readonly openLease: (channel: TextChannel) => Lease;
  /** Begins to send; returns what ends that. `close` is for a source that ends. */
  readonly attach: (lease: Lease, channel: TextChannel, close: () => void) => () => void;
  /** Some of what was on its way has arrived. */
  readonly onProgress?: ((channel: TextChannel) => void) | undefined;
}

/** Holds a lease while a data channel is open. */
export class LeasedChannel<Lease extends { release(): void }> {
  readonly #init: LeasedChannelInit<Lease>;
  readonly #channel: TextChannel;
  #detach: (() => void) | undefined;
  #isClosed = false;

  /** Starts at once; a client whose source has nothing of the kind is told so in one message, and the channel closes. */
  constructor(init: LeasedChannelInit<Lease>) {
    this.#init = init;
    this.#channel = init.channel.accept({
      progress: () => init.onProgress?.(this.#channel),
      closed: () => {
        this.#isClosed = true;
        this.#release();
      },
    });
    if (!this.#open()) this.close();
  }

  /** Takes it of the source as it is now; where there is none the client is told so, and waits for the next source. */
  reopen(): void {
    if (this.#isClosed) return;
    this.#release();
    this.#open();
  }

  /** Tells the client why, ends the channel and releases everything. */
  refuse(code: string, message: string): void {
    this.#tell(code, message);
    this.close();
  }

  /** Ends the channel and releases everything. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#release();
    this.#channel.close();
  }

  /** False where there is none. */
  #open(): boolean {
    const { openLease, attach } = this.#init;
    try {
      const lease = openLease(this.#channel);
      const stop = attach(lease, this.#channel, () => this.close());
      this.#detach = () => {
        stop();
        lease.release();
      };
      // What it was attached to may have ended at once.
      if (this.#isClosed) this.#release();
      return true;
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      this.#tell(error.code, error.message);
      return false;
    }
  }

  /** A text, whatever the channel carries. */
  #tell(code: string, message: string): void {
    this.#channel.send(JSON.stringify({ error: { code, message } }));
  }

  #release(): void {
    const detach = this.#detach;
    this.#detach = undefined;
    detach?.();
  }
}
