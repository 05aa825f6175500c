/**
 * The data channel `video`: pictures as JPEG, for clients that cannot receive an RTP video track. Each message is one
 * whole picture behind a header of 16 bytes, all numbers big-endian: the four letters `SLV1`, the number of the frame
 * (as `frame` in `detections`), its RTP timestamp on the 90 kHz timeline of the source, and the length of the JPEG.
 *
 * A picture is never split: whoever makes them keeps them below the largest message that the client takes.
 *
 * Data channels of a session share one SCTP association, which sends in the order of arrival; and the pieces of a
 * message may not be interleaved with others (RFC 9260 §6.9). So at most one picture is on its way, up to its last
 * pieces: what is said on `commands` and `detections` comes behind the rest of one picture, not behind seconds of them
 * that fill the network. The newest picture waits here meanwhile, and replaces an older one.
 */
import type { Snapshot, SnapshotLease } from '../../media/index.js';
import type { IncomingChannel, TextChannel } from '../transport/data-channel.js';
import { LeasedChannel } from './leased-channel.js';

const HEADER_BYTES = 16;
const MAGIC = 'SLV1';
/** The next picture follows when this little of the one before is left on its way: so the network is never idle in between. */
const MAX_PIECES_AHEAD = 16;

/** What one client is sent as JPEG. */
export interface VideoChannelInit {
  /** The data channel `video`. */
  readonly channel: IncomingChannel;
  /** @throws MediaPeerError */
  readonly openSnapshots: (maxBytes: number) => SnapshotLease;
  /** True while the client has paused: nothing is sent. */
  readonly isPaused: () => boolean;
}

/** Sends frames as JPEG to one client. */
export class VideoChannel {
  readonly #init: VideoChannelInit;
  readonly #leased: LeasedChannel<SnapshotLease>;
  /** The newest picture, while an older one is on its way. */
  #next: Snapshot | undefined;
  #sent = 0;
  #dropped = 0;

  /** Starts at once, as a `LeasedChannel`. */
  constructor(init: VideoChannelInit) {
    const { channel, openSnapshots } = init;
    this.#init = init;
    this.#leased = new LeasedChannel({
      channel,
      openLease: ({ maxMessageBytes }) => openSnapshots(maxMessageBytes - HEADER_BYTES),
      attach: (lease, accepted, close) => this.#attach(lease, accepted, close),
      onProgress: (accepted) => this.#flush(accepted),
    });
  }

  /** Pictures that were handed over. */
  get sent(): number {
    return this.#sent;
  }

  /** Pictures that newer ones replaced, because the viewer did not keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  /** As `LeasedChannel.reopen`. */
  reopen(): void {
    this.#leased.reopen();
  }

  /** As `LeasedChannel.refuse`. */
  refuse(code: string, message: string): void {
    this.#leased.refuse(code, message);
  }

  /** Ends the channel and gives the pictures back. Idempotent. */
  close(): void {
    this.#leased.close();
  }

  #attach(lease: SnapshotLease, channel: TextChannel, close: () => void): () => void {
    const unsubscribe = lease.subscribe((snapshot) => this.#take(snapshot, channel));
    const stopListening = lease.onClosed(close);
    return () => {
      unsubscribe();
      stopListening();
      this.#next = undefined;
    };
  }

  #take(snapshot: Snapshot, channel: TextChannel): void {
    if (this.#init.isPaused()) return;
    if (this.#next) this.#dropped++;
    this.#next = snapshot;
    this.#flush(channel);
  }

  #flush(channel: TextChannel): void {
    const snapshot = this.#next;
    if (!snapshot || channel.bufferedBytes > 0 || channel.piecesAhead > MAX_PIECES_AHEAD) return;
    this.#next = undefined;
    if (channel.sendBinary(writeSnapshot(snapshot))) this.#sent++;
    else this.#dropped++;
  }
}

/** One message. */
function writeSnapshot({ frame, mediaTimeMs, jpeg }: Snapshot): Buffer {
  const message = Buffer.allocUnsafe(HEADER_BYTES + jpeg.length);
  message.write(MAGIC, 0, 'latin1');
  message.writeUInt32BE(frame >>> 0, 4);
  message.writeUInt32BE(Math.round(mediaTimeMs * 90) % 2 ** 32, 8);
  message.writeUInt32BE(jpeg.length, 12);
  jpeg.copy(message, HEADER_BYTES);
  return message;
}
