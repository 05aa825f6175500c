/** Runs jobs side by side, each kind within its limit. */

export interface Limits {
  /** Jobs of all kinds together. */
  readonly lanes: number;
  /** Of these kinds, at most so many of the lanes. */
  readonly ofKind: Readonly<Record<string, number>>;
}

/** Runs all jobs, in their order as far as the limits allow; resolves once the last has ended. A job must not fail. */
export async function runInLanes<J extends { readonly kind: string }>(
  jobs: readonly J[],
  { lanes, ofKind }: Limits,
  run: (job: J) => Promise<void>,
): Promise<void> {
  const waiting = [...jobs];
  const running = new Map<J, Promise<void>>();
  const mayRun = ({ kind }: J): boolean => [...running.keys()].filter((job) => job.kind === kind).length < (ofKind[kind] ?? Infinity);
  while (waiting.length > 0 || running.size > 0) {
    const next = running.size < lanes ? waiting.findIndex(mayRun) : -1;
    if (next < 0) {
      await Promise.race(running.values());
      continue;
    }
    const [job] = waiting.splice(next, 1) as [J];
    running.set(
      job,
      run(job).finally(() => running.delete(job)),
    );
  }
}
