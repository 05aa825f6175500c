/** What this server offers to a viewer that waits for an offer, and what it has agreed on once that is answered. Pure. */
import type { Rendition, SourceMedia } from '../../media/index.js';
import { defaultRenditions, negotiate, noProcessed, refusal, type Plan } from './negotiate.js';
import type { OfferedMLine } from './offer.js';
import { parseSdp, sdpInvalid } from './parse.js';
import { streamNames } from './stream-names.js';

/** The most video m-lines of one offer: raw and processed. */
const MAX_VIDEO = 2;

/** What this side offers. */
export interface OfferPlan {
  /** In the order in which they are offered. */
  readonly mLines: readonly OfferedMLine[];
  /** Of the video m-lines, in order. */
  readonly renditions: readonly Rendition[];
}

/** @throws MediaPeerError DETECTION_OFF */
export function planOffer(source: SourceMedia, requested?: readonly Rendition[]): OfferPlan {
  const renditions = [...new Set(requested ?? defaultRenditions(1, source))].slice(0, MAX_VIDEO);
  if (renditions.some((rendition) => !source.renditions.includes(rendition))) throw noProcessed();
  const names = streamNames();
  const video = renditions.map((rendition): OfferedMLine => ({
    kind: 'video',
    rendition,
    local: names.next('video', rendition, true),
    ...(rendition === 'raw' && { h264: source.rawProfile, h265: source.rawH265 }),
  }));
  const audio: OfferedMLine[] = source.hasAudio ? [{ kind: 'audio', local: names.next('audio', renditions[0] ?? 'raw', false) }] : [];
  return { mLines: [...video, ...audio, { kind: 'application' }], renditions };
}

/**
 * Reads the answer to an offer of `planOffer`.
 * @throws MediaPeerError SDP_INVALID, NOTHING_TO_SERVE
 */
export function planAnswer(sdp: string, offered: OfferPlan, source: SourceMedia): Plan {
  const answer = parseSdp(sdp);
  const { media } = answer;
  if (media.length !== offered.mLines.length || media.some(({ kind }, i) => kind !== offered.mLines[i]?.kind)) {
    throw sdpInvalid(
      `an answer has the m-lines of its offer (RFC 3264 §6): expected ${offered.mLines.map(({ kind }) => kind).join(', ')}, got ${media.map(({ kind }) => kind).join(', ')}`,
    );
  }
  // An m-line that was refused takes its rendition with it.
  const renditions = offered.mLines.flatMap((mLine, i) => {
    const section = media[i];
    return mLine.kind === 'video' && section && refusal(section) === undefined ? [mLine.rendition] : [];
  });
  const plan = negotiate(answer, source, renditions);
  if (plan.transports.length > 1)
    throw sdpInvalid(
      `everything was offered in one BUNDLE group, and the answer needs ${plan.transports.length} transports (RFC 9143 §7.3); bundle its m-lines`,
    );
  return plan;
}
