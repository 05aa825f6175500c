/**
 * Where recordings lie: `RECORD_DIR/<source>/2026-11-30/22-05-00.123Z.mp4`, named by the UTC of the first frame, with what was seen
 * beside it. A folder's `source.json` holds the source's true id, which a name of a file cannot always be.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../base/replace-file.js';

/** Longest name of a folder that all file systems take, with room to spare. */
const MAX_FOLDER_BYTES = 180;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SEGMENT = /^(\d{2})-(\d{2})-(\d{2}\.\d{3})Z(?:-\d)?\.mp4$/;
const SOURCE_FILE = 'source.json';

/** The folder of a source's recordings. */
export function sourceFolder(recordDir: string, sourceId: string): string {
  const name = [...Buffer.from(sourceId)]
    .map((byte, at) => {
      const character = String.fromCharCode(byte);
      // Neither a hidden folder nor the one above.
      return /[A-Za-z0-9_-]/.test(character) || (character === '.' && at > 0)
        ? character
        : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
    })
    .join('');
  if (name.length <= MAX_FOLDER_BYTES) return path.join(recordDir, name === '' ? '%' : name);
  return path.join(
    recordDir,
    `${name.slice(0, MAX_FOLDER_BYTES - 17)}-${createHash('sha256').update(sourceId).digest('hex').slice(0, 16)}`,
  );
}

/** Makes the folder, and says in it which source it is of. Resolves with false where that was there already. @throws Error of the system */
export async function makeSourceFolder(folder: string, sourceId: string): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readSourceId(folder)) === sourceId) return false;
  await replaceFile(path.join(folder, SOURCE_FILE), `${JSON.stringify({ source: sourceId })}\n`);
  return true;
}

/** The source that a folder is of; undefined where it is none of ours. Never rejects. */
export async function readSourceId(folder: string): Promise<string | undefined> {
  try {
    const { source } = JSON.parse(await readFile(path.join(folder, SOURCE_FILE), 'utf8')) as { readonly source?: unknown };
    return typeof source === 'string' ? source : undefined;
  } catch {
    return undefined; // none, or not readable: not ours either way
  }
}

/** Where the segment lies whose first frame was captured then. @param attempt where there is one of that name already: 2 to 9 */
export function segmentFile(folder: string, utcMs: number, attempt = 1): string {
  const [day = '', time = ''] = new Date(Math.round(utcMs)).toISOString().split('T');
  return path.join(folder, day, `${time.replaceAll(':', '-')}${attempt === 1 ? '' : `-${attempt}`}.mp4`);
}

/** The UTC in ms that a segment's name tells; undefined where it is no segment's. */
export function segmentTime(file: string): number | undefined {
  const day = path.basename(path.dirname(file));
  const name = SEGMENT.exec(path.basename(file));
  const utcMs = name && DAY.test(day) ? Date.parse(`${day}T${name[1] ?? ''}:${name[2] ?? ''}:${name[3] ?? ''}Z`) : NaN;
  return Number.isNaN(utcMs) ? undefined : utcMs;
}

/** What was seen, beside a segment: while it is being written, and when it is finished. */
export function sidecarFiles(file: string): { readonly open: string; readonly finished: string } {
  const open = file.replace(/\.mp4$/, '.detections.jsonl');
  return { open, finished: `${open}.br` };
}

/** The segments in a source's folder, oldest first. @throws Error of the system */
export async function listSegments(folder: string): Promise<string[]> {
  const days = (await readdir(folder)).filter((name) => DAY.test(name)).sort();
  const found: string[] = [];
  for (const day of days) {
    const names = (await readdir(path.join(folder, day))).filter((name) => SEGMENT.test(name)).sort();
    found.push(...names.map((name) => path.join(folder, day, name)));
  }
  return found;
}

/** The sources of a folder of recordings, with their folders. @throws Error of the system */
export async function listSources(recordDir: string): Promise<{ readonly sourceId: string; readonly folder: string }[]> {
  const found: { readonly sourceId: string; readonly folder: string }[] = [];
  for (const entry of await readdir(recordDir, { withFileTypes: true })) {
    const folder = path.join(recordDir, entry.name);
    const sourceId = entry.isDirectory() ? await readSourceId(folder) : undefined;
    if (sourceId !== undefined) found.push({ sourceId, folder });
  }
  return found;
}
