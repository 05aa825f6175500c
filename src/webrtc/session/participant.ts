/**
 * Who is at the other end of a session, and what is done for them once the transports stand. There are two: a viewer,
 * who is sent a source, and a publisher, from whom one is received. Handshake, restarts and end are the session's, and
 * the same for both.
 */
import type { Logger } from '../../base/logger.js';
import type { EndReason, Rendition } from '../../media/index.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { MeasuredSide, QualityReason, SideStatus } from '../api/status.js';
import type { LocalStream } from '../sdp/answer.js';
import type { IncomingChannel } from '../transport/data-channel.js';
import type { PacketTransport } from '../transport/packet-transport.js';

/** A stream is sent in another quality; names as in `QualityStatus`. */
export interface QualityFacts {
  /** Of the stream. */
  readonly rendition: Rendition | undefined;
  /** The quality of before. */
  readonly from: string;
  /** The quality of now. */
  readonly to: string;
  /** Why. */
  readonly reason: QualityReason;
}

/** What a participant may ask of its session. */
export interface SessionHost {
  /** The id that the client has here. */
  readonly clientId: string;
  /** With the names of the session. */
  readonly logger: Logger;
  /** The transport of that index; undefined before it is open. */
  transport(index: number): PacketTransport | undefined;
  /** Ends the session. */
  close(reason: EndReason): void;
  /** Ends the session for trouble that the client can be told of where it still waits for its answer. */
  fail(error: unknown): void;
  /** Some streams are about to show something else. */
  sourceChanging(): void;
  /** The viewer watches another source from now on. */
  sourceChanged(sourceId: string): void;
  /** A stream is sent in another quality from now on. */
  qualityChanged(facts: QualityFacts): void;
  /** Restarts ICE; false where the door by which the client came cannot. */
  restartIce(): boolean;
  /** Notes a step in the session's record: what somebody who asks why it failed wants to know. Each name once. */
  step(name: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** One of the two. Its life: `open`, `connected`, `tick` once a second, `close`. */
export interface Participant {
  /** For each m-line, what the description says that it sends; undefined where it sends nothing. */
  readonly localStreams: readonly (LocalStream | undefined)[];
  /** Acquires what it needs, so that it is warm when the handshake is done. @throws MediaPeerError where that cannot be had */
  open(): void;
  /** Media can flow. */
  connected(): void;
  /** Once a second while connected: reports, and what has to be watched. */
  tick(): void;
  /** One decrypted RTP packet, by the index of its transport. Called for publishers alone. */
  receiveRtp(packet: Buffer, transport: number): void;
  /** One decrypted compound packet, by the index of its transport. */
  receiveRtcp(compound: Buffer, transport: number): void;
  /** A channel that the client opened. */
  takeChannel(channel: IncomingChannel): void;
  /** What it sent on a transport, to say goodbye. */
  ssrcsOf(transport: number): readonly number[];
  /** RTP timestamps of a frame as this client gets it, for each rendition that flows; empty where none does. @param mediaTimeMs of the source */
  rtpTimestamps(sourceId: string, mediaTimeMs: number): RtpTimestamps;
  /** The sources that it shows; undefined: that of the session. */
  readonly sourceIds: readonly string[] | undefined;
  /** Those of which it may be sent anything at all; undefined: that of the session. */
  readonly allSourceIds: readonly string[] | undefined;
  /** What it does now, for statistics. */
  snapshot(): SideStatus;
  /** The part of it that is measured of all sessions again and again. */
  measure(): MeasuredSide;
  /** Releases everything. Idempotent. */
  close(reason: EndReason): void;
}
