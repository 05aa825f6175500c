/**
 * Pictures of the past, small: one run of ffmpeg makes those of a whole segment, and they stay beside it for as long as it does.
 * Until the wanted ones are made, the nearest that there are are shown.
 */
import { access, rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { serverClosing } from '../base/refusals.js';
import { NewestFirst } from './newest-first.js';
import { pictureAt, readStrip, stripFile, writeStrip, type PictureStrip } from './picture-strip.js';
import type { RecordedSegment, RecordingArchive } from './recorded.js';
import { soundAlone, throwNotRecorded } from './not-recorded.js';

/** What thumbnails are made of. */
export interface ThumbnailsInit {
  /** What they are of. */
  readonly archive: RecordingArchive;
  /** Keyframes of a file, by the file's own time in milliseconds: one run. @throws MediaPeerError FFMPEG_FAILED */
  readonly readPictures: (file: string, signal: AbortSignal) => Promise<readonly { readonly timeMs: number; readonly jpeg: Buffer }[]>;
  /** Whether there is space to keep them beside their segments: else they are in memory alone. */
  readonly mayKeep: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A picture of the past. */
export interface Thumbnail {
  /** When it was captured, Unix milliseconds. */
  readonly atMs: number;
  /** A whole JPEG. */
  readonly jpeg: Buffer;
  /** Names it: the same for the same picture. */
  readonly tag: string;
  /** `final`: it stays the same; `growing`: its segment is still being written; `nearest`: the wanted one is being made. */
  readonly state: 'final' | 'growing' | 'nearest';
}

/** Strips in memory, 200 KB each. */
const MAX_CACHED = 24;
const MAX_WISHES = 100;
/** Further away, what was to be seen says nothing. */
const NEAR_MS = 600_000;
/** Looked at on each side for pictures that there are. */
const NEAR_SEGMENTS = 12;
/** What is being written is looked at again so often. */
const GROWING_MS = 4000;
/** What could not be read is tried again after so long. */
const DAMAGED_MS = 60_000;

interface Cached {
  readonly strip: PictureStrip;
  readonly madeMs: number;
  readonly isFinal: boolean;
}

/** Makes and keeps the thumbnails of all recordings. */
export class Thumbnails {
  readonly #init: ThumbnailsInit;
  readonly #wishes = new NewestFirst<number, Cached>('requests for thumbnails', MAX_WISHES);
  /** By segment; the longest unused first. */
  readonly #cached = new Map<number, Cached>();
  /** Segments that could not be read. */
  readonly #damaged = new Map<number, { readonly error: MediaPeerError; readonly atMs: number }>();
  readonly #ending = new AbortController();
  readonly #stopListening: () => void;

  constructor(init: ThumbnailsInit) {
    this.#init = init;
    this.#stopListening = init.archive.onChange(({ kind, segment }) => {
      if (kind === 'removed' || kind === 'finished') this.#cached.delete(segment.id);
    });
  }

  /** The picture of a time, Unix milliseconds. @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, RECORDING_DAMAGED, CAPACITY_REACHED */
  async get(sourceId: string, atMs: number): Promise<Thumbnail> {
    const { archive, clock } = this.#init;
    const there = await archive.segments(sourceId, { fromMs: atMs, toMs: atMs + 1 });
    const segment = there.findLast(({ format }) => format.video);
    if (!segment && there.length > 0) throw soundAlone(sourceId, atMs);
    if (!segment) return throwNotRecorded(archive, sourceId, atMs, clock.wallClock());
    const cached = await this.#find(segment);
    if (cached && !this.#isStale(cached, atMs)) return thumbnailOf(segment, cached, atMs);
    // Nobody is to wait for what is not coming.
    const damage = cached ? undefined : this.#damageOf(segment);
    if (damage) throw damage;
    const made = this.#wishes.wish(segment.id, () => this.#make(segment));
    const near = cached ? { segment, cached } : await this.#nearest(segment);
    return near ? { ...thumbnailOf(near.segment, near.cached, atMs), state: 'nearest' } : thumbnailOf(segment, await made, atMs);
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#ending.abort(serverClosing());
    await this.#wishes.close(serverClosing());
  }

  /** In memory, or beside the segment. */
  async #find(segment: RecordedSegment): Promise<Cached | undefined> {
    const known = this.#cached.get(segment.id);
    if (known) return this.#remember(segment.id, known);
    const strip = segment.isOpen ? undefined : await readStrip(stripFile(segment.file));
    return strip && this.#remember(segment.id, { strip, madeMs: this.#init.clock.now(), isFinal: true });
  }

  /** What is written goes on behind the last picture: one that is wanted from there is made anew, now and then. */
  #isStale({ strip, madeMs, isFinal }: Cached, atMs: number): boolean {
    return !isFinal && atMs > (strip.at(-1)?.atMs ?? 0) + GROWING_MS && this.#init.clock.now() - madeMs > GROWING_MS;
  }

  async #nearest(wanted: RecordedSegment): Promise<{ readonly segment: RecordedSegment; readonly cached: Cached } | undefined> {
    const within = { fromMs: wanted.fromMs - NEAR_MS, toMs: wanted.toMs + NEAR_MS };
    const distance = ({ fromMs }: RecordedSegment): number => Math.abs(fromMs - wanted.fromMs);
    const others = (await this.#init.archive.segments(wanted.sourceId, within)).filter(({ id }) => id !== wanted.id);
    for (const segment of others.sort((a, b) => distance(a) - distance(b)).slice(0, 2 * NEAR_SEGMENTS)) {
      if (!this.#cached.has(segment.id) && !(await isThere(stripFile(segment.file)))) continue;
      const cached = await this.#find(segment);
      if (cached) return { segment, cached };
    }
    return undefined;
  }

  async #make(segment: RecordedSegment): Promise<Cached> {
    const pictures = await this.#read(segment);
    const strip = pictures.map(({ timeMs, jpeg }) => ({ atMs: Math.round(segment.fromMs + timeMs), jpeg }));
    // It may have been finished meanwhile, and then holds more than was read.
    const cached = { strip, madeMs: this.#init.clock.now(), isFinal: !segment.isOpen };
    if (cached.isFinal && this.#init.mayKeep()) await this.#keep(segment, strip);
    return this.#remember(segment.id, cached);
  }

  /** What cannot be read is not tried again for each who asks. @throws MediaPeerError RECORDING_DAMAGED */
  async #read(segment: RecordedSegment): ReturnType<ThumbnailsInit['readPictures']> {
    const { readPictures, clock, archive } = this.#init;
    const before = this.#damageOf(segment);
    if (before) throw before;
    try {
      return await readPictures(segment.file, this.#ending.signal);
    } catch (error) {
      if (!(error instanceof MediaPeerError) || error.code !== 'FFMPEG_FAILED') throw error;
      // Who opens it finds out whether the file is still what the index has.
      const reader = await archive.openSegment(segment);
      await reader.close();
      const damage = new MediaPeerError('RECORDING_DAMAGED', `the pictures of that minute cannot be read: ${error.message}`, {
        cause: error,
      });
      this.#damaged.set(segment.id, { error: damage, atMs: clock.now() });
      const [oldest] = this.#damaged.keys();
      if (this.#damaged.size > MAX_WISHES && oldest !== undefined) this.#damaged.delete(oldest);
      throw damage;
    }
  }

  /** Why it could not be read just now; what is being written soon holds more. */
  #damageOf({ id, isOpen }: RecordedSegment): MediaPeerError | undefined {
    const known = this.#damaged.get(id);
    return known && this.#init.clock.now() - known.atMs < (isOpen ? GROWING_MS : DAMAGED_MS) ? known.error : undefined;
  }

  /** A disk that is full keeps nobody from looking. */
  async #keep(segment: RecordedSegment, strip: PictureStrip): Promise<void> {
    const file = stripFile(segment.file);
    try {
      await writeStrip(file, strip);
    } catch (error) {
      return this.#init.logger.debug({ file, reason: messageOf(error) }, 'thumbnails cannot be kept');
    }
    const there = await this.#init.archive.segments(segment.sourceId, segment);
    if (!there.some(({ id }) => id === segment.id)) await rm(file, { force: true });
  }

  #remember(id: number, cached: Cached): Cached {
    this.#cached.delete(id);
    this.#cached.set(id, cached);
    const [oldest] = this.#cached.keys();
    if (this.#cached.size > MAX_CACHED && oldest !== undefined) this.#cached.delete(oldest);
    return cached;
  }
}

function thumbnailOf(segment: RecordedSegment, { strip, isFinal }: Cached, wantedMs: number): Thumbnail {
  const { atMs, jpeg } = pictureAt(strip, wantedMs);
  return { atMs, jpeg, tag: `${segment.id}-${atMs}`, state: isFinal ? 'final' : 'growing' };
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
