/**
 * What of a source is to be kept, beside its recordings: `keep.json` in its folder. The index has the same, to ask by; a file that
 * lies with what it protects is there as long as that is, also where the index is lost or another server takes the folder over.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { replaceFile } from '../base/replace-file.js';
import type { TimeRange } from './recorded.js';
import { union } from './stretches.js';

const FILE = 'keep.json';

/** What was written; undefined where that is nothing. @throws Error where it cannot be read, or is none: then everything has to be kept */
export async function readKeptRanges(folder: string): Promise<TimeRange[] | undefined> {
  let text: string;
  try {
    text = await readFile(path.join(folder, FILE), 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  const { keep } = JSON.parse(text) as { readonly keep?: unknown };
  if (!Array.isArray(keep)) throw new Error(`${FILE} holds no list 'keep'`);
  return union(keep.map(readRange));
}

/** Writes it, whole. @throws MediaPeerError STATE_NOT_KEPT; what was written before holds then */
export async function writeKeptRanges(folder: string, ranges: readonly TimeRange[]): Promise<void> {
  const keep = ranges.map(({ fromMs, toMs }) => ({ from: fromMs / 1000, to: toMs / 1000 }));
  try {
    await replaceFile(path.join(folder, FILE), `${JSON.stringify({ keep }, null, 2)}\n`);
  } catch (error) {
    throw new MediaPeerError('STATE_NOT_KEPT', `nothing was changed: '${folder}' cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

function readRange(item: unknown): TimeRange {
  const { from, to } = (item ?? {}) as { readonly from?: unknown; readonly to?: unknown };
  if (typeof from !== 'number' || typeof to !== 'number' || !(from < to)) throw new Error(`${FILE} holds a range that is none`);
  return { fromMs: from * 1000, toMs: to * 1000 };
}
