/** The numbers and names by which a description tells the streams of a session apart. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Rendition } from '../../media/index.js';
import type { LocalStream } from './answer.js';

/** Makes up numbers and names: one CNAME, one MediaStream for each rendition, ssrcs that differ. */
export function streamNames(): { next(kind: 'video' | 'audio', rendition: Rendition, hasRtx: boolean): LocalStream } {
  const cname = randomBytes(9).toString('base64url');
  const mediaStreamIds = new Map<Rendition, string>();
  const mediaStreamIdOf = (rendition: Rendition): string => {
    const id = mediaStreamIds.get(rendition) ?? `${rendition}-${randomBytes(6).toString('base64url')}`;
    mediaStreamIds.set(rendition, id);
    return id;
  };
  const ssrcs = new Set<number>();
  const newSsrc = (): number => {
    for (;;) {
      const ssrc = randomInt(1, 2 ** 32);
      if (!ssrcs.has(ssrc)) {
        ssrcs.add(ssrc);
        return ssrc;
      }
    }
  };
  return {
    next: (kind, rendition, hasRtx) => ({
      ssrc: newSsrc(),
      rtxSsrc: hasRtx ? newSsrc() : undefined,
      cname,
      msid: `${mediaStreamIdOf(rendition)} ${kind}-${randomBytes(6).toString('base64url')}`,
    }),
  };
}
