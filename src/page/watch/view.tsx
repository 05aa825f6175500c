/** The view that opens first: the list of sources, and the one that is watched. */
import { useEffect, useState } from 'preact/hooks';
import { WatchModel } from './model.js';
import { PlayerSection } from './player-section.js';
import { SourceList } from './source-list.js';

/** Begins when it is shown, and ends what plays when it is left. */
export function WatchView() {
  const [model] = useState(() => new WatchModel());
  useEffect(() => model.start(), [model]);
  const source = model.wanted.value?.source;
  return (
    <>
      {source !== undefined && <PlayerSection model={model} source={source} onLeave={focusCard} />}
      <SourceList model={model} />
    </>
  );
}

/** The keyboard goes back to where it came from. */
function focusCard(source: string): void {
  const cards = document.querySelectorAll<HTMLButtonElement>('.card');
  [...cards].find((card) => card.dataset['source'] === source)?.focus();
}
