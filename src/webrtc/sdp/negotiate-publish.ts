/**
 * Decides what each m-line of a publisher's offer is asked to send: one video in H.264 or VP8, in one encoding or several
 * at once, one audio in Opus, data channels. Pure: an offer goes in, a plan comes out. An offer of which a part would be left aside is refused as a
 * whole, since a publisher cannot see that half of what it sends goes nowhere (RFC 9725 §4.4).
 */
import { MediaPeerError } from '../../base/errors.js';
import { choosePublishedAudioCodec, choosePublishedVideoCodec, type NegotiatedCodec } from './codecs.js';
import { extensionId, RID_EXTENSION_URI } from './extension-uris.js';
import { assignTransports, codecNames, refusal, wishData, type MLinePlan, type Plan, type Wish } from './negotiate.js';
import { parseSdp, type MediaSection } from './parse.js';
import { simulcastLayers } from './simulcast.js';

/** One m-line that a publisher sends on. */
export type ReceivePlan = Extract<MLinePlan, { use: 'receive' }>;

/** Directions in which a publisher sends nothing. */
const NOT_SENDING = ['recvonly', 'inactive'];

/** @throws MediaPeerError SDP_INVALID or NOTHING_TO_SERVE. */
export function negotiatePublish(sdp: string): Plan {
  const description = parseSdp(sdp);
  const sending = description.media.filter(
    (section) => isMedia(section) && isOpen(section) && !NOT_SENDING.some((direction) => section.attributes.has(direction)),
  );
  for (const kind of ['video', 'audio']) {
    const count = sending.filter((section) => section.kind === kind).length;
    if (count > 1) throw refused(`it sends ${count} ${kind} m-lines, and one is taken; publish the others to rooms of their own`);
  }
  if (sending.length === 0) throw refused('it sends neither audio nor video; at least one m-line must be sendonly or sendrecv');
  const wishes = description.media.map((section): Wish => {
    const reason = refusal(section, NOT_SENDING);
    if (reason !== undefined) {
      if (sending.includes(section)) throw refused(`m=${section.kind}: ${reason}`);
      return { use: 'none', reason };
    }
    return isMedia(section) ? wishMedia(section) : wishData(section);
  });
  return assignTransports(description, wishes);
}

/** The m-lines on which media comes. */
export function receivePlans(plan: Plan): ReceivePlan[] {
  return plan.mLines.filter((mLine) => mLine.use === 'receive');
}

function isMedia({ kind }: MediaSection): boolean {
  return kind === 'video' || kind === 'audio';
}

function isOpen({ port, attributes }: MediaSection): boolean {
  return port !== 0 || attributes.has('bundle-only');
}

/** @throws MediaPeerError NOTHING_TO_SERVE */
function wishMedia(section: MediaSection): Wish {
  const codec = chooseCodec(section);
  // Without it, packets of several encodings cannot be told apart.
  const isLabelled = section.kind === 'video' && extensionId(section, RID_EXTENSION_URI) !== undefined;
  return { use: 'receive', codec, layers: isLabelled ? simulcastLayers(section, codec.offered.payloadType) : [] };
}

/** @throws MediaPeerError NOTHING_TO_SERVE */
function chooseCodec(section: MediaSection): NegotiatedCodec {
  const codec = section.kind === 'video' ? choosePublishedVideoCodec(section) : choosePublishedAudioCodec(section);
  if (!codec) throw refused(`m=${section.kind}: no common codec (offered: ${codecNames(section)})`);
  return codec;
}

function refused(what: string): MediaPeerError {
  return new MediaPeerError(
    'NOTHING_TO_SERVE',
    `the offer cannot be taken: ${what}. Taken: at most one video m-line in H264 (Baseline, Main or High) or VP8 and one audio m-line in opus/48000/2, sendonly or sendrecv`,
  );
}
