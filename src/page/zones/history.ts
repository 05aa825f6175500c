/** What was before and what was undone. Pure. */

/** Steps that are remembered. */
const MAX_STEPS = 200;

/** A value with its past and its future. */
export interface History<T> {
  /** The oldest first. */
  readonly past: readonly T[];
  /** Now. */
  readonly present: T;
  /** What was undone, the latest last. */
  readonly future: readonly T[];
  /** Changes with the same name in a row are one step, such as a drag. */
  readonly step: string | undefined;
}

/** One that begins. */
export function historyOf<T>(present: T): History<T> {
  return { past: [], present, future: [], step: undefined };
}

/** After a change. @param step name of what goes on; left out: a step of its own */
export function changed<T>({ past, present, step: before }: History<T>, next: T, step?: string): History<T> {
  const isSame = step !== undefined && step === before;
  return { past: isSame ? past : [...past.slice(1 - MAX_STEPS), present], present: next, future: [], step };
}

/** One step back; the same where there is none. */
export function undone<T>(history: History<T>): History<T> {
  const { past, present, future } = history;
  const before = past.at(-1);
  if (before === undefined) return history;
  return { past: past.slice(0, -1), present: before, future: [...future, present], step: undefined };
}

/** One step forward; the same where there is none. */
export function redone<T>(history: History<T>): History<T> {
  const { past, present, future } = history;
  const next = future.at(-1);
  if (next === undefined) return history;
  return { past: [...past, present], present: next, future: future.slice(0, -1), step: undefined };
}
