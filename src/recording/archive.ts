/**
 * What was recorded, by source and time: rows of the store, and of each segment that is being written what is known so far. What
 * turns out to be otherwise on disk is put right in the index when somebody meets it.
 */
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { Listeners } from '../base/listeners.js';
import type { Logger } from '../base/logger.js';
import {
  joinStretches,
  type FoundGroup,
  type IndexedSegment,
  type RecordedStretch,
  type RecordedTotals,
  type RecordingIndex,
} from '../store/index.js';
import type {
  GroupPlace,
  RecordedDetections,
  RecordedGroup,
  RecordedSegment,
  RecordingArchive,
  SegmentChange,
  SegmentFormat,
  SegmentReader,
  TimeRange,
} from './recorded.js';
import { clipped, overlaps } from './stretches.js';

/** Where recordings are, and how their files are read. */
export interface ArchiveInit {
  /** The rows. */
  readonly index: RecordingIndex;
  /** Absolute path of RECORD_DIR. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Opens a file that the index knows. @throws MediaPeerError RECORDING_DAMAGED */
  readonly openReader: (segment: RecordedSegment) => Promise<SegmentReader>;
  /** What was seen in a segment, ascending; what is older than `fromMs` may be left out. @throws MediaPeerError RECORDING_DAMAGED */
  readonly readDetections: (segment: RecordedSegment, fromMs: number) => AsyncIterable<RecordedDetections>;
}

/** A segment that is being written. */
interface OpenSegment {
  segment: RecordedSegment;
  readonly groups: GroupPlace[];
}

/** A month of one source in segments of a minute; whoever wants more asks for less time. */
const MAX_SEGMENTS = 50_000;

/** All recordings of this server. */
export class Archive implements RecordingArchive {
  readonly #init: ArchiveInit;
  readonly #changes: Listeners<SegmentChange>;
  /** By id. */
  readonly #open = new Map<number, OpenSegment>();
  #lastId: number;

  /** @throws MediaPeerError STORE_FAILED */
  static async open(init: ArchiveInit): Promise<Archive> {
    const { lastId } = await init.index.ask({ kind: 'recorded-totals', sourceId: undefined });
    const crashed = await init.index.ask({ kind: 'segments', query: { isOpen: true, limit: MAX_SEGMENTS } });
    return new Archive(init, Math.max(lastId, ...crashed.map(({ id }) => id)));
  }

  private constructor(init: ArchiveInit, lastId: number) {
    this.#init = init;
    this.#lastId = lastId;
    this.#changes = new Listeners(init.logger, 'recordings');
  }

  /** A number that no segment and no run has had. */
  nextId(): number {
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(this.#init.clock.wallClock() * 1000));
    return this.#lastId;
  }

  async ranges(sourceId: string, within: TimeRange): Promise<TimeRange[]> {
    // What is being written may be finished before the answer comes: it is in one of both, or in both.
    const open: RecordedStretch[] = this.#openOf(sourceId, within).map(({ segment: { run, fromMs, toMs } }) => ({ run, fromMs, toMs }));
    const rows = await this.#init.index.ask({ kind: 'stretches', sourceId, within });
    return joinStretches([...rows, ...open]).flatMap((stretch) => clipped(stretch, within) ?? []);
  }

  async segments(sourceId: string, within: TimeRange): Promise<RecordedSegment[]> {
    const { fromMs, toMs } = within;
    const open = this.#openOf(sourceId, within).map(({ segment }) => segment);
    const rows = await this.#init.index.ask({ kind: 'segments', query: { sourceId, fromMs, toMs, isOpen: false, limit: MAX_SEGMENTS } });
    const ids = new Set(rows.map(({ id }) => id));
    const all = [...rows.map((row) => this.#recorded(row)), ...open.filter(({ id }) => !ids.has(id))];
    return all.sort((a, b) => a.fromMs - b.fromMs || a.id - b.id);
  }

  async groupBefore(sourceId: string, atMs: number): Promise<RecordedGroup | undefined> {
    const open = this.#openGroups(sourceId).filter((group) => group.atMs <= atMs);
    const row = await this.#init.index.ask({ kind: 'group-before', sourceId, atMs });
    return [...(row ? [this.#found(row)] : []), ...open].sort((a, b) => b.atMs - a.atMs)[0];
  }

  async groupAfter(sourceId: string, atMs: number, run?: number): Promise<RecordedGroup | undefined> {
    const isWanted = ({ segment, ...group }: RecordedGroup): boolean => group.atMs > atMs && (run === undefined || segment.run === run);
    const open = this.#openGroups(sourceId).filter(isWanted);
    const row = await this.#init.index.ask({ kind: 'group-after', sourceId, atMs, run });
    return [...(row ? [this.#found(row)] : []), ...open].sort((a, b) => a.atMs - b.atMs)[0];
  }

  async groups(sourceId: string, within: TimeRange, limit: number): Promise<RecordedGroup[]> {
    const open = this.#openGroups(sourceId).filter(({ atMs }) => atMs >= within.fromMs && atMs < within.toMs);
    const rows = await this.#init.index.ask({ kind: 'groups', sourceId, within, limit });
    const ids = new Set(rows.map(({ segment: { id } }) => id));
    const all = [...rows.map((row) => this.#found(row)), ...open.filter(({ segment: { id } }) => !ids.has(id))];
    return all.sort((a, b) => a.atMs - b.atMs).slice(0, limit);
  }

  openSegment(segment: RecordedSegment): Promise<SegmentReader> {
    return this.#init.openReader(segment);
  }

  async *detections(sourceId: string, within: TimeRange, run?: number): AsyncIterable<RecordedDetections> {
    for (const segment of await this.segments(sourceId, within)) {
      if (run !== undefined && segment.run !== run) continue;
      for await (const each of this.#init.readDetections(segment, within.fromMs)) {
        if (each.wallMs >= within.toMs) break;
        if (each.wallMs >= within.fromMs) yield each;
      }
    }
  }

  async sources(): Promise<string[]> {
    const open = [...this.#open.values()].map(({ segment }) => segment.sourceId);
    const rows = await this.#init.index.ask({ kind: 'recorded-sources' });
    return [...new Set([...rows, ...open])].sort();
  }

  /** How much there is of a source, or of all; what is being written included. @throws MediaPeerError STORE_FAILED */
  async totals(sourceId?: string): Promise<Omit<RecordedTotals, 'lastId'>> {
    // What ends while the index is asked is no row in the answer yet.
    const open = [...this.#open.values()]
      .map(({ segment }) => segment)
      .filter((each) => sourceId === undefined || each.sourceId === sourceId);
    const rows = await this.#init.index.ask({ kind: 'recorded-totals', sourceId });
    const ends = (values: readonly (number | undefined)[]): number[] => values.filter((value) => value !== undefined);
    const begins = ends([rows.fromMs, ...open.map(({ fromMs }) => fromMs)]);
    const lasts = ends([rows.toMs, ...open.map(({ toMs }) => toMs)]);
    return {
      segments: rows.segments + open.length,
      bytes: rows.bytes + open.reduce((sum, { bytes }) => sum + bytes, 0),
      fromMs: begins.length > 0 ? Math.min(...begins) : undefined,
      toMs: lasts.length > 0 ? Math.max(...lasts) : undefined,
    };
  }

  onChange(listener: (change: SegmentChange) => void): () => void {
    return this.#changes.add(listener);
  }

  /** A segment has been begun; returns it with its id. */
  begin(written: Omit<RecordedSegment, 'id'>): RecordedSegment {
    const segment = { ...written, id: this.nextId() };
    this.#open.set(segment.id, { segment, groups: [] });
    this.#init.index.put(this.#indexed(segment));
    this.#changes.tell({ kind: 'begun', segment });
    return segment;
  }

  /** It has become longer. @param groups keyframes that came since */
  grow(segment: RecordedSegment, groups: readonly GroupPlace[]): void {
    const open = this.#open.get(segment.id);
    if (!open) return;
    open.segment = segment;
    open.groups.push(...groups);
    this.#changes.tell({ kind: 'grown', segment });
  }

  /** It is whole. */
  finish(segment: RecordedSegment): void {
    const groups = this.#open.get(segment.id)?.groups ?? [];
    this.#init.index.put(this.#indexed(segment), groups);
    this.#open.delete(segment.id);
    this.#changes.tell({ kind: 'finished', segment });
  }

  /** One that was found on disk, in the place of what was known of it. */
  put(segment: RecordedSegment, groups: readonly GroupPlace[]): void {
    this.#init.index.put(this.#indexed(segment), groups);
    this.#changes.tell({ kind: 'finished', segment });
  }

  /** Their files are gone. */
  forget(segments: readonly RecordedSegment[]): void {
    for (const { id } of segments) this.#open.delete(id);
    this.#init.index.remove(segments.map(({ id }) => id));
    for (const segment of segments) this.#changes.tell({ kind: 'removed', segment });
  }

  /** Whether somebody writes to a file now, whatever the rows say. */
  isBeingWritten(file: string): boolean {
    return [...this.#open.values()].some(({ segment }) => segment.file === file);
  }

  /** Rows as segments. */
  recorded(rows: readonly IndexedSegment[]): RecordedSegment[] {
    return rows.map((row) => this.#recorded(row));
  }

  #openOf(sourceId: string, within: TimeRange): OpenSegment[] {
    return [...this.#open.values()].filter(({ segment }) => segment.sourceId === sourceId && overlaps(segment, within));
  }

  #openGroups(sourceId: string): RecordedGroup[] {
    const ofSource = [...this.#open.values()].filter(({ segment }) => segment.sourceId === sourceId);
    return ofSource.flatMap(({ segment, groups }) => groups.map((group) => ({ ...group, segment })));
  }

  #found({ segment, place }: FoundGroup): RecordedGroup {
    return { ...place, segment: this.#recorded(segment) };
  }

  #recorded({ file, format, ...same }: IndexedSegment): RecordedSegment {
    return { ...same, file: path.join(this.#init.folder, file), format: JSON.parse(format) as SegmentFormat };
  }

  #indexed({ id, sourceId, run, fromMs, toMs, file, bytes, format, isTranscoded, isOpen }: RecordedSegment): IndexedSegment {
    const relative = path.relative(this.#init.folder, file);
    return { id, sourceId, run, fromMs, toMs, file: relative, bytes, format: JSON.stringify(format), isTranscoded, isOpen };
  }
}
