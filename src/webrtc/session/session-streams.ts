/** The streams of a session: their numbers and names, and what is acquired for each while the session lives. */
import { randomInt } from 'node:crypto';
import type { Rendition, Subscription, VideoCodec } from '../../media/index.js';
import type { LocalStream } from '../sdp/answer.js';
import { streamNames } from '../sdp/stream-names.js';
import type { TrackLease, TrackRequest } from '../api/gateway.js';
import type { MLinePlan, Plan } from '../sdp/negotiate.js';
import type { RtpStream } from '../rtp/send/rtp-stream.js';
import type { StreamSnapshot } from '../api/snapshot.js';

/** One m-line that sends. */
export interface SessionStream {
  readonly mLine: Extract<MLinePlan, { use: 'video' | 'audio' }>;
  /** Of the source that the session watches now. */
  request: TrackRequest;
  readonly local: LocalStream;
  /** Of its RTP timestamps to media time as the client sees it; the same for all m-lines of a rendition, so that one number tells a frame on each of them. */
  readonly timestampOffset: number;
  /** Kept while the stream does not flow, so that its numbering goes on. */
  rtp?: RtpStream;
  lease?: TrackLease;
  subscription?: Subscription;
  stopListening?: () => void;
  /** True while its track is being opened. */
  isOpening?: boolean;
  /** The newest RTP timestamp that the client has of subscriptions that have ended. */
  lastTimestamp?: number | undefined;
  /** Of subscriptions that have ended. */
  framesDropped?: number;
}

/**
 * What is sent, by m-line; one MediaStream for each rendition, the audio with the first.
 * @param announced numbers and names that an offer of this server has told already; left out: they are made up
 */
export function planStreams(sourceId: string, plan: Plan, announced?: readonly (LocalStream | undefined)[]): (SessionStream | undefined)[] {
  const names = streamNames();
  const offsets = new Map<Rendition | 'audio', number>();
  const offsetOf = (name: Rendition | 'audio'): number => {
    const offset = offsets.get(name) ?? randomInt(2 ** 32);
    offsets.set(name, offset);
    return offset;
  };
  return plan.mLines.map((mLine, i) => {
    if (mLine.use !== 'video' && mLine.use !== 'audio') return undefined;
    const rendition = mLine.use === 'video' ? mLine.rendition : (plan.renditions[0] ?? 'raw');
    const request: TrackRequest =
      mLine.use === 'video'
        ? { sourceId, kind: 'video', rendition: mLine.rendition, codec: mLine.codec.codec as VideoCodec }
        : { sourceId, kind: 'audio' };
    const local = announced?.[i] ?? names.next(mLine.use, rendition, true);
    return {
      mLine,
      request,
      timestampOffset: offsetOf(mLine.use === 'video' ? mLine.rendition : 'audio'),
      local: mLine.codec.rtx ? local : { ...local, rtxSsrc: undefined },
    };
  });
}

export function streamSnapshot({ rtp, subscription, framesDropped = 0 }: SessionStream): StreamSnapshot {
  const stats = rtp?.stats;
  return {
    packetsSent: stats?.packetsSent ?? 0,
    bytesSent: stats?.bytesSent ?? 0,
    packetsRepaired: stats?.packetsRepaired ?? 0,
    packetsLost: stats?.packetsLost ?? 0,
    fractionLost: stats?.fractionLost ?? 0,
    jitterMs: stats?.jitterMs ?? 0,
    framesDropped: framesDropped + (subscription?.dropped ?? 0),
  };
}
