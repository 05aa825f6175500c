/** A playback while it is watched. */
import { whenAborted } from '../../base/abort.js';
import type { StopListening } from '../../base/listeners.js';
import { Timeline, type EndReason } from '../../media/index.js';
import type { SegmentVideo } from '../../recording/index.js';
import type { FeedEnd, FeedInfo, FeedOptions, FeedSink, SourceFeed } from '../source.js';
import type { Player, PlayerOutput } from './player.js';
import { PlaybackStamps } from './stamps.js';

/** Of what is encoded of it, where nothing else is known. */
const USUAL_FPS = 30;
/** Up to 10 s lead from a keyframe to the frame that is wanted. */
const BURST_FRAMES = 300;
/** Frames that a detector may be behind. */
const MAX_TIMES = 600;

/** The frames of a playback. */
export class RecordedFeed implements SourceFeed {
  readonly info: FeedInfo;
  readonly timeline: Timeline;
  readonly closed: Promise<FeedEnd>;
  readonly restarts = 0;
  readonly lastError = undefined;
  readonly trouble = undefined;
  /** Not where a model looks. */
  readonly wantSeen: ((isWanted: boolean) => void) | undefined;
  readonly #player: Player;
  readonly #output: PlayerOutput;
  readonly #stopListening: StopListening | undefined;
  #resolveClosed!: (end: FeedEnd) => void;
  /** When the newest frames were captured, by their media times. */
  readonly #captured = new Map<number, number>();
  #isSeenWanted = false;
  #end: FeedEnd | undefined;

  constructor(player: Player, video: SegmentVideo, sink: FeedSink, options: FeedOptions) {
    const even = (px: number): number => Math.max(2, px & ~1);
    this.#player = player;
    this.info = {
      widthPx: even(video.widthPx),
      heightPx: even(video.heightPx),
      fps: USUAL_FPS,
      burstFrames: BURST_FRAMES,
      hasAudio: player.format.hasSound,
      delivery: 'passthrough',
      codec: video.codec,
      copiedSize: { widthPx: video.widthPx, heightPx: video.heightPx },
    };
    this.timeline = options.timeline ?? new Timeline();
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#output = {
      sink,
      stamps: new PlaybackStamps(options.clock, this.timeline),
      isSeenWanted: () => this.#isSeenWanted,
      ...(player.model !== undefined && { onFrame: (mediaTimeMs: number, wallMs: number) => this.#delivers(mediaTimeMs, wallMs) }),
      onFormat: () => this.#finish({ reason: 'replaced' }),
    };
    this.#stopListening = whenAborted(options.signal, () => this.#finish({ reason: 'viewer-left' }));
    if (player.model === undefined) {
      this.wantSeen = (isWanted) => {
        this.#isSeenWanted = isWanted;
        if (isWanted) player.wantSeen();
      };
    }
    if (!this.#end) player.attach(this.#output);
  }

  get end(): FeedEnd | undefined {
    return this.#end;
  }

  capturedAt(mediaTimeMs: number): number | undefined {
    return this.#captured.get(mediaTimeMs);
  }

  close(reason: EndReason = 'viewer-left'): Promise<FeedEnd> {
    this.#finish({ reason });
    return this.closed;
  }

  #delivers(mediaTimeMs: number, wallMs: number): void {
    if (this.#captured.size >= MAX_TIMES) for (const oldest of this.#captured.keys()) if (this.#captured.delete(oldest)) break;
    this.#captured.set(mediaTimeMs, wallMs);
  }

  #finish(end: FeedEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#stopListening?.();
    this.#player.detach(this.#output);
    this.#resolveClosed(end);
  }
}
