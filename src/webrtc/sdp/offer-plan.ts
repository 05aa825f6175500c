/** What this server offers to a viewer that waits for an offer, and what it has agreed on once that is answered. Pure. */
import type { Rendition, SourceMedia } from '../../media/index.js';
import { defaultRenditions, negotiateTiles, noProcessed, refusal, toSend, type MediaToNegotiate, type Plan } from './negotiate.js';
import type { OfferedMLine } from './offer.js';
import { parseSdp, sdpInvalid } from './parse.js';
import { streamNames } from './stream-names.js';

/** The most video m-lines that show one source: raw and processed. */
const MAX_VIDEO = 2;

/** What this side offers. */
export interface OfferPlan {
  /** In the order in which they are offered. */
  readonly mLines: readonly OfferedMLine[];
  /** What they are offered for. */
  readonly media: MediaToNegotiate;
}

/** What an offer of one source has. */
export interface OfferWishes {
  /** For its video m-lines. Default: processed where the source has it, else raw. */
  readonly renditions?: readonly Rendition[] | undefined;
  /** No data channels. Default false. */
  readonly isMediaAlone?: boolean | undefined;
}

/** Of one source. @throws MediaPeerError DETECTION_OFF */
export function planOffer(source: SourceMedia, { renditions: requested, isMediaAlone = false }: OfferWishes = {}): OfferPlan {
  const renditions = [...new Set(requested ?? defaultRenditions(1, source))].slice(0, MAX_VIDEO);
  if (renditions.some((rendition) => !source.renditions.includes(rendition))) throw noProcessed();
  const tiles = renditions.map((rendition) => ({ rendition, sent: toSend(source, rendition) }));
  const offered = offerFor({ tiles, hasAudio: source.hasAudio }, ({ rendition }) => rendition);
  return isMediaAlone ? { ...offered, mLines: offered.mLines.filter(({ kind }) => kind !== 'application') } : offered;
}

/** Of a wall: a MediaStream for each of its m-lines, as each may come to show anything. */
export function planWallOffer(media: MediaToNegotiate): OfferPlan {
  return offerFor(withOneH265(media), (_tile, index) => `tile${index}`);
}

/** @param groupOf names the MediaStream of a video m-line; sound is in that of the first */
function offerFor(media: MediaToNegotiate, groupOf: (tile: MediaToNegotiate['tiles'][number], index: number) => string): OfferPlan {
  const { tiles, hasAudio } = media;
  const names = streamNames();
  const groups = tiles.map(groupOf);
  const video = tiles.map(({ rendition, sent = {} }, index): OfferedMLine => ({
    kind: 'video',
    rendition,
    local: names.next('video', groups[index] ?? rendition, true),
    ...(sent.h264 !== undefined && { h264: sent.h264 }),
    ...(sent.h265 !== undefined && { h265: sent.h265 }),
  }));
  const audio: OfferedMLine[] = hasAudio ? [{ kind: 'audio', local: names.next('audio', groups[0] ?? 'raw', false) }] : [];
  return { mLines: [...video, ...audio, { kind: 'application' }], media };
}

/** Within a bundle a payload type means one thing (RFC 9143 §10.1.2): what comes in another H.265 than the first is sent in H.264. */
function withOneH265({ tiles, hasAudio }: MediaToNegotiate): MediaToNegotiate {
  const first = JSON.stringify(tiles.find(({ sent }) => sent?.h265)?.sent?.h265);
  return {
    hasAudio,
    tiles: tiles.map((tile) => {
      const { h265, ...others } = tile.sent ?? {};
      return h265 && JSON.stringify(h265) !== first ? { ...tile, sent: { ...others, preferred: undefined } } : tile;
    }),
  };
}

/**
 * Reads the answer to an offer of this side.
 * @throws MediaPeerError SDP_INVALID, NOTHING_TO_SERVE
 */
export function planAnswer(sdp: string, { mLines, media: offered }: OfferPlan): Plan {
  const answer = parseSdp(sdp);
  const { media } = answer;
  if (media.length !== mLines.length || media.some(({ kind }, i) => kind !== mLines[i]?.kind)) {
    throw sdpInvalid(
      `an answer has the m-lines of its offer (RFC 3264 §6): expected ${mLines.map(({ kind }) => kind).join(', ')}, got ${media.map(({ kind }) => kind).join(', ')}`,
    );
  }
  // An m-line that was refused takes what it was to carry with it.
  const accepted = offered.tiles
    .map((tile, index) => ({ tile, index }))
    .filter(({ index }) => {
      const section = media[index];
      return section && refusal(section) === undefined;
    });
  const plan = negotiateTiles(answer, { ...offered, tiles: accepted.map(({ tile }) => tile) });
  if (plan.transports.length > 1)
    throw sdpInvalid(
      `everything was offered in one BUNDLE group, and the answer needs ${plan.transports.length} transports (RFC 9143 §7.3); bundle its m-lines`,
    );
  return withTiles(
    plan,
    accepted.map(({ index }) => index),
  );
}

/** The m-lines named by what was offered on them. */
function withTiles(plan: Plan, tiles: readonly number[]): Plan {
  return { ...plan, mLines: plan.mLines.map((mLine) => (mLine.use === 'video' ? { ...mLine, tile: tiles[mLine.tile] ?? 0 } : mLine)) };
}
