/** Bits a second between the last two looks at a sum of bytes. */
export class BitrateGauge {
  /** 0 before the second look. */
  bitrateBps = 0;
  /** As of the last look. */
  bytes = 0;
  #atMs: number;

  /** @param nowMs monotonic */
  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** @param bytes since the beginning @param nowMs monotonic */
  add(bytes: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs <= 0) return;
    this.bitrateBps = Math.round(((bytes - this.bytes) * 8000) / elapsedMs);
    this.bytes = bytes;
    this.#atMs = nowMs;
  }
}
