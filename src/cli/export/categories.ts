/** Numbers of what objects are taken for: two models may number the same class otherwise, or another one alike. */

/** Gives each label a number of its own: its class counted from 1, where no other label has that. */
export class Categories {
  readonly #ids = new Map<string, number>();
  readonly #labels = new Map<number, string>();

  /** The number of a label. */
  of(label: string, classId: number): number {
    const known = this.#ids.get(label);
    if (known !== undefined) return known;
    const id = this.#labels.has(classId + 1) ? Math.max(...this.#labels.keys()) + 1 : classId + 1;
    this.#ids.set(label, id);
    this.#labels.set(id, label);
    return id;
  }

  /** All of them, by number. */
  get all(): readonly { readonly id: number; readonly name: string }[] {
    return [...this.#labels].sort(([a], [b]) => a - b).map(([id, name]) => ({ id, name }));
  }
}
