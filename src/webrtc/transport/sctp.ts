/** The SCTP association of data channels (RFC 8831) over DTLS: werift's, hardened, with the channels that the peer opens. */
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import { MAX_DATA_MESSAGE_BYTES } from '../sdp/parse.js';
import { OpenedChannel, type IncomingChannel } from './data-channel.js';
import { guardMessages, guardReceived, type OnDropped } from './sctp-received.js';
import { guardAcknowledged, limitRepetitions, recoverLosses } from './sctp-sent.js';
import type { WeriftDtls } from './werift-dtls.js';
import { openWeriftSctp, type WeriftSctp } from './werift-sctp.js';

/** What an association tells its owner, until `stop`. */
export interface SctpEvents {
  /** A channel that the peer opened; it can be sent on. To be accepted at once, or never. */
  channel(channel: IncomingChannel): void;
  /** The peer has ended the association. */
  left(): void;
  /** A packet or a message was dropped, and why. */
  dropped: OnDropped;
}

/** What carries the association, and what was agreed on. */
export interface SctpInit {
  /** Largest message in bytes that the other side takes. */
  readonly maxMessageBytes: number;
  readonly logger: Logger;
}

/** An association that a client can do no harm to. */
export function openAssociation(dtls: WeriftDtls, onDropped: OnDropped, onAcknowledged: () => void = () => undefined): WeriftSctp {
  const sctp = openWeriftSctp(dtls, {
    maxMessageBytes: MAX_DATA_MESSAGE_BYTES,
    guardMessages: (channels, association) => guardMessages(channels, association, onDropped),
  });
  sctp.transport.onDataChannel.subscribe(limitRepetitions);
  guardReceived(sctp.association, onDropped);
  guardAcknowledged(sctp.association, onAcknowledged);
  recoverLosses(sctp.association);
  return sctp;
}

/** The association of one transport. */
export class Sctp {
  readonly #sctp: WeriftSctp;
  readonly #acknowledged: Listeners;
  #isStopped = false;

  constructor(dtls: WeriftDtls, { maxMessageBytes, logger }: SctpInit, events: SctpEvents) {
    this.#acknowledged = new Listeners(logger, 'acknowledgements');
    this.#sctp = openAssociation(dtls, events.dropped, () => this.#acknowledged.tell());
    const { transport } = this.#sctp;
    transport.sctp.stateChanged.closed.subscribe(() => events.left());
    transport.onDataChannel.subscribe((channel) => {
      const opened = new OpenedChannel(channel, this, maxMessageBytes);
      // It is open, and its opening acknowledged, when this turn has ended.
      setImmediate(() => {
        if (!this.#isStopped) opened.handOver((taken) => events.channel(taken));
      });
    });
  }

  /** Pieces of messages, of all channels, that the client has not acknowledged: each at most about 1200 bytes. */
  get unacknowledged(): number {
    const { sentQueue, outboundQueue } = this.#sctp.association;
    return sentQueue.length + outboundQueue.length;
  }

  /** Calls `listener` after each acknowledgement of the client. Call the returned function to stop listening. */
  onAcknowledged(listener: () => void): () => void {
    return this.#acknowledged.add(listener);
  }

  /** Begins the association. @throws Error where it does not come about */
  async start(remotePort: number): Promise<void> {
    await this.#sctp.transport.start(remotePort);
  }

  /** Ends it (ABORT). Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#sctp.transport.stop();
  }
}
