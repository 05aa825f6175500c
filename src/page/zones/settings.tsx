/** What holds for all shapes of the source. */
import { words } from '../strings/index.js';
import type { ZoneEditor } from './editor.js';

/** The anchor of boxes, and whether the detector always runs. */
export function Settings({ editor }: { readonly editor: ZoneEditor }) {
  const text = words.value.zones;
  const draft = editor.draft.value;
  if (!draft) return null;
  return (
    <section class="zones-fields" aria-labelledby="zones-settings-title">
      <h3 id="zones-settings-title">{text.settings}</h3>
      <label>
        {text.anchor}
        <select
          value={draft.anchor}
          onChange={({ currentTarget }) => editor.change({ anchor: currentTarget.value as typeof draft.anchor })}
        >
          <option value="bottom">{text.anchorBottom}</option>
          <option value="centre">{text.anchorCentre}</option>
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={draft.always} onChange={({ currentTarget }) => editor.change({ always: currentTarget.checked })} />
        {text.always}
      </label>
    </section>
  );
}
