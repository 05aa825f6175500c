/** A data channel as this room uses it: short messages, a measure of what waits, and an end. */
import type { SctpChannel } from './werift-sctp.js';

/**
 * Bytes beyond which a channel takes nothing more: what waits longer than that is of no use to anybody. Channels that
 * lose messages on purpose stay far below.
 */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/** One data channel that is open. */
export interface TextChannel {
  /** As the peer named it. */
  readonly label: string;
  /** Bytes handed over and not yet on the network: the measure of a slow reader. */
  readonly bufferedBytes: number;
  /** Pieces of about 1200 bytes, of all channels of the connection, that are on their way: what is said next comes behind them. */
  readonly piecesAhead: number;
  /** Largest message in bytes that the other side takes. */
  readonly maxMessageBytes: number;
  /** Hands a text over; false where the channel is not open or full, or the text is too long. Never throws. */
  send(text: string): boolean;
  /** As `send`, for bytes. They must not change afterwards. */
  sendBinary(data: Buffer): boolean;
  /** Ends it once everything has been sent. Idempotent. */
  close(): void;
}

/** What a channel tells whoever has accepted it. */
export interface ChannelEvents {
  /** A message of text. */
  text?(text: string): void;
  /** A message of bytes. */
  binary?(data: Buffer): void;
  /** Some of what was on its way has arrived. */
  progress?(): void;
  /** Either side or the connection has ended it. Once. */
  closed?(): void;
}

/** A channel that the client has opened, for whoever knows its label. */
export interface IncomingChannel {
  /** As the peer named it. */
  readonly label: string;
  /** Takes it, before the call that tells of it returns: what the client has already said is told afterwards. */
  accept(events: ChannelEvents): TextChannel;
}

/** What all channels of a connection share. */
export interface SctpLink {
  /** Pieces of messages, of all channels, that were sent and not acknowledged yet: each at most about 1200 bytes. */
  readonly unacknowledged: number;
  /** Calls the listener after each acknowledgement; the function that is returned stops that. */
  onAcknowledged(listener: () => void): () => void;
}

/** Messages that a client may send behind the opening of a channel before somebody has accepted it. */
const MAX_EARLY_MESSAGES = 64;

/** From the moment that the client opens it: a message may follow in the same packet. */
export class OpenedChannel implements IncomingChannel {
  readonly #channel: SctpChannel;
  readonly #link: SctpLink;
  readonly #maxMessageBytes: number;
  /** Undefined once it was handed over. */
  #early: (string | Buffer)[] | undefined = [];
  #accepted: ChannelEvents | undefined;

  constructor(channel: SctpChannel, link: SctpLink, maxMessageBytes: number) {
    this.#channel = channel;
    this.#link = link;
    this.#maxMessageBytes = maxMessageBytes;
    channel.onMessage.subscribe((message) => this.#receive(message));
  }

  get label(): string {
    return this.#channel.label;
  }

  accept(events: ChannelEvents): TextChannel {
    this.#accepted = events;
    return new DataChannel(this.#channel, this.#link, this.#maxMessageBytes, events);
  }

  /** Offers it to whoever may accept it, and tells that one what has come meanwhile. */
  handOver(offer: (channel: IncomingChannel) => void): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    if (this.#channel.readyState !== 'open') return;
    offer(this);
    for (const message of early) this.#receive(message);
  }

  #receive(message: string | Buffer): void {
    if (this.#early) {
      if (this.#early.length < MAX_EARLY_MESSAGES) this.#early.push(message);
    } else if (typeof message === 'string') this.#accepted?.text?.(message);
    else this.#accepted?.binary?.(message);
  }
}

class DataChannel implements TextChannel {
  readonly maxMessageBytes: number;
  readonly #channel: SctpChannel;
  readonly #link: SctpLink;

  constructor(channel: SctpChannel, link: SctpLink, maxMessageBytes: number, events: ChannelEvents) {
    this.#channel = channel;
    this.#link = link;
    this.maxMessageBytes = maxMessageBytes;
    const stopListening = link.onAcknowledged(() => events.progress?.());
    channel.stateChanged.subscribe((state) => {
      if (state !== 'closed') return;
      stopListening();
      events.closed?.();
    });
  }

  get label(): string {
    return this.#channel.label;
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount;
  }

  get piecesAhead(): number {
    return this.#link.unacknowledged;
  }

  send(text: string): boolean {
    return this.#send(text, Buffer.byteLength(text));
  }

  sendBinary(data: Buffer): boolean {
    return this.#send(data, data.length);
  }

  close(): void {
    // A reset that overtakes the last message would lose it.
    if (this.#channel.bufferedAmount > 0) this.#channel.bufferedAmountLow.once(() => this.#channel.close());
    else this.#channel.close();
  }

  #send(message: string | Buffer, bytes: number): boolean {
    if (this.#channel.readyState !== 'open' || bytes > this.maxMessageBytes || this.#channel.bufferedAmount > MAX_BUFFERED_BYTES)
      return false;
    this.#channel.send(message);
    return true;
  }
}
