/** What is asked of the server for each tile: no larger than it is on the screen, and nothing for what nobody sees. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { sources } from '../api/sources.js';
import { heightFor, type Size } from './layout.js';
import { tiles } from './model.js';
import type { WallSession } from './session.js';
import { lacksRung } from './trouble.js';
import type { Place } from './use-place.js';

/** While a window is dragged larger, and tiles are scrolled by. */
const SETTLED_MS = 250;
/** A page that is hidden for a moment goes on. */
const HIDDEN_MS = 5_000;

/** Keeps a session to what is seen. `lacking`: sources whose pictures are larger than they need be. */
export function useWanted(session: WallSession): {
  readonly onPlace: (id: string, place: Place) => void;
  readonly onPicture: (id: string, size: Size) => void;
  readonly lacking: readonly string[];
} {
  const places = useSignal<ReadonlyMap<string, Place>>(new Map());
  const pictures = useSignal<ReadonlyMap<string, Size>>(new Map());
  const shown = tiles.value;
  const heightOf = (id: string): number | undefined => {
    const place = places.value.get(id);
    return place && heightFor(place, devicePixelRatio || 1, pictures.value.get(id));
  };
  const wanted = shown.map((tile) => ({ ...tile, maxHeight: heightOf(tile.id), isSeen: places.value.get(tile.id)?.isSeen ?? true }));
  const isMeasured = shown.every(({ id }) => places.value.has(id));
  const key = JSON.stringify(wanted);
  useEffect(() => {
    if (!isMeasured) return undefined;
    const isFirst = session.tiles.value.size !== wanted.length;
    // Tiles that come and go do so at once.
    if (isFirst) {
      session.show(wanted);
      return undefined;
    }
    const timer = setTimeout(() => session.show(wanted), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [session, key, isMeasured]);
  useEffect(() => pauseWhileHidden(session), [session]);
  const lacking = shown.filter(({ id, source }) =>
    lacksRung(
      heightOf(id),
      pictures.value.get(id),
      sources.value.find((listed) => listed.source === source),
    ),
  );
  return useMemo(
    () => ({
      onPlace: (id: string, place: Place) => void (places.value = new Map(places.value).set(id, place)),
      onPicture: (id: string, size: Size) => void (pictures.value = new Map(pictures.value).set(id, size)),
      lacking: lacking.map(({ source }) => source),
    }),
    [lacking.map(({ id }) => id).join('\n')],
  );
}

function pauseWhileHidden(session: WallSession): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    clearTimeout(timer);
    if (document.visibilityState === 'visible') session.setPaused(false);
    else timer = setTimeout(() => session.setPaused(true), HIDDEN_MS);
  };
  document.addEventListener('visibilitychange', look);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}
