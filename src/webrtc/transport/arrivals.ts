/**
 * What a receiver tells of the packets of a transport, whatever the format in which it does: which arrived, and when.
 * Today that is transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
 */
export interface Arrivals {
  /** Of the first packet that is told of, 16 bits. */
  readonly firstNumber: number;
  /** By the receiver's clock, ms; starts again after 2^24 × 64 ms. */
  readonly referenceMs: number;
  /** After `referenceMs`, for each packet from the first on; NaN: it did not arrive. */
  readonly offsetsMs: readonly number[];
}

/** The reference time of 24 bits in 64 ms. */
export const REFERENCE_WRAP_MS = 2 ** 24 * 64;
