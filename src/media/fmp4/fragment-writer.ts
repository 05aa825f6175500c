/**
 * Frames in, fragments out: one file of fragmented MP4, in the order in which its bytes are written. A fragment may begin with any
 * frame, so it can be short where groups of pictures are long. Knows no disk and no clock.
 */
import { clockRateHz, type EncodedFrame } from '../encoded-frame.js';
import { readConfiguration } from '../decoder-configuration.js';
import { readLengthPrefixed } from '../nal-units.js';
import { writeFragment, type Sample } from './fragment.js';
import { writeInitialization, type Initialization } from './initialization.js';
import { opusSamples } from './opus-duration.js';
import { isParameterSet } from './video-config.js';

/** Which track a frame belongs to. */
export type TrackKind = 'video' | 'audio';

/** One file. */
export interface FragmentWriterInit extends Initialization {
  /** Media time of the file's first frame: its zero. */
  readonly startMs: number;
}

/** One fragment, to be written at once. */
export interface WrittenFragment {
  /** Its bytes. */
  readonly data: Buffer;
  /** Keyframes in it. */
  readonly groups: readonly { readonly mediaTimeMs: number; readonly bytes: number }[];
  /** Media time at which the newest frame in it ends. */
  readonly endMs: number;
}

interface Pending {
  readonly frame: EncodedFrame;
  readonly data: readonly Buffer[];
  readonly ticks: number;
}

/** Of a picture that nothing follows, before there is anything to go by. */
const USUAL_FRAME_MS = 40;
/** Longest time that a frame is said to last, 10 s of either clock at least; after it there is a gap. */
const MAX_FRAME_TICKS = 900_000;
const NO_UNITS: readonly Buffer[] = [];

/** Writes one file's fragments. */
export class FragmentWriter {
  readonly #init: FragmentWriterInit;
  readonly #pending: Record<TrackKind, Pending[]> = { video: [], audio: [] };
  readonly #lastTicks: Record<TrackKind, number> = { video: -1, audio: -1 };
  #frameTicks = USUAL_FRAME_MS * 90;
  #sequenceNumber = 0;
  #endMs: number;
  /** Parameter sets of the file's beginning, as long as there were no others. */
  #sets: readonly Buffer[];

  constructor(init: FragmentWriterInit) {
    this.#init = init;
    const { video } = init;
    this.#sets = (video && video.codec !== 'vp8' && readConfiguration(video.codec, video.record)) || NO_UNITS;
    this.#endMs = init.startMs;
  }

  /** What the file begins with. @param isComplete everything was taken: the duration is told */
  initialization(isComplete = false): Buffer {
    return writeInitialization(this.#init, isComplete ? this.#endMs - this.#init.startMs : 0);
  }

  /** Media time at which the newest frame ends that was taken. */
  get endMs(): number {
    return this.#endMs;
  }

  /** Media time of the oldest frame that waits; undefined: none does. */
  get pendingFromMs(): number | undefined {
    const first = [this.#pending.video[0], this.#pending.audio[0]].flatMap((each) => (each ? [each.frame.mediaTimeMs] : []));
    return first.length === 0 ? undefined : Math.min(...first);
  }

  /** Whether what waits would last longer than that with a frame of this media time, as long as the ones before. */
  wouldExceed(lengthMs: number, mediaTimeMs: number): boolean {
    const fromMs = this.pendingFromMs;
    return fromMs !== undefined && mediaTimeMs + this.#frameTicks / 90 - fromMs > lengthMs + 0.1;
  }

  /** False where a frame was not taken: no such track, not later than the one before, or not what its codec's frames are. */
  add(kind: TrackKind, frame: EncodedFrame): boolean {
    const ticks = this.#ticksOf(kind, frame.mediaTimeMs);
    const data = this.#sampleData(kind, frame);
    if (data.length === 0 || ticks <= this.#lastTicks[kind]) return false;
    if (kind === 'video' && this.#lastTicks.video >= 0) this.#frameTicks = Math.min(ticks - this.#lastTicks.video, MAX_FRAME_TICKS);
    this.#lastTicks[kind] = ticks;
    this.#pending[kind].push({ frame, data, ticks });
    return true;
  }

  /** Takes back sound that waits and is not earlier than that, for another file. */
  withdrawAudio(fromMs: number): EncodedFrame[] {
    const at = this.#pending.audio.findIndex(({ frame }) => frame.mediaTimeMs >= fromMs);
    if (at < 0) return [];
    const taken = this.#pending.audio.splice(at);
    this.#lastTicks.audio = (taken[0] as Pending).ticks - 1;
    return taken.map(({ frame }) => frame);
  }

  /** A fragment of all that waits; undefined: nothing does. @param nextVideoMs media time of the picture that follows, where it is known */
  take(nextVideoMs?: number): WrittenFragment | undefined {
    const { video, audio } = this.#pending;
    if (video.length === 0 && audio.length === 0) return undefined;
    const nextTicks = nextVideoMs === undefined ? undefined : this.#ticksOf('video', nextVideoMs);
    const samples = {
      video: video.map((each, at) => sample(each, (video[at + 1]?.ticks ?? nextTicks ?? each.ticks + this.#frameTicks) - each.ticks)),
      audio: audio.map((each, at) => sample(each, (audio[at + 1]?.ticks ?? each.ticks + opusSamples(each.frame.data)) - each.ticks)),
    };
    const data = writeFragment({ sequenceNumber: ++this.#sequenceNumber, anchorMs: this.#init.anchorMs, ...samples });
    const groups = video
      .filter(({ frame }) => frame.keyframe)
      .map(({ frame }) => ({ mediaTimeMs: frame.mediaTimeMs, bytes: frame.data.length }));
    this.#pending.video = [];
    this.#pending.audio = [];
    const ends = [endOf(samples.video, 90_000), endOf(samples.audio, 48_000)];
    this.#endMs = Math.max(this.#endMs, ...ends.map((end) => this.#init.startMs + end));
    return { data, groups, endMs: this.#endMs };
  }

  /** Parameter sets of the file's beginning stand nowhere else; from a keyframe with others on, they stand in front of each. Empty: not what the codec's frames are. */
  #sampleData(kind: TrackKind, { data, keyframe }: EncodedFrame): readonly Buffer[] {
    const { video, hasSound } = this.#init;
    if (kind === 'audio') return hasSound && data.length > 0 ? [data] : NO_UNITS;
    if (!video || data.length === 0) return NO_UNITS;
    const { codec } = video;
    if (codec === 'vp8') return [data];
    const units = readLengthPrefixed(data) ?? NO_UNITS;
    if (!keyframe) return units.length === 0 ? NO_UNITS : [data];
    const sets = units.filter((unit) => isParameterSet(codec, unit));
    if (sets.some((set) => !this.#sets.some((known) => known.equals(set)))) this.#sets = NO_UNITS;
    const kept = this.#sets === NO_UNITS ? units : units.filter((unit) => !sets.includes(unit));
    return kept.flatMap((unit) => [lengthOf(unit), unit]);
  }

  #ticksOf(kind: TrackKind, mediaTimeMs: number): number {
    const codec = kind === 'audio' ? 'opus' : (this.#init.video?.codec ?? 'h264');
    return Math.round(((mediaTimeMs - this.#init.startMs) * clockRateHz(codec)) / 1000);
  }
}

function sample({ frame, data, ticks }: Pending, durationTicks: number): Sample {
  return {
    ...{ data, ticks, keyframe: frame.keyframe },
    bytes: data.reduce((sum, { length }) => sum + length, 0),
    durationTicks: Math.min(Math.max(1, durationTicks), MAX_FRAME_TICKS),
  };
}

function endOf(samples: readonly Sample[], clockHz: number): number {
  const last = samples.at(-1);
  return last ? ((last.ticks + last.durationTicks) * 1000) / clockHz : 0;
}

function lengthOf(unit: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(unit.length);
  return length;
}
