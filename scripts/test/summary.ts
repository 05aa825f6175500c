/** What the test runner says of a file, and of all of them at the end. */
import path from 'node:path';
import type { Results } from './rounds.js';
import type { Outcome } from './run-file.js';

const SLOWEST = 20;

export function isGood({ failed, faults }: Outcome): boolean {
  return failed.length === 0 && faults.length === 0;
}

/** One line, and one for each thing that is wrong. */
export function lineOf(outcome: Outcome, dist: string): string {
  const { passed, failed, skipped, faults, tookMs } = outcome;
  const counts = [`${passed} passed`, failed.length > 0 && `${failed.length} failed`, skipped.length > 0 && `${skipped.length} skipped`];
  const lines = [`${isGood(outcome) ? '✔' : '✖'} ${seconds(tookMs)}  ${nameOf(outcome, dist)}  ${counts.filter(Boolean).join(', ')}`];
  return [...lines, ...faults.map((fault) => `    it ${fault}`)].join('\n');
}

/** The slowest files, what was skipped and why, what passed only alone, what failed, and the totals. */
export function summary({ outcomes, unsteady }: Results, { dist, tookMs }: { readonly dist: string; readonly tookMs: number }): string {
  const total = (count: (outcome: Outcome) => number): number => outcomes.reduce((sum, outcome) => sum + count(outcome), 0);
  const slowest = [...outcomes].sort((a, b) => b.tookMs - a.tookMs).slice(0, SLOWEST);
  const skipped = outcomes.flatMap((outcome) =>
    outcome.skipped.map(({ title, reason }) => `  ${nameOf(outcome, dist)}: ${title} (${reason || 'no reason given'})`),
  );
  const bad = outcomes.filter((outcome) => !isGood(outcome));
  return [
    '',
    ...(outcomes.length > 1
      ? [
          `Slowest ${slowest.length} of ${outcomes.length} files:`,
          ...slowest.map((outcome) => `  ${seconds(outcome.tookMs)}  ${nameOf(outcome, dist)}`),
          '',
        ]
      : []),
    ...(skipped.length > 0 ? ['Skipped:', ...skipped, ''] : []),
    ...(unsteady.length > 0
      ? ['Unsteady: passed only alone, failed before:', ...unsteady.flatMap((first) => complaintsOf(first, dist)), '']
      : []),
    ...(bad.length > 0 ? ['Failed:', ...bad.flatMap((outcome) => complaintsOf(outcome, dist)), ''] : []),
    `${total(({ passed }) => passed)} tests passed, ${total(({ failed }) => failed.length)} failed, ${skipped.length} skipped; ` +
      `${outcomes.length} ${outcomes.length === 1 ? 'file' : 'files'} (${[`${bad.length} failed`, unsteady.length > 0 && `${unsteady.length} unsteady`].filter(Boolean).join(', ')}) in ${seconds(tookMs).trim()}.`,
  ].join('\n');
}

function complaintsOf(outcome: Outcome, dist: string): string[] {
  return [...outcome.failed, ...outcome.faults.map((fault) => `it ${fault}`)].map((what) => `  ${nameOf(outcome, dist)}: ${what}`);
}

/** The source: `test/media/track.test.ts`. */
function nameOf({ file }: Outcome, dist: string): string {
  return path.relative(dist, file).replace(/\.js$/, '.ts');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}
