/** The tiles in their places, moved by mouse and by keys. */
import { useEffect, useRef } from 'preact/hooks';
import { nameOf } from '../api/sources.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { drawsBoxes, moved, type PlacedTile } from './content.js';
import { bestColumns, type Size } from './layout.js';
import { change, tiles, wall } from './model.js';
import type { WallSession } from './session.js';
import { Tile, type TileActions } from './tile.js';

/** What a grid is made of. */
export interface GridProps extends Pick<TileActions, 'onPlace' | 'onPicture'> {
  /** Where pictures come from. */
  readonly session: WallSession;
  /** Of the place that there is for all tiles, CSS pixels. */
  readonly place: Size;
  /** Whether the tools of tiles are shown. */
  readonly isArranging: boolean;
}

/** As many tiles as the address names. */
export function Grid({ session, place, isArranging, onPlace, onPicture }: GridProps) {
  const list = useRef<HTMLUListElement>(null);
  const focusNext = useRef<number | undefined>(undefined);
  const { columns: asked, enlarged } = wall.value;
  const shown = tiles.value;
  const columns = Math.min(asked ?? bestColumns(shown.length, place), Math.max(1, shown.length));
  const hasBoxes = drawsBoxes(wall.value);
  useEffect(() => {
    const at = focusNext.current;
    focusNext.current = undefined;
    if (at !== undefined) focusTile(list.current, at);
  });
  const move = (from: number, to: number): void => {
    const tile = shown[from];
    if (!tile || to < 0 || to >= shown.length || from === to) return;
    const others = moved(shown, from, to);
    focusNext.current = document.activeElement?.closest('.tile-tools') ? undefined : to;
    change({ tiles: others.map(plain) });
    announce(words.value.wall.movedTo(nameOf(tile.source), to + 1, shown.length));
  };
  const enlarge = (at: number): void => {
    focusNext.current = at;
    if (enlarged === undefined) change({ enlarged: at }, true);
    else change({ enlarged: undefined });
  };
  const remove = (at: number): void => {
    const tile = shown[at];
    if (!tile) return;
    focusNext.current = Math.min(at, shown.length - 2);
    change({ tiles: shown.filter((_, index) => index !== at).map(plain), enlarged: undefined });
    announce(words.value.wall.removed(nameOf(tile.source)));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tileAt(event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && enlarged !== undefined) enlarge(at);
    else if (event.key === 'Delete' && enlarged === undefined) remove(at);
    else {
      const to = target(event.key, at, columns, shown.length);
      if (to === undefined || enlarged !== undefined) return;
      if (event.shiftKey) move(at, to);
      else focusTile(list.current, to);
    }
    event.preventDefault();
  };
  const rows = Math.ceil(shown.length / columns);
  return (
    <ul
      class={enlarged === undefined ? 'wall-grid' : 'wall-grid enlarged'}
      ref={list}
      aria-label={words.value.wall.tiles}
      style={{ '--columns': columns, '--rows': rows }}
      onKeyDown={onKeyDown}
    >
      {shown.map((tile, at) => (
        <Tile
          key={tile.id}
          {...{ tile, at, session, hasBoxes, isArranging, onPlace, onPicture }}
          count={shown.length}
          isEnlarged={at === enlarged}
          onEnlarge={enlarge}
          onMove={move}
          onRemove={remove}
        />
      ))}
    </ul>
  );
}

function plain({ source, rendition }: PlacedTile): { readonly source: string; readonly rendition?: 'raw' | 'processed' } {
  return { source, ...(rendition && { rendition }) };
}

/** Where a key leads; undefined: nowhere. */
function target(key: string, at: number, columns: number, count: number): number | undefined {
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: count - 1 }[key];
  return to === undefined || to < 0 || to >= count ? undefined : to;
}

function tileAt(element: EventTarget | null): number {
  const tile = element instanceof Element ? element.closest('.tile') : null;
  return tile?.parentElement ? [...tile.parentElement.children].indexOf(tile) : -1;
}

function focusTile(list: HTMLUListElement | null, at: number): void {
  list?.children[at]?.querySelector<HTMLButtonElement>('.tile-open')?.focus();
}
