/** Bytes that came in chunks of any size and are read in pieces of known size. */
export class ByteQueue {
  readonly #chunks: Buffer[] = [];
  /** Bytes of the first chunk that are used up. */
  #offset = 0;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes at the end; they are not copied and must not change any more. */
  append(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Copies what waits, so that the chunks it came in may be written again. */
  keep(): void {
    if (this.#length === 0) return;
    const copy = this.take(this.#length);
    this.append(copy);
  }

  /** The first `count` bytes without using them up, or fewer when fewer wait; a view where that is possible. */
  peek(count: number): Buffer {
    const first = this.#chunks[0];
    if (!first) return Buffer.alloc(0);
    const wanted = Math.min(count, this.#length);
    if (first.length - this.#offset >= wanted) return first.subarray(this.#offset, this.#offset + wanted);
    const copy = Buffer.allocUnsafe(wanted);
    let filled = 0;
    for (let i = 0, from = this.#offset; filled < wanted; i++, from = 0) filled += (this.#chunks[i] as Buffer).copy(copy, filled, from);
    return copy;
  }

  /** Uses up `count` bytes and returns a copy of them, so that a small piece does not keep a large chunk alive. */
  take(count: number): Buffer {
    const taken = Buffer.allocUnsafe(count);
    this.moveTo(taken, 0, count);
    return taken;
  }

  /** Moves at most `count` bytes into `target`; returns how many. */
  moveTo(target: Buffer, targetOffset: number, count: number): number {
    let moved = 0;
    const wanted = Math.min(count, this.#length);
    while (moved < wanted) {
      const first = this.#chunks[0] as Buffer;
      const copied = first.copy(target, targetOffset + moved, this.#offset, Math.min(first.length, this.#offset + wanted - moved));
      this.skip(copied);
      moved += copied;
    }
    return moved;
  }

  /** Uses up `count` bytes; there must be that many. */
  skip(count: number): void {
    let left = count;
    this.#length -= count;
    while (left > 0) {
      const first = this.#chunks[0] as Buffer;
      const here = Math.min(left, first.length - this.#offset);
      left -= here;
      this.#offset += here;
      if (this.#offset === first.length) {
        this.#chunks.shift();
        this.#offset = 0;
      }
    }
  }
}
