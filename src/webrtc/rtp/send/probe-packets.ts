/** What probe packets carry: nothing that is needed, in the size that is asked for. */

/** Padding is counted in one byte (RFC 3550 §5.1). */
const MAX_PADDING_BYTES = 255;

const paddings = new Map<number, Buffer>();

/** Padding of about `bytes`, which ends with its own length. Shared: never changed. */
export function paddingOf(bytes: number): Buffer {
  const length = Math.max(1, Math.min(MAX_PADDING_BYTES, Math.floor(bytes)));
  const known = paddings.get(length);
  if (known) return known;
  const padding = Buffer.alloc(length);
  padding[length - 1] = length;
  paddings.set(length, padding);
  return padding;
}
