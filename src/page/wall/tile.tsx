/** One tile: its picture, its name, why it is dark, and what can be done with it. */
import { useRef, useState } from 'preact/hooks';
import { nameOf, sourceList, sources } from '../api/sources.js';
import { words } from '../strings/index.js';
import { Icon } from '../ui/icon.js';
import type { PlacedTile } from './content.js';
import type { Size } from './layout.js';
import { happening } from './model.js';
import type { WallSession } from './session.js';
import { TilePicture } from './tile-picture.js';
import { noticeOf } from './trouble.js';
import { usePlace, type Place } from './use-place.js';

/** What happens to a tile. */
export interface TileActions {
  /** It is enlarged, or put back. */
  readonly onEnlarge: (at: number) => void;
  /** It goes to another place. */
  readonly onMove: (from: number, to: number) => void;
  /** It is taken away. */
  readonly onRemove: (at: number) => void;
  /** It is larger, smaller, seen or not. */
  readonly onPlace: (id: string, place: Place) => void;
  /** Its picture has that size. */
  readonly onPicture: (id: string, size: Size) => void;
}

/** What a tile is made of. */
export interface TileProps extends TileActions {
  /** What it shows. */
  readonly tile: PlacedTile;
  /** Its place, from 0 on. */
  readonly at: number;
  /** Tiles there are. */
  readonly count: number;
  /** Where its picture comes from. */
  readonly session: WallSession;
  /** Whether boxes are drawn. */
  readonly hasBoxes: boolean;
  /** Whether it fills the wall. */
  readonly isEnlarged: boolean;
  /** Whether its tools are shown. */
  readonly isArranging: boolean;
}

const DRAG_TYPE = 'application/x-sightline-tile';

/** A place of the grid. */
export function Tile(props: TileProps) {
  const { tile, at, session, hasBoxes, isEnlarged, isArranging, onEnlarge, onMove, onPlace, onPicture } = props;
  const text = words.value.wall;
  const element = useRef<HTMLLIElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [isTarget, setTarget] = useState(false);
  usePlace(element, (place) => onPlace(tile.id, place));
  const listed = sources.value.find(({ source }) => source === tile.source);
  const name = nameOf(tile.source);
  const isListRead = sourceList.known.value.value !== undefined;
  const notice = noticeOf({ state: session.tiles.value.get(tile.id), listed, isListRead, isPlaying }, text);
  const isHappening = happening.value.has(tile.source);
  const classes = ['tile', isEnlarged && 'big', isHappening && 'happening', isTarget && 'target'].filter(Boolean).join(' ');
  return (
    <li
      class={classes}
      ref={element}
      data-tile={tile.id}
      data-dark={notice ? 'true' : undefined}
      draggable={!isEnlarged}
      onDragStart={({ dataTransfer }) => dataTransfer?.setData(DRAG_TYPE, String(at))}
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes(DRAG_TYPE) !== true) return;
        event.preventDefault();
        setTarget(true);
      }}
      onDragLeave={() => setTarget(false)}
      onDrop={(event) => {
        event.preventDefault();
        setTarget(false);
        const from = event.dataTransfer?.getData(DRAG_TYPE) ?? '';
        if (from !== '') onMove(Number(from), at);
      }}
    >
      <TilePicture
        {...{ tile, session, hasBoxes }}
        onPicture={(size) => {
          setPlaying(true);
          onPicture(tile.id, size);
        }}
      />
      {notice && (
        <div class="tile-notice">
          <p class="tile-notice-title">{notice.title}</p>
          {notice.text !== '' && <p dir="auto">{notice.text}</p>}
        </div>
      )}
      <p class="tile-name" title={name}>
        <bdi>{name}</bdi>
        {isHappening && <span class="tile-mark">{text.happening}</span>}
      </p>
      <button
        type="button"
        class="tile-open"
        aria-label={isEnlarged ? text.putBack(name) : text.enlarge(name)}
        aria-describedby="wall-keys"
        onClick={() => onEnlarge(at)}
      />
      {isArranging && !isEnlarged && <TileTools {...props} name={name} />}
    </li>
  );
}

function TileTools({ at, count, name, onMove, onRemove }: TileProps & { readonly name: string }) {
  const text = words.value.wall;
  return (
    <div class="tile-tools">
      <button type="button" class="plain" aria-label={text.earlier(name)} disabled={at === 0} onClick={() => onMove(at, at - 1)}>
        <Icon name="back" />
      </button>
      <button type="button" class="plain" aria-label={text.later(name)} disabled={at === count - 1} onClick={() => onMove(at, at + 1)}>
        <Icon name="forward" />
      </button>
      <button type="button" class="plain" aria-label={text.remove(name)} onClick={() => onRemove(at)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
