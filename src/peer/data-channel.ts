/** A data channel as this room uses it: short texts, a measure of what waits, and an end. */
import type { RTCDataChannel } from 'werift';

export interface TextChannel {
  readonly label: string;
  /** Bytes handed over and not yet on the network: the measure of a slow reader. */
  readonly bufferedBytes: number;
  /** Largest message in bytes that the other side takes. */
  readonly maxMessageBytes: number;
  /** Called with each text. Binary messages are nobody's business. */
  onText: (text: string) => void;
  /** Called once, when either side or the connection has ended it. */
  onClosed: () => void;
  /** Hands a text over; false where the channel is not open or the text is too long. Never throws. */
  send(text: string): boolean;
  /** Ends it once everything has been sent. Idempotent. */
  close(): void;
}

/** A channel that the client opened. */
export class DataChannel implements TextChannel {
  onText: (text: string) => void = () => undefined;
  onClosed: () => void = () => undefined;
  readonly maxMessageBytes: number;
  readonly #channel: RTCDataChannel;

  constructor(channel: RTCDataChannel, maxMessageBytes: number) {
    this.#channel = channel;
    this.maxMessageBytes = maxMessageBytes;
    channel.onMessage.subscribe((data) => {
      if (typeof data === 'string') this.onText(data);
    });
    channel.stateChanged.subscribe((state) => {
      if (state === 'closed') this.onClosed();
    });
  }

  get label(): string {
    return this.#channel.label;
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount;
  }

  send(text: string): boolean {
    if (this.#channel.readyState !== 'open') return false;
    if (Buffer.byteLength(text) > this.maxMessageBytes) return false;
    this.#channel.send(text);
    return true;
  }

  close(): void {
    // A reset that overtakes the last message would lose it.
    if (this.#channel.bufferedAmount > 0) this.#channel.bufferedAmountLow.once(() => this.#channel.close());
    else this.#channel.close();
  }
}
