/**
 * Which of a file's streams are played. Files hold previews, cover pictures, second cameras, commentaries and whole
 * programmes beside what people mean: whoever made the file marks that as the default, and else it is the largest.
 */
import { isKnown, type Disposition, type ListedStream, type Listing } from './listing.js';

/** A stream of which packets were found. */
export interface Candidate {
  /** The stream, as ffprobe lists it. */
  readonly stream: ListedStream;
  /** Packets that are shown. */
  readonly count: number;
}

/** Pictures beside a film, and films that cannot be played by themselves. */
const BESIDE: readonly (keyof Disposition)[] = ['attached_pic', 'timed_thumbnails', 'still_image', 'dependent', 'non_diegetic'];
/** Sound for some people only. */
const SPECIAL: readonly (keyof Disposition)[] = [
  'comment',
  'hearing_impaired',
  'visual_impaired',
  'descriptions',
  'karaoke',
  'clean_effects',
  'dependent',
  'non_diegetic',
];

/**
 * Video streams that may be played, best first: what is marked as the film, moves, is the default, is largest, has the
 * most pictures, comes first.
 */
export function rankVideos(candidates: readonly Candidate[]): Candidate[] {
  const usable = candidates.filter(
    ({ stream, count }) =>
      stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1 && isKnown(stream.codec_name) && hasSize(stream) && count > 0,
  );
  return best(usable, ({ stream, count }) => [
    isNone(stream, BESIDE),
    count > 1,
    stream.disposition?.default === 1,
    (stream.width ?? 0) * (stream.height ?? 0),
    count,
  ]);
}

/** Sound streams that may be played with that video, best first: of its programme, the default, for everybody, stereo rather than mono, the first. */
export function rankAudios(candidates: readonly Candidate[], video: ListedStream, listing: Listing): Candidate[] {
  const strangers = strangersTo(video, listing);
  const usable = candidates.filter(
    ({ stream, count }) => stream.codec_type === 'audio' && isKnown(stream.codec_name) && count > 0 && !strangers.has(stream.index),
  );
  return best(usable, ({ stream }) => [stream.disposition?.default === 1, isNone(stream, SPECIAL), Math.min(2, stream.channels ?? 0)]);
}

/** Whether it can be shown at all. */
export function hasSize({ width, height }: ListedStream): boolean {
  return width !== undefined && height !== undefined && width > 0 && height > 0;
}

/** Streams of other programmes of a broadcast. */
function strangersTo(video: ListedStream, { programs = [] }: Listing): ReadonlySet<number> {
  const indices = programs.map(({ streams = [] }) => streams.map(({ index }) => index));
  const own = new Set(indices.filter((program) => program.includes(video.index)).flat());
  return new Set(own.size === 0 ? [] : indices.flat().filter((index) => !own.has(index)));
}

function isNone({ disposition }: ListedStream, names: readonly (keyof Disposition)[]): boolean {
  return names.every((name) => disposition?.[name] !== 1);
}

/** By the first figure that differs, larger first; else in the order of the file. */
function best(candidates: readonly Candidate[], figuresOf: (candidate: Candidate) => readonly (number | boolean)[]): Candidate[] {
  const ranked = candidates.map((candidate) => ({ candidate, figures: figuresOf(candidate).map(Number) }));
  ranked.sort((a, b) => a.figures.map((figure, i) => (b.figures[i] ?? 0) - figure).find((difference) => difference !== 0) ?? 0);
  return ranked.map(({ candidate }) => candidate);
}
