/**
 * Where the fragments of a segment stand, found by their heads alone. What is damaged in the middle is passed over, up to the next
 * whole fragment; what is torn at the end is not looked at.
 */
import type { FileHandle } from 'node:fs/promises';
import { MAX_FRAGMENT_BYTES, MAX_HEAD_BYTES, readFragmentHead, USUAL_HEAD_BYTES, type FragmentHead } from '../media/index.js';

/** A fragment and where it stands. */
export interface LocatedFragment {
  /** Of its first byte in the file. */
  readonly offset: number;
  /** What is in it. */
  readonly head: FragmentHead;
}

/** What is read at once while the next whole fragment is looked for. */
const SEARCH_BYTES = 1 << 20;
const REFERENCE = Buffer.from('prft');

/** The first whole fragment at `from` or behind it; undefined where there is none up to `size`. */
export async function nextFragment(handle: FileHandle, from: number, size: number): Promise<LocatedFragment | undefined> {
  const head = await readHead(handle, from, size);
  if (head) return { offset: from, head };
  for (let at = from + 1; at + REFERENCE.length < size;) {
    const data = await readAt(handle, at, Math.min(SEARCH_BYTES, size - at));
    for (let found = data.indexOf(REFERENCE); found >= 0; found = data.indexOf(REFERENCE, found + 1)) {
      const offset = at + found - 4;
      const there = offset > from ? await readHead(handle, offset, size) : undefined;
      if (there) return { offset, head: there };
    }
    if (data.length <= REFERENCE.length) return undefined;
    at += data.length - REFERENCE.length + 1;
  }
  return undefined;
}

/** Bytes of a file; fewer where it ends before. */
export async function readAt(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const data = Buffer.allocUnsafe(Math.max(0, bytes));
  let read = 0;
  while (read < data.length) {
    const { bytesRead } = await handle.read(data, read, data.length - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return data.subarray(0, read);
}

async function readHead(handle: FileHandle, offset: number, size: number): Promise<FragmentHead | undefined> {
  for (const bytes of [USUAL_HEAD_BYTES, MAX_HEAD_BYTES]) {
    const head = readFragmentHead(await readAt(handle, offset, Math.min(bytes, size - offset)));
    if (head === 'short') continue;
    const isWhole = head !== undefined && head.bytes <= MAX_FRAGMENT_BYTES && offset + head.bytes <= size;
    return isWhole ? head : undefined;
  }
  return undefined;
}
