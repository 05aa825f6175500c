import type { RecordedStretch } from './recorded-segment.js';

/** Segments of one run that follow each other so closely are one stretch, ms. */
const MAX_GAP_MS = 1_000;

/** Stretches of a run that follow each other as one, oldest first. Other runs may lie over it. */
export function joinStretches(stretches: readonly RecordedStretch[]): RecordedStretch[] {
  const found: RecordedStretch[] = [];
  for (const next of [...stretches].sort((a, b) => a.run - b.run || a.fromMs - b.fromMs)) {
    const last = found.at(-1);
    if (last?.run === next.run && next.fromMs - last.toMs <= MAX_GAP_MS)
      found[found.length - 1] = { ...last, toMs: Math.max(last.toMs, next.toMs) };
    else found.push(next);
  }
  return found.sort((a, b) => a.fromMs - b.fromMs || a.run - b.run);
}
