/**
 * The order of a run: what only computes, what plays media, what measures, and at the end once more what failed beside
 * others, alone. A machine under the load of its own tests makes one in some hundred files miss a deadline; a fault of
 * the code fails again. What passed only alone is told apart, so that nobody overlooks it.
 */
import os from 'node:os';
import type { Kind, TestFile } from './kinds.js';
import { runInLanes, type Limits } from './lanes.js';
import type { Outcome } from './run-file.js';
import { isGood } from './summary.js';

/** Where more files than this fail, something is broken: running them again would hide it. */
const MOST_AGAIN = 5;

export interface Results {
  /** One a file: of a file that ran twice what came of it alone. */
  readonly outcomes: readonly Outcome[];
  /** What came at first of files that passed only alone. */
  readonly unsteady: readonly Outcome[];
}

/** Runs one file; undefined where the whole run was stopped. `isAgain`: it failed beside others, and nothing else runs now. */
export type Run = (file: TestFile, isAgain: boolean) => Promise<Outcome | undefined>;

/** Runs all files; `lanes` of those that play media at a time. */
export async function runRounds(files: readonly TestFile[], lanes: number, run: Run): Promise<Results> {
  const outcomes = new Map<TestFile, Outcome>();
  for (const [kinds, limits] of phases(lanes)) {
    const ofPhase = files.filter(({ kind }) => kinds.includes(kind));
    await runInLanes(ofPhase, limits, async (file) => keep(outcomes, file, await run(file, false)));
  }
  const unsteady: Outcome[] = [];
  for (const [file, first] of toRunAgain(outcomes)) {
    const second = await run(file, true);
    keep(outcomes, file, second);
    if (second && isGood(second)) unsteady.push(first);
  }
  return { outcomes: [...outcomes.values()], unsteady };
}

function keep(outcomes: Map<TestFile, Outcome>, file: TestFile, outcome: Outcome | undefined): void {
  if (outcome) outcomes.set(file, outcome);
}

function phases(lanes: number): [Kind[], Limits][] {
  return [
    [['unit'], { lanes: os.availableParallelism(), ofKind: {} }],
    [['live', 'browser'], { lanes, ofKind: { browser: 1 } }],
    [['alone'], { lanes: 1, ofKind: {} }],
  ];
}

/** None where one file ran, which had nothing beside it; none that only computes, which waits for nothing. */
function toRunAgain(outcomes: ReadonlyMap<TestFile, Outcome>): [TestFile, Outcome][] {
  const failed = [...outcomes].filter(([, outcome]) => !isGood(outcome));
  if (outcomes.size === 1 || failed.length > MOST_AGAIN) return [];
  return failed.filter(([{ kind }]) => kind !== 'unit');
}
