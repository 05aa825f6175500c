/** Figures of what plays, behind one button. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentType } from 'preact';
import { keep, storage } from '../shared/storage.js';
import { words } from '../strings/index.js';
import { Icon } from '../ui/icon.js';
import { FigureLists } from './figure-lists.js';
import type { Observations } from './observations.js';

const KEY = 'sightline.statistics';

/** Open or not as it was the last time. */
export function Statistics({ seen }: { readonly seen: Observations }) {
  const [isOpen, setOpen] = useState(() => storage()?.getItem(KEY) === 'open');
  const toggle = (): void => {
    setOpen(!isOpen);
    keep(KEY, isOpen ? undefined : 'open');
  };
  return (
    <div class="statistics">
      <button
        type="button"
        class="button"
        id="statistics-button"
        aria-expanded={isOpen ? 'true' : 'false'}
        aria-controls="statistics"
        onClick={toggle}
      >
        <Icon name="figures" /> {words.value.watch.statistics.name}
      </button>
      <div id="statistics" hidden={!isOpen}>
        {isOpen && <Plots seen={seen} />}
        <FigureLists seen={seen} />
      </div>
    </div>
  );
}

/** Once they are loaded; who cannot load them has the figures. */
function Plots({ seen }: { readonly seen: Observations }) {
  const [Sparklines, setSparklines] = useState<ComponentType<{ readonly seen: Observations }>>();
  useEffect(() => {
    Promise.all([import('./sparklines.js'), import('uplot/dist/uPlot.min.css'), import('./sparklines.css')]).then(
      ([loaded]) => setSparklines(() => loaded.Sparklines),
      () => undefined,
    );
  }, []);
  return Sparklines ? <Sparklines seen={seen} /> : null;
}
