/** All zones and lines of the source, with what they count now. */
import { useEffect, useMemo } from 'preact/hooks';
import { pathOf } from '../api/address.js';
import { Polled } from '../api/polled.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { colourOf } from './colours.js';
import type { DraftShape } from './draft.js';
import type { ZoneEditor } from './editor.js';

/** As `GET /sources/:id/counts` answers. */
interface Counts {
  readonly zones: readonly { readonly zone: string; readonly count: number }[];
  readonly lines: readonly { readonly line: string; readonly in: number; readonly out: number }[];
}

const COUNT_PERIOD_MS = 1_000;

/** Selects one by a click, or by Enter. */
export function ShapeList({ editor }: { readonly editor: ZoneEditor }) {
  const text = words.value.zones;
  const counts = useMemo(() => new Polled<Counts>(`${pathOf('sources', editor.source)}/counts`, COUNT_PERIOD_MS), [editor.source]);
  useEffect(() => counts.hold(), [counts]);
  const { value, trouble } = counts.known.value;
  const shapes = editor.draft.value?.shapes ?? [];
  return (
    <section aria-labelledby="zones-list-title">
      <h3 id="zones-list-title">{text.list(shapes.length)}</h3>
      {trouble && value && (
        <p class="zones-note" role="status">
          {text.countsStand} {faultText(trouble)}
        </p>
      )}
      <ul class="zones-list">
        {shapes.map((shape) => (
          <Row key={shape.key} editor={editor} shape={shape} colour={colourOf(shapes, shape.key)} count={countOf(shape, value)} />
        ))}
      </ul>
    </section>
  );
}

interface RowProps {
  readonly editor: ZoneEditor;
  readonly shape: DraftShape;
  readonly colour: string;
  readonly count: string;
}

function Row({ editor, shape, colour, count }: RowProps) {
  const text = words.value.zones;
  const isSelected = editor.selection.value?.key === shape.key;
  const faults = editor.faults.value.filter(({ key }) => key === shape.key);
  return (
    <li>
      <button
        type="button"
        class="zones-row"
        aria-pressed={isSelected}
        onClick={() => {
          editor.drawing.value = undefined;
          editor.selection.value = isSelected ? undefined : { key: shape.key };
        }}
      >
        <span class={`swatch ${shape.kind}`} style={{ '--colour': colour }} />
        <span class="zones-id" title={shape.id}>
          <span class="visually-hidden">{text.kind[shape.kind]} </span>
          {shape.id === '' ? text.unnamed : shape.id}
        </span>
        <span class="zones-count">{count}</span>
        {faults.length > 0 && <span class="zones-wrong">{text.faults(faults.length)}</span>}
      </button>
    </li>
  );
}

function countOf({ kind, id }: DraftShape, counts: Counts | undefined): string {
  const text = words.value.zones;
  if (kind === 'zone') {
    const zone = counts?.zones.find((each) => each.zone === id);
    return zone ? text.inside(zone.count) : '';
  }
  const line = counts?.lines.find((each) => each.line === id);
  return line ? text.crossed(line.in, line.out) : '';
}
