import { sourceNotLive, sourceNotPlayable } from '../base/refusals.js';
import type { Source } from '../source/index.js';

/** @throws MediaPeerError SOURCE_NOT_LIVE, SOURCE_NOT_PLAYABLE for a source that nobody can watch now */
export function throwIfNotPlayable({ id, state, playable, reason }: Source): void {
  if (state === 'empty') throw sourceNotLive(id, reason);
  if (!playable) throw sourceNotPlayable(id, reason);
}
