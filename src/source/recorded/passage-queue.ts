/** What was read of a recording and is not due yet: pictures and sound in their own order, bounded in time and bytes. */
import type { RecordedFrame, RecordedSegment } from '../../recording/index.js';
import type { SeenThen } from '../../recording/index.js';

/** A frame that waits. */
export interface QueuedVideo {
  /** Tells it from the others. */
  readonly kind: 'video';
  /** The frame. */
  readonly frame: RecordedFrame;
  /** That it is of. */
  readonly segment: RecordedSegment;
  /** What was seen in it; undefined: nobody wants to know. */
  readonly seen: SeenThen | undefined;
}

type Queued =
  | QueuedVideo
  | { readonly kind: 'audio'; readonly frame: RecordedFrame }
  | { readonly kind: 'gap'; readonly toMs: number; readonly reason: string | undefined };

/** Read ahead, of what is played in a second. */
const AHEAD_MS = 1_000;
/** Of frames that wait, however short a time they last. */
const MAX_BYTES = 8 * 1024 * 1024;

/** What waits. */
export class PassageQueue {
  #pictures: Exclude<Queued, { kind: 'audio' }>[] = [];
  #sound: Extract<Queued, { kind: 'audio' }>[] = [];
  #bytes = 0;
  #wake: (() => void) | undefined;
  #isClosed = false;

  /** What is due next. */
  get next(): Queued | undefined {
    const [picture] = this.#pictures;
    const [sound] = this.#sound;
    if (!picture || !sound) return picture ?? sound;
    return sound.frame.wallMs <= timeOf(picture) ? sound : picture;
  }

  add(item: Queued): void {
    if (this.#isClosed) return;
    if (item.kind === 'audio') this.#sound.push(item);
    else this.#pictures.push(item);
    this.#bytes += bytesOf(item);
  }

  /** Takes `next` out. */
  shift(): void {
    const { next } = this;
    if (!next) return;
    if (next.kind === 'audio') this.#sound.shift();
    else this.#pictures.shift();
    this.#bytes -= bytesOf(next);
    this.#wake?.();
  }

  /** Resolves when more may be read. @param speed of the playback */
  async room(speed: number): Promise<void> {
    while (!this.#isClosed && this.#isFull(speed)) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  /** Forgets everything. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#pictures = [];
    this.#sound = [];
    this.#wake?.();
  }

  #isFull(speed: number): boolean {
    const [first] = this.#pictures;
    const last = this.#pictures.at(-1);
    const spanMs = first && last ? timeOf(last) - timeOf(first) : 0;
    return this.#bytes > MAX_BYTES || spanMs > AHEAD_MS * Math.max(1, speed);
  }
}

function timeOf(item: Queued): number {
  return item.kind === 'gap' ? item.toMs : item.frame.wallMs;
}

function bytesOf(item: Queued): number {
  return item.kind === 'gap' ? 0 : item.frame.frame.data.length;
}
