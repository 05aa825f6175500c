/** Rooms as sources: what does not change of them, and those that nobody publishes to. */
import { MediaPeerError } from '../../base/errors.js';
import { sourceNotLive } from '../../base/refusals.js';
import type { Source } from '../source.js';

/** What does not change of a room. */
export function liveSource(room: string): Pick<Source, 'kind' | 'id' | 'name' | 'sizeBytes' | 'durationS' | 'delivery'> {
  return { kind: 'live', id: room, name: room, sizeBytes: null, durationS: null, delivery: 'passthrough' };
}

/** A room that nobody publishes to. */
export function emptySource(room: string): Source {
  return {
    ...liveSource(room),
    state: 'empty',
    widthPx: null,
    heightPx: null,
    fps: null,
    videoCodec: null,
    audioCodec: null,
    hasAudio: false,
    playable: false,
    reason: reasonOf(room),
    open: () => {
      throw notLive(room);
    },
  };
}

function reasonOf(room: string): string {
  return `room '${room}' has no publisher right now`;
}

/** What meets who asks for such a room. */
export function notLive(room: string): MediaPeerError {
  return sourceNotLive(room, reasonOf(room));
}
