/**
 * Changes of things that do not touch each other are made side by side, those of one thing one after the other, in the order in
 * which they were asked for.
 */

/** What a task changes: nothing that another one changes, some things, or everything. */
export type LaneKeys<Key> = readonly Key[] | 'all';

interface Task<Key> {
  readonly keys: ReadonlySet<Key> | 'all';
  /** Never rejects. */
  readonly done: Promise<unknown>;
}

/** Tasks by what they change. */
export class Lanes<Key> {
  /** Those that have not ended, in order. */
  readonly #tasks = new Set<Task<Key>>();

  /** Tasks that run or wait. */
  get size(): number {
    return this.#tasks.size;
  }

  /**
   * Runs a task, never at once, and after every earlier one that changes the same; one of `all` after all earlier ones, and
   * before all later ones. Resolves or rejects as the task does; that one failed holds no other up.
   */
  run<T>(keys: LaneKeys<Key>, run: () => T | Promise<T>): Promise<T> {
    const own = keys === 'all' ? keys : new Set(keys);
    const ahead = [...this.#tasks].filter((task) => overlap(task.keys, own)).map(({ done }) => done);
    const result = Promise.all(ahead).then(run);
    const task: Task<Key> = { keys: own, done: result.catch(() => undefined).then(() => this.#tasks.delete(task)) };
    this.#tasks.add(task);
    return result;
  }
}

function overlap<Key>(one: ReadonlySet<Key> | 'all', other: ReadonlySet<Key> | 'all'): boolean {
  if (one === 'all' || other === 'all') return true;
  return [...one].some((key) => other.has(key));
}
