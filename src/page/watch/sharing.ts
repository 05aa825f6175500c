/** The link to what is shown, handed on. */
import { watchHash } from '../app/router.js';
import type { PlayerPosition } from '../timeline/player-control.js';
import type { Wanted } from './viewing.js';

/** What became of a link. `shown`: neither way is there, so a person copies it. */
export type Handed = 'shared' | 'copied' | 'shown';

/** The link to that source in that view; in the past to the very time. @param page address of this page */
export function linkTo({ source, view }: Wanted, position: PlayerPosition | undefined, page: string): string {
  return new URL(watchHash(source, view, position?.state === 'live' ? undefined : rounded(position?.atS)), page).href;
}

/** Hands a link on: on phones as they do it, else by the clipboard, which only https pages have. */
export async function handOn(url: string, title: string): Promise<Handed> {
  if ('share' in navigator && matchMedia('(pointer: coarse)').matches) {
    await navigator.share({ url, title }).catch(() => undefined); // given up by the person
    return 'shared';
  }
  if (!isSecureContext) return 'shown';
  const isCopied = await navigator.clipboard.writeText(url).then(
    () => true,
    () => false,
  );
  return isCopied ? 'copied' : 'shown';
}

function rounded(atS: number | undefined): number | undefined {
  return atS === undefined ? undefined : Math.round(atS * 1000) / 1000;
}
