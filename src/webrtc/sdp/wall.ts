/**
 * A wall: a session whose video m-lines each show a source of their own, and may show any other later, without a negotiation.
 * So what is agreed on is not what the source of the moment needs, but what any may be sent in. Pure.
 */
import type { Rendition, SourceMedia } from '../../media/index.js';
import type { VideoToSend } from './codecs.js';
import type { MediaToNegotiate } from './negotiate.js';

/** High, level 3.1: decoders that are asked for it take Main and Constrained Baseline as well. */
const WIDEST_PROFILE = '64001f';

/** What an m-line shows at first. */
export interface TileToNegotiate {
  /** Of its source. */
  readonly rendition: Rendition;
  /** Of its source; undefined: nothing is known of it yet, or nothing is shown. */
  readonly media: SourceMedia | undefined;
}

/** What the m-lines of a wall are negotiated for. @param sound of any source that may be heard */
export function wallMedia(tiles: readonly TileToNegotiate[], sound: readonly SourceMedia[]): MediaToNegotiate {
  return {
    tiles: tiles.map(({ rendition, media }) => ({ rendition, sent: toSend(rendition, media) })),
    hasAudio: sound.some(({ hasAudio }) => hasAudio),
  };
}

/** What comes as it is, in the codec that it has; all else in the codec that every source can be sent in. */
function toSend(rendition: Rendition, media: SourceMedia | undefined): VideoToSend {
  const { rawCodec, rawH265 } = media ?? {};
  return rendition === 'raw' ? { preferred: rawCodec, h264: WIDEST_PROFILE, h265: rawH265 } : { h264: WIDEST_PROFILE };
}
