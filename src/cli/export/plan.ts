/** Which segments an export is made of, and which of them fit into one file. Found by the files alone: a server may have the index. */
import { messageOf } from '../../base/errors.js';
import { examineSegment, listSegments, listSources, runByRun, segmentTime, type ExaminedSegment } from '../../recording/index.js';
import { CommandError } from '../errors.js';
import { timeText } from '../time.js';
import type { ExportOptions } from './options.js';

/** A segment of an export. */
interface PlannedSegment extends ExaminedSegment {
  /** Absolute path. */
  readonly file: string;
}

/** What goes into one file: same picture, one clock. */
export type PlannedPart = readonly PlannedSegment[];

/** What is made. */
export interface ExportPlan {
  /** At least one. */
  readonly parts: readonly PlannedPart[];
  /** Segments that cannot be read, with why. */
  readonly damaged: readonly string[];
}

/** A clock that is corrected moves by so little; by more it was set. */
const MAX_OVERLAP_MS = 1000;
/** Longer than a segment is, save where a source sends no keyframes for long. */
const LONGEST_MS = 3_600_000 + 120_000;

/** @throws CommandError where nothing is recorded of it then */
export async function planExport(recordDir: string, { sourceId, fromMs = -Infinity, toMs = Infinity }: ExportOptions): Promise<ExportPlan> {
  const sources = await listSources(recordDir).catch((error: unknown) => {
    throw new CommandError(`there are no recordings in ${recordDir}: ${messageOf(error)}`, { cause: error });
  });
  const found = sources.find((source) => source.sourceId === sourceId);
  if (!found) {
    const names = sources.map((source) => source.sourceId).sort();
    throw new CommandError(
      `nothing is recorded of '${sourceId}' in ${recordDir}${names.length === 0 ? '' : `; there is: ${names.join(', ')}`}`,
    );
  }
  const files = await listSegments(found.folder);
  const near = files.filter((file) => {
    const beginMs = segmentTime(file) ?? NaN;
    return beginMs < toMs && beginMs > fromMs - LONGEST_MS;
  });
  const damaged: string[] = [];
  const segments: PlannedSegment[] = [];
  for (const file of near) {
    try {
      const examined = await examineSegment(file);
      if (examined.fromMs < toMs && examined.toMs > fromMs) segments.push({ ...examined, file });
    } catch (error) {
      damaged.push(messageOf(error));
    }
  }
  if (segments.length === 0) throw new CommandError(await nothingThen(sourceId, files, damaged));
  return { parts: partsOf(runByRun(segments)), damaged };
}

function partsOf(segments: readonly PlannedSegment[]): PlannedSegment[][] {
  const parts: PlannedSegment[][] = [];
  for (const segment of segments) {
    const part = parts.at(-1);
    const before = part?.at(-1);
    const fits = before && isSameFormat(before, segment) && segment.fromMs > before.toMs - MAX_OVERLAP_MS;
    if (part && fits) part.push(segment);
    else parts.push([segment]);
  }
  return parts;
}

function isSameFormat(a: PlannedSegment, b: PlannedSegment): boolean {
  return JSON.stringify(a.format.video) === JSON.stringify(b.format.video);
}

async function nothingThen(sourceId: string, files: readonly string[], damaged: readonly string[]): Promise<string> {
  if (damaged.length > 0) return `nothing that was recorded of '${sourceId}' then can be read:\n${damaged.join('\n')}`;
  const [first, last] = [files[0], files.at(-1)];
  if (first === undefined || last === undefined) return `nothing is recorded of '${sourceId}'`;
  const endMs = (await examineSegment(last).catch(() => undefined))?.toMs ?? segmentTime(last) ?? 0;
  return `nothing is recorded of '${sourceId}' then; there is ${timeText(segmentTime(first) ?? 0)} to ${timeText(endMs)}`;
}
