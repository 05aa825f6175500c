/**
 * Counts of what comes and goes. Whoever counts enters how its counts are read, and leaves when it is gone; what it had
 * counted by then stays in the sums, so that they never go back. Nothing is read before somebody asks.
 */

/** What is counted, by name. */
type Counts<Name extends string> = Readonly<Record<Name, number>>;

/** One sum, and whose it is. */
export interface TallySum<Label extends string, Name extends string> {
  /** Whose it is: `{ source: 'street' }`. */
  readonly labels: Readonly<Record<Label, string>>;
  /** Of all that have entered with these labels. */
  readonly counts: Counts<Name>;
}

interface Group<Label extends string, Name extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  /** Of those that have left. */
  readonly left: Record<Name, number>;
  readonly readers: Set<() => Counts<Name>>;
}

/** Sums of counts by labels. It keeps one sum for each set of labels forever: whoever enters bounds how many there are. */
export class Tally<Label extends string, Name extends string> {
  readonly #names: readonly Name[];
  readonly #groups = new Map<string, Group<Label, Name>>();

  /** @param names of what is counted */
  constructor(names: readonly Name[]) {
    this.#names = names;
  }

  /** @param read its counts, from zero on and never less than before @returns leaves; its last counts are kept. Idempotent */
  enter(labels: Readonly<Record<Label, string>>, read: () => Counts<Name>): () => void {
    const group = this.#groupOf(labels);
    // The same function may be entered twice.
    const reader = (): Counts<Name> => read();
    group.readers.add(reader);
    return () => {
      if (group.readers.delete(reader)) this.#add(group.left, reader());
    };
  }

  /** One for each set of labels that there was so far. */
  sums(): TallySum<Label, Name>[] {
    return [...this.#groups.values()].map(({ labels, left, readers }) => {
      const counts = { ...left };
      for (const read of readers) this.#add(counts, read());
      return { labels, counts };
    });
  }

  #groupOf(labels: Readonly<Record<Label, string>>): Group<Label, Name> {
    const key = JSON.stringify(labels);
    const known = this.#groups.get(key);
    if (known) return known;
    const none = Object.fromEntries(this.#names.map((name) => [name, 0])) as Record<Name, number>;
    const group = { labels, left: none, readers: new Set<() => Counts<Name>>() };
    this.#groups.set(key, group);
    return group;
  }

  #add(sum: Record<Name, number>, counts: Counts<Name>): void {
    for (const name of this.#names) sum[name] += counts[name];
  }
}
