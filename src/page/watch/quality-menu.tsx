/** The menu of qualities: what the server has of the source, and what the person wants of it. */
import { useState } from 'preact/hooks';
import { sourceOf } from '../api/sources.js';
import { words } from '../strings/index.js';
import type { WatchModel } from './model.js';
import { AUTO, qualityOptions } from './qualities.js';

/** A list to choose from; nothing where there is no choice. */
export function QualityMenu({ model }: { readonly model: WatchModel }) {
  /** What is being asked for; undefined: nothing. */
  const [asking, setAsking] = useState<string>();
  const viewing = model.seen.looks.value >= 0 ? model.player.viewing : undefined;
  const wished = viewing?.wishedQuality ?? AUTO;
  const options = viewing ? qualityOptions({ listed: sourceOf(viewing.source)?.qualities ?? [], told: viewing.quality, wished }) : [];
  if (options.length === 0) return null;

  const choose = async (quality: string): Promise<void> => {
    setAsking(quality);
    try {
      await viewing?.selectQuality(quality);
    } catch (error) {
      if (model.player.viewing === viewing) model.refuseQuality(quality, error instanceof Error ? error.message : String(error));
    }
    // What was chosen meanwhile is what is waited for.
    setAsking((asked) => (asked === quality ? undefined : asked));
  };

  return (
    <label class="choice" id="quality-menu">
      {words.value.watch.quality}{' '}
      <select id="quality" value={asking ?? wished} onChange={({ currentTarget }) => void choose(currentTarget.value)}>
        {options.map(({ value, text, isDisabled }) => (
          <option key={value} value={value} disabled={isDisabled}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
