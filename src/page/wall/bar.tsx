/** What can be done with the whole wall. */
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { drawsBoxes, MOST_COLUMNS } from './content.js';
import { enterKiosk } from './kiosk.js';
import { change, isChanged, wall } from './model.js';

/** What a bar is made of. */
export interface BarProps {
  /** Whether the tools of tiles are shown. */
  readonly isArranging: boolean;
  /** They are to be shown, or hidden. */
  readonly onArrange: (isArranging: boolean) => void;
  /** Sources are to be chosen. */
  readonly onChoose: () => void;
  /** Walls of the server are to be shown. */
  readonly onKept: () => void;
}

/** Above the tiles. */
export function WallBar({ isArranging, onArrange, onChoose, onKept }: BarProps) {
  const text = words.value.wall;
  const { name, tiles, columns } = wall.value;
  const hasBoxes = drawsBoxes(wall.value);
  const isEmpty = tiles.length === 0;
  return (
    <div class="wall-bar">
      <h2 title={name}>
        <bdi>{name ?? text.title}</bdi>
        {isChanged.value && <small>{text.changed}</small>}
      </h2>
      <div class="buttons">
        <button type="button" onClick={onChoose}>
          {text.choose}
        </button>
        <button type="button" onClick={onKept}>
          {text.kept}
        </button>
        <button type="button" aria-pressed={hasBoxes} disabled={isEmpty} onClick={() => change({ boxes: !hasBoxes })}>
          {text.boxes}
        </button>
        <button type="button" aria-pressed={isArranging} disabled={isEmpty} onClick={() => onArrange(!isArranging)}>
          {text.arrange}
        </button>
        <button
          type="button"
          disabled={isEmpty}
          onClick={() => {
            enterKiosk();
            announce(text.kioskOn);
          }}
        >
          {text.kiosk}
        </button>
      </div>
      <label class="choice">
        {text.columns}
        <select
          value={String(columns ?? '')}
          onChange={({ currentTarget }) => change({ columns: currentTarget.value === '' ? undefined : Number(currentTarget.value) })}
        >
          <option value="">{text.automatic}</option>
          {Array.from({ length: MOST_COLUMNS }, (_, index) => (
            <option key={index} value={String(index + 1)}>
              {index + 1}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
