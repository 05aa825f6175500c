/**
 * What a session does with its transports once they stand. There are two: one that sends a source to a viewer, and
 * one that receives what a publisher sends. The session itself, its handshake, restarts and end are the same for both.
 */
import type { Logger } from '../../base/logger.js';
import type { EndReason } from '../../media/index.js';
import type { LocalStream } from '../sdp/answer.js';
import type { TextChannel } from '../transport/data-channel.js';
import type { PacketTransport } from '../transport/peer-transport.js';
import type { SideSnapshot } from '../api/snapshot.js';

/** What a side is given by its session. */
export interface SideHost {
  /** The transport of that index; undefined before it is open. */
  transport(index: number): PacketTransport | undefined;
  /** Ends the session. */
  close(reason: EndReason): void;
  /** Ends the session for trouble that the client can be told of where it still waits for its answer. */
  fail(error: unknown): void;
  /** With the names of the session. */
  readonly logger: Logger;
  /** The viewer watches another source from now on. */
  sourceChanged(sourceId: string): void;
  /** Restarts ICE; false where the door by which the client came cannot. */
  restartIce(): boolean;
  /** Notes a step in the session's record: what somebody who asks why it failed wants to know. Each name once. */
  step(name: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface SessionSide {
  readonly role: 'viewer' | 'publisher';
  /** For each m-line, what the description says that it sends; undefined where it sends nothing. */
  readonly localStreams: readonly (LocalStream | undefined)[];
  /** Acquires what it needs, so that it is warm when the handshake is done. */
  open(): void;
  /** Media can flow. */
  connected(): void;
  /** Once a second while connected: reports, and what has to be watched. */
  tick(): void;
  /** One decrypted RTP packet. Called for publishers alone. */
  receiveRtp(packet: Buffer, transport: number): void;
  /** One decrypted compound packet. */
  receiveRtcp(compound: Buffer, transport: number): void;
  /** A channel that the client opened. */
  takeChannel(channel: TextChannel): void;
  /** What it sent on a transport, to say goodbye. */
  ssrcsOf(transport: number): readonly number[];
  snapshot(): SideSnapshot;
  /** Gives everything back. Idempotent. */
  close(reason: EndReason): void;
}
