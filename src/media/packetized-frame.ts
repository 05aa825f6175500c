import type { Codec } from './encoded-frame.js';
import type { ReplayPace } from './replay-pace.js';

/** A frame made ready for RTP once, and shared by every viewer of its track. */
export interface PacketizedFrame {
  /** Of the payloads: which payload type they have. */
  readonly codec: Codec;
  /** RTP payloads in order, each at most `MAX_RTP_PAYLOAD_BYTES`; never changed. */
  readonly payloads: readonly Buffer[];
  /** The track's RTP timestamp (unsigned, 32 bit), before a viewer's own offset is added. */
  readonly rtpTimestamp: number;
  /** Milliseconds on the source's timeline. */
  readonly mediaTimeMs: number;
  /** Wall clock of its capture, in ms; undefined before that is known, and where `rtpTimestamp` is not the frame's own. */
  readonly capturedAtMs: number | undefined;
  /** Decoding can start here. */
  readonly keyframe: boolean;
  /** Sum of the payloads. */
  readonly sizeBytes: number;
}

/**
 * Largest RTP payload. With header (12), header extensions (36) and authentication tag (16) a packet stays within 1200
 * bytes, which passes relays and mobile networks that a full Ethernet frame does not pass.
 */
export const MAX_RTP_PAYLOAD_BYTES = 1136;

/** Where a subscription delivers: one viewer's RTP stream. */
export interface FrameSink {
  /** Takes the frame now; never waits, never throws. */
  send(frame: PacketizedFrame): void;
  /** Bytes taken and not yet handed to the network: the measure of a slow viewer. */
  readonly pendingBytes: number;
  /** More than that makes it slow. Default: 1 MiB. */
  readonly maxPendingBytes?: number | undefined;
  /** A larger open group of pictures is not replayed to it: it waits for the next keyframe instead. Default: none is too large. */
  readonly maxReplayBytes?: number | undefined;
  /** Shared by all sinks of a viewer, so that their replays take turns. Default: its own. */
  readonly replayPace?: ReplayPace | undefined;
}
