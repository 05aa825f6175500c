/** Which source's zones: all of them with their stills. */
import { useEffect } from 'preact/hooks';
import { addressOf, pathOf } from '../api/address.js';
import { sourceList, sources } from '../api/sources.js';
import { hashOf } from '../app/router.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';

/** Links to the editors. */
export function SourceChoice() {
  useEffect(() => sourceList.hold(), []);
  const text = words.value.zones;
  const { value, trouble } = sourceList.known.value;
  return (
    <section class="zones-choice" aria-labelledby="zones-choice-title">
      <h2 id="zones-choice-title">{text.choose}</h2>
      {trouble && (
        <p class="zones-trouble" role="status">
          {faultText(trouble)}
        </p>
      )}
      {value && sources.value.length === 0 && <p class="empty">{text.noSources}</p>}
      <ul>
        {sources.value.map(({ source, name }) => (
          <li key={source}>
            <a href={hashOf('zones', [source])}>
              <span class="zones-still">
                <img src={addressOf(`${pathOf('snapshot', `${source}.jpg`)}?width=320`)} alt="" loading="lazy" onError={hide} />
              </span>
              <span dir="auto" title={name}>
                {name}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function hide(event: Event): void {
  (event.currentTarget as HTMLElement).hidden = true;
}
