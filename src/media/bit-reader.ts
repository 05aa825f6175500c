/** Numbers out of the bits of parameter sets: fixed lengths and Exp-Golomb codes, which H.264 and H.265 share. */

/** The RBSP of a NAL unit: the 3 of each 00 00 03 taken out (ITU-T H.264 §7.4.1, H.265 §7.4.2). */
export function withoutEmulationPrevention(data: Buffer): Buffer {
  const bytes = Buffer.alloc(data.length);
  let size = 0;
  let zeros = 0;
  for (const byte of data) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    bytes[size++] = byte;
  }
  return bytes.subarray(0, size);
}

/** Bits from the left; zeros beyond the end. */
export class BitReader {
  #at = 0;

  constructor(readonly data: Buffer) {}

  /** True once more was read than there is. */
  get isBeyondEnd(): boolean {
    return this.#at > this.data.length * 8;
  }

  /** At most 32. */
  read(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      value = value * 2 + (((this.data[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
      this.#at++;
    }
    return value;
  }

  /** Any number of bits. */
  skip(bits: number): void {
    this.#at += bits;
  }

  /** ue(v), H.264 §9.1, H.265 §9.2. */
  exponential(): number {
    let zeros = 0;
    while (zeros < 32 && this.read(1) === 0) zeros++;
    return 2 ** zeros - 1 + this.read(zeros);
  }

  /** se(v), H.264 §9.1.1, H.265 §9.2.2. */
  signedExponential(): number {
    const code = this.exponential();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}
