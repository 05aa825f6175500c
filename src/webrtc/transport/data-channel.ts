/** A data channel as this room uses it: short messages, a measure of what waits, and an end. */
import type { RTCDataChannel, RTCSctpTransport } from 'werift';
import { onAcknowledged, unacknowledged } from './sctp.js';

/**
 * Bytes beyond which a channel takes nothing more: what waits longer than that is of no use to anybody. Channels that
 * lose messages on purpose stay far below.
 */
export const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

export interface TextChannel {
  readonly label: string;
  /** Bytes handed over and not yet on the network: the measure of a slow reader. */
  readonly bufferedBytes: number;
  /** Pieces of about 1200 bytes, of all channels of the connection, that are on their way: what is said next comes behind them. */
  readonly piecesAhead: number;
  /** Largest message in bytes that the other side takes. */
  readonly maxMessageBytes: number;
  /** Called with each text. */
  onText: (text: string) => void;
  /** Called with each binary message. */
  onBinary: (data: Buffer) => void;
  /** Called when some of what was on its way has arrived. */
  onProgress: () => void;
  /** Called once, when either side or the connection has ended it. */
  onClosed: () => void;
  /** Hands a text over; false where the channel is not open or full, or the text is too long. Never throws. */
  send(text: string): boolean;
  /** As `send`, for bytes. They must not change afterwards. */
  sendBinary(data: Buffer): boolean;
  /** Ends it once everything has been sent. Idempotent. */
  close(): void;
}

/** A channel that the client opened. */
export class DataChannel implements TextChannel {
  onText: (text: string) => void = () => undefined;
  onBinary: (data: Buffer) => void = () => undefined;
  onProgress: () => void = () => undefined;
  onClosed: () => void = () => undefined;
  readonly maxMessageBytes: number;
  readonly #channel: RTCDataChannel;
  readonly #sctp: RTCSctpTransport;

  constructor(channel: RTCDataChannel, sctp: RTCSctpTransport, maxMessageBytes: number) {
    this.#channel = channel;
    this.#sctp = sctp;
    this.maxMessageBytes = maxMessageBytes;
    channel.onMessage.subscribe((data) => {
      if (typeof data === 'string') this.onText(data);
      else this.onBinary(data);
    });
    const stopListening = onAcknowledged(sctp, () => this.onProgress());
    channel.stateChanged.subscribe((state) => {
      if (state !== 'closed') return;
      stopListening();
      this.onClosed();
    });
  }

  get label(): string {
    return this.#channel.label;
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount;
  }

  get piecesAhead(): number {
    return unacknowledged(this.#sctp);
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
