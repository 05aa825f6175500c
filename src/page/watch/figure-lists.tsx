/** Figures of a viewing and of its overlay. */
import type { Row } from '../shared/write-list.js';
import { words } from '../strings/index.js';
import type { Observations } from './observations.js';

/** Both lists; each is there once something is known. */
export function FigureLists({ seen }: { readonly seen: Observations }) {
  const texts = words.value.watch.figures;
  const overlay = seen.overlay.value;
  const counts = Object.entries(overlay?.counts ?? {}).map(([name, count]) => [`data-${kebab(name)}`, count]);
  return (
    <>
      {overlay && (
        <dl class="readout" id="overlay-readout" aria-label={texts.overlay} {...Object.fromEntries(counts)}>
          <Rows of={overlay.rows} />
        </dl>
      )}
      <dl class="readout" id="readout" aria-label={texts.connection}>
        <Rows of={seen.connection.value} />
      </dl>
    </>
  );
}

function Rows({ of }: { readonly of: readonly Row[] }) {
  return (
    <>
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </>
  );
}

/** As a data attribute is written: `withMessage` is `with-message`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
