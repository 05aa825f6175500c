/** The keyframes of a segment in a few bytes each: steps of time and place as LEB128 numbers, so that a day of one source takes less than a megabyte. */
import type { IndexedGroup } from './recorded-segment.js';

/** @param fromMs of the segment: times are kept as microseconds after it */
export function packGroups(groups: readonly IndexedGroup[], fromMs: number): Uint8Array {
  const bytes: number[] = [];
  let atUs = 0;
  let offset = 0;
  for (const group of groups) {
    const nextUs = Math.max(atUs, Math.round((group.atMs - fromMs) * 1000));
    const nextOffset = Math.max(offset, group.offset);
    push(bytes, nextUs - atUs);
    push(bytes, nextOffset - offset);
    push(bytes, group.bytes);
    atUs = nextUs;
    offset = nextOffset;
  }
  return Uint8Array.from(bytes);
}

/** What was packed; what is cut off in the middle is left out. */
export function unpackGroups(packed: Uint8Array, fromMs: number): IndexedGroup[] {
  const groups: IndexedGroup[] = [];
  const reader = { packed, at: 0 };
  let atUs = 0;
  let offset = 0;
  while (reader.at < packed.length) {
    const [stepUs, stepOffset, bytes] = [pull(reader), pull(reader), pull(reader)];
    if (stepUs === undefined || stepOffset === undefined || bytes === undefined) break;
    atUs += stepUs;
    offset += stepOffset;
    groups.push({ atMs: fromMs + atUs / 1000, offset, bytes });
  }
  return groups;
}

function push(bytes: number[], value: number): void {
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  bytes.push(left);
}

/** At most 7 bytes: 2^49. */
function pull(reader: { readonly packed: Uint8Array; at: number }): number | undefined {
  let value = 0;
  for (let scale = 1, n = 0; n < 7; scale *= 128, n++) {
    const byte = reader.packed[reader.at++];
    if (byte === undefined) return undefined;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
  return undefined;
}
