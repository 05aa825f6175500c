/** Which classes count in a shape: all, or some of those that the model knows. */
import { words } from '../strings/index.js';
import type { DraftShape } from './draft.js';
import type { ZoneEditor } from './editor.js';

/** More of them scroll in a box of their own. */
const MANY = 12;

/** What is chosen, and where. */
interface ClassesProps {
  readonly editor: ZoneEditor;
  readonly shape: DraftShape;
  /** In words; empty: none. */
  readonly faults: string;
}

/** A choice of several. */
export function Classes({ editor, shape, faults }: ClassesProps) {
  const text = words.value.zones;
  const chosen = shape.classes ?? [];
  const known = editor.labels.value;
  const labels = [...new Set([...known, ...chosen])];
  const set = (classes: readonly string[]): void =>
    editor.changeShape(shape.key, (now) => ({ ...now, classes: classes.length === 0 ? undefined : classes }), 'classes');
  const toggle = (label: string): void => set(chosen.includes(label) ? chosen.filter((each) => each !== label) : [...chosen, label]);
  return (
    <fieldset class={`zones-classes ${labels.length > MANY ? 'many' : ''}`}>
      <legend>{text.classes}</legend>
      <button type="button" class="chip" aria-pressed={chosen.length === 0} onClick={() => set([])}>
        {text.allClasses}
      </button>
      {labels.map((label) => (
        <button
          type="button"
          key={label}
          class={`chip ${known.length > 0 && !known.includes(label) ? 'unknown' : ''}`}
          aria-pressed={chosen.includes(label)}
          onClick={() => toggle(label)}
        >
          {label}
        </button>
      ))}
      {faults !== '' && (
        <p class="zones-wrong" role="status">
          {faults}
        </p>
      )}
    </fieldset>
  );
}
