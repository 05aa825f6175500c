/** Which colour is which object, of what is seen on a timeline. */
import { words } from '../strings/index.js';
import { labelColour } from './label-colours.js';
import type { TimelineState } from './state.js';

const MOST = 8;

/** The labels, the most frequent first. */
export function Legend({ state }: { readonly state: TimelineState }) {
  const { fromS, toS } = state.looking.span.value;
  const { steps = [], stepS = 0 } = state.history.known.value ?? {};
  const counts = new Map<string, number>();
  for (const { at, objects } of steps) {
    if (at + stepS < fromS || at > toS) continue;
    for (const [label, { seen }] of Object.entries(objects)) counts.set(label, (counts.get(label) ?? 0) + seen);
  }
  const labels = [...counts].sort(([, one], [, other]) => other - one).slice(0, MOST);
  if (labels.length === 0) return null;
  return (
    <ul class="timeline-legend" aria-label={words.value.timeline.legend}>
      {labels.map(([label]) => (
        <li key={label}>
          <span class="dot" style={{ background: labelColour(label) }} />
          <span dir="auto">{label}</span>
        </li>
      ))}
    </ul>
  );
}
