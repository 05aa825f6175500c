/** Numbers of 16 bits that wrap, as ones that do not: each is taken as the one nearest to the newest. */
export class ExtendedSequence {
  #newest: number | undefined;

  /** The first number is itself; those from before it can be negative. */
  extend(sequenceNumber: number): number {
    const index = this.peek(sequenceNumber);
    this.#newest = this.#newest === undefined ? index : Math.max(this.#newest, index);
    return index;
  }

  /** As `extend`, for a number that does not come from the newest packets: it moves nothing. */
  peek(sequenceNumber: number): number {
    if (this.#newest === undefined) return sequenceNumber;
    return this.#newest + (((sequenceNumber - this.#newest) << 16) >> 16);
  }
}
