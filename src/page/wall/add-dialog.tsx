/** Chooses the sources of a wall. */
import { useState } from 'preact/hooks';
import { sources } from '../api/sources.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { Dialog } from '../ui/dialog.js';
import { MOST_TILES } from './content.js';
import { change, wall } from './model.js';

/** Open while it is rendered. */
export function AddDialog({ onClose }: { readonly onClose: () => void }) {
  const text = words.value.wall;
  const [search, setSearch] = useState('');
  const { tiles } = wall.value;
  const isFull = tiles.length >= MOST_TILES;
  const wanted = search.trim().toLowerCase();
  const found = sources.value.filter(({ source, name }) => `${name} ${source}`.toLowerCase().includes(wanted));
  const toggle = (source: string, name: string, isOn: boolean): void => {
    if (isOn) change({ tiles: [...tiles, { source }], enlarged: undefined });
    else change({ tiles: tiles.filter((tile) => tile.source !== source), enlarged: undefined });
    announce(isOn ? text.added(name, tiles.length + 1, MOST_TILES) : text.removed(name));
  };
  return (
    <Dialog title={text.choose} onClose={onClose}>
      <label class="wall-search">
        {text.search}
        <input type="search" value={search} autocomplete="off" onInput={({ currentTarget }) => setSearch(currentTarget.value)} />
      </label>
      <p class="wall-count">{isFull ? text.full(MOST_TILES) : text.chosen(tiles.length, MOST_TILES)}</p>
      {found.length === 0 && <p>{text.noneFound}</p>}
      <ul class="wall-sources">
        {found.map(({ source, name, playable, state, reason }) => {
          const isOn = tiles.some((tile) => tile.source === source);
          const why = !playable || (state !== undefined && state !== 'live') ? (reason ?? text.notLive) : undefined;
          return (
            <li key={source}>
              <label>
                <input
                  type="checkbox"
                  checked={isOn}
                  disabled={!isOn && (isFull || !playable)}
                  onChange={({ currentTarget }) => toggle(source, name, currentTarget.checked)}
                />
                <span class="wall-source">
                  <bdi title={name}>{name}</bdi>
                  {why !== undefined && <small>{why}</small>}
                </span>
              </label>
            </li>
          );
        })}
      </ul>
      <button type="button" class="button" onClick={onClose}>
        {text.done}
      </button>
    </Dialog>
  );
}
