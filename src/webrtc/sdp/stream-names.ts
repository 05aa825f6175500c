/** The numbers and names by which a description tells the streams of a session apart. */
import { randomBytes, randomInt } from 'node:crypto';
import type { LocalStream } from './answer.js';

/** Makes up numbers and names: one CNAME, ssrcs that differ, and one MediaStream for all that are of the same group. */
export function streamNames(): { next(kind: 'video' | 'audio', group: string, hasRtx: boolean): LocalStream } {
  const cname = randomBytes(9).toString('base64url');
  const mediaStreamIds = new Map<string, string>();
  const mediaStreamIdOf = (group: string): string => {
    const id = mediaStreamIds.get(group) ?? `${group}-${randomBytes(6).toString('base64url')}`;
    mediaStreamIds.set(group, id);
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
    next: (kind, group, hasRtx) => ({
      ssrc: newSsrc(),
      rtxSsrc: hasRtx ? newSsrc() : undefined,
      cname,
      msid: `${mediaStreamIdOf(group)} ${kind}-${randomBytes(6).toString('base64url')}`,
    }),
  };
}
