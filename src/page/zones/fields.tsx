/** What counts in the selected shape: its name, classes, score and time; each fault stands beside its field. */
import { useId } from 'preact/hooks';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { Icon } from '../ui/icon.js';
import { Classes } from './classes.js';
import type { DraftShape } from './draft.js';
import { flipped } from './edits.js';
import type { ZoneEditor } from './editor.js';

/** As the server bounds it. */
const MAX_DWELL_S = 86_400;

/** What fields are for. */
export interface FieldsProps {
  /** What is edited. */
  readonly editor: ZoneEditor;
  /** The one that is selected. */
  readonly shape: DraftShape;
}

/** Of one shape. */
export function Fields({ editor, shape }: FieldsProps) {
  const text = words.value.zones;
  const id = useId();
  const { key, kind } = shape;
  const faultsAt = (...fields: readonly string[]): string =>
    editor.faults.value
      .filter((fault) => fault.key === key && fields.includes(fault.field))
      .map(({ code, corners }) => text.fault(code, corners))
      .join(' ');
  const nameFault = faultsAt('id');
  const set = (change: Partial<DraftShape>, field: string): void => editor.changeShape(key, (now) => ({ ...now, ...change }), field);
  return (
    <section class="zones-fields" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{text.kind[kind]}</h3>
      <Faults text={faultsAt('polygon', '')} />
      <label>
        {text.name}
        <input
          type="text"
          value={shape.id}
          maxLength={64}
          spellcheck={false}
          autocapitalize="none"
          aria-invalid={nameFault !== ''}
          aria-describedby={`${id}-name-help`}
          onInput={(event) => set({ id: event.currentTarget.value }, 'id')}
        />
        <small id={`${id}-name-help`} class={nameFault === '' ? '' : 'zones-wrong'}>
          {nameFault === '' ? text.nameHelp : nameFault}
        </small>
      </label>
      <Classes editor={editor} shape={shape} faults={faultsAt('classes')} />
      {kind === 'zone' && (
        <label>
          {text.dwell}
          <input
            type="number"
            min={0}
            max={MAX_DWELL_S}
            step={0.5}
            value={shape.minDwellMs / 1000}
            onInput={({ currentTarget: { valueAsNumber } }) =>
              Number.isFinite(valueAsNumber) &&
              set({ minDwellMs: Math.round(Math.min(MAX_DWELL_S, Math.max(0, valueAsNumber)) * 1000) }, 'dwell')
            }
          />
          <Faults text={faultsAt('min_dwell_ms')} />
        </label>
      )}
      <label>
        {text.score(Math.round(shape.minScore * 100))}
        <input
          type="range"
          min={0}
          max={1}
          step={0.05}
          value={shape.minScore}
          onInput={({ currentTarget }) => set({ minScore: Number(currentTarget.value) }, 'score')}
        />
      </label>
      <div class="zones-buttons">
        {kind === 'line' && (
          <button
            type="button"
            class="button"
            onClick={() => {
              editor.changeShape(key, flipped);
              announce(text.flipped);
            }}
          >
            <Icon name="flip" /> {text.flip}
          </button>
        )}
        <button
          type="button"
          class="button"
          onClick={() => {
            editor.remove(key);
            announce(text.removed(shape.id));
          }}
        >
          <Icon name="remove" /> {text.remove}
        </button>
      </div>
    </section>
  );
}

function Faults({ text }: { readonly text: string }) {
  return text === '' ? null : (
    <p class="zones-wrong" role="status">
      {text}
    </p>
  );
}
