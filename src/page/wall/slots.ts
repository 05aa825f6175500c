/** Which m-line shows which tile: a tile that is moved on the screen stays on its own, so that its picture goes on. */

/** The m-lines of one wall. */
export class Slots {
  #ids: (string | undefined)[] = [];

  /** Gives each of these tiles an m-line; those that have one keep it. @returns tiles by m-line; undefined: a free one */
  assign(ids: readonly string[]): readonly (string | undefined)[] {
    const slots = this.#ids.map((id) => (id !== undefined && ids.includes(id) ? id : undefined));
    for (const id of ids) {
      if (slots.includes(id)) continue;
      const free = slots.indexOf(undefined);
      if (free < 0) slots.push(id);
      else slots[free] = id;
    }
    this.#ids = slots;
    return slots;
  }

  /** -1: none. */
  of(id: string): number {
    return this.#ids.indexOf(id);
  }

  /** Undefined: it is free. */
  at(slot: number): string | undefined {
    return this.#ids[slot];
  }
}

/** M-lines to begin with: a few more, so that a tile that is added needs no other connection. */
export function roomFor(count: number, most: number): number {
  return [4, 9, most].find((room) => room >= count) ?? most;
}
