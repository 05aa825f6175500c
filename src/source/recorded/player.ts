/** One playback: where it is, how fast it goes, and who takes its frames. It outlives what is opened of it, so that nothing is lost when a format changes. */
import type { Clock } from '../../base/clock.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import type { PlaybackPosition, PlaybackState } from '../../media/index.js';
import type { RecordedGroup, RecordedSegment, RecordingArchive, SegmentFormat } from '../../recording/index.js';
import { frameAway } from './frame-away.js';
import { FASTEST_WHOLE, Passage, type PassageOutput, type ShownFrame } from './passage.js';
import { placeOf } from './place.js';

/** What is played. */
export interface PlayerInit {
  /** What was recorded. */
  readonly archive: RecordingArchive;
  /** Whose recording it is. */
  readonly sourceId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it begins. */
  readonly atMs: number;
  /** That holds that time. */
  readonly group: RecordedGroup;
  /** What is played from now on is of that format. */
  readonly onFormat?: (format: SegmentFormat) => void;
}

/** Who takes the frames of a playback. */
export interface PlayerOutput extends Omit<PassageOutput, 'fits'> {
  /** What follows is of another format, which `Player.format` tells: this one gets no more. */
  readonly onFormat: () => void;
}

/** So near to the present, a playback has caught up with it. */
const PRESENT_MS = 1_000;

/** A playback. */
export class Player {
  readonly #init: PlayerInit;
  readonly #changes: Listeners<PlaybackPosition>;
  readonly #catchingUp: Listeners;
  #format: SegmentFormat;
  #atMs: number;
  /** That holds it, where that is known. */
  #group: RecordedGroup | undefined;
  /** Of this playback, whatever is opened of it. */
  #shown: ShownFrame | undefined;
  #speed = 1;
  #state: 'waiting' | PlaybackState = 'waiting';
  /** Held by its viewer, whatever it does. */
  #output: PlayerOutput | undefined;
  #passage: Passage | undefined;
  #hasCaughtUp = false;
  #model: string | undefined;

  constructor(init: PlayerInit) {
    this.#init = init;
    this.#atMs = init.atMs;
    this.#group = init.group;
    this.#format = init.group.segment.format;
    this.#changes = new Listeners(init.logger, `playback of ${init.sourceId}`);
    this.#catchingUp = new Listeners(init.logger, `playback of ${init.sourceId}`);
  }

  /** Of the frames that come now. */
  get format(): SegmentFormat {
    return this.#format;
  }

  /** The model that looks at it; undefined: what was seen then is told. */
  get model(): string | undefined {
    return this.#model;
  }

  get position(): PlaybackPosition {
    const state = this.#state === 'waiting' ? 'playing' : this.#state;
    return { atMs: this.#atMs, mediaTimeMs: this.#shown?.mediaTimeMs, speed: this.#speed, state, model: this.#model };
  }

  /** Delivers there from now on, beginning with the frame that is shown. */
  attach(output: PlayerOutput): void {
    this.#output = output;
    // Its time may be another one.
    this.#shown = undefined;
    this.#restart(this.#atMs, this.#group);
  }

  /** Delivers there no more. */
  detach(output: PlayerOutput): void {
    if (this.#output !== output) return;
    this.#output = undefined;
    this.#passage?.close();
    this.#passage = undefined;
  }

  /** Somebody wants to know what is seen from now on: also in the frame that is shown. */
  wantSeen(): void {
    const passage = this.#passage;
    if (!passage || !this.#shown) return;
    const { wallMs, mediaTimeMs, segment } = this.#shown;
    // Never rejects.
    void passage.seenAt(wallMs, segment).then(({ objects, message }) => {
      if (this.#passage !== passage) return;
      this.#output?.sink.seen?.({ mediaTimeMs, objects, message: message && { ...message, mediaTimeMs, wallMs } });
    });
  }

  begin(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'playing';
    this.#passage?.begin();
  }

  async seek(atMs: number): Promise<void> {
    const group = await placeOf(this.#init, atMs);
    if (!this.#fits(group.segment)) return this.#changeFormat(group.segment, atMs, group);
    this.#jump(atMs, group);
  }

  /** Another model looks, or (undefined) none. */
  setModel(model: string | undefined): void {
    if (model === this.#model) return;
    this.#model = model;
    this.#reopen(this.#atMs);
    this.#tell();
  }

  setSpeed(speed: number): void {
    const wasWhole = this.#speed <= FASTEST_WHOLE;
    this.#speed = speed;
    // Those who got keyframes alone lack what the next frames refer to.
    if (!wasWhole && speed <= FASTEST_WHOLE) this.#jump(this.#atMs);
    else this.#passage?.set({ speed });
    this.#tell();
  }

  pause(): void {
    this.#state = 'paused';
    this.#passage?.set({ isRunning: false });
    this.#tell();
  }

  resume(): void {
    if (this.#isRunning) return;
    this.#hasCaughtUp = false;
    const hadEnded = this.#state === 'end';
    this.#state = 'playing';
    if (hadEnded) this.#restart(this.#atMs);
    else this.#passage?.set({ isRunning: true });
    this.#tell();
  }

  async step(frames: number): Promise<void> {
    this.#state = 'paused';
    this.#passage?.set({ isRunning: false });
    if (frames < 0 || this.#speed > FASTEST_WHOLE) return this.#jump(await frameAway(this.#init, this.#atMs, frames));
    if (frames > 0) await this.#passage?.step(frames);
    this.#tell();
  }

  onChange(listener: (position: PlaybackPosition) => void): () => void {
    return this.#changes.add(listener);
  }

  onCaughtUp(listener: () => void): () => void {
    return this.#catchingUp.add(listener);
  }

  get #isRunning(): boolean {
    return this.#state === 'playing' || this.#state === 'gap';
  }

  #fits({ format: { video } }: RecordedSegment): boolean {
    const now = this.#format.video;
    return video?.codec === now?.codec && video?.widthPx === now?.widthPx && video?.heightPx === now?.heightPx;
  }

  /** A model that looks would take what it followed before for what is there now: it begins anew. */
  #jump(targetMs: number, group?: RecordedGroup): void {
    if (this.#model === undefined) this.#restart(targetMs, group);
    else this.#reopen(targetMs, group);
  }

  /** @param targetMs shown first @param group that holds it, where that is known */
  #restart(targetMs: number, group?: RecordedGroup): void {
    this.#passage?.close();
    this.#passage = undefined;
    this.#atMs = targetMs;
    this.#group = group;
    this.#hasCaughtUp = false;
    if (this.#state === 'end') this.#state = 'playing';
    const output = this.#output;
    if (!output) return;
    let hasArrived = false;
    this.#passage = new Passage({
      ...this.#init,
      targetMs,
      group,
      speed: this.#speed,
      isRunning: this.#isRunning,
      output: { ...output, fits: (segment) => this.#fits(segment) },
      onShown: (frame) => {
        this.#show(frame, !hasArrived);
        hasArrived = true;
      },
      onGap: (toMs, notice) => this.#gap(toMs, notice),
      onFormat: (segment, wallMs) => this.#changeFormat(segment, wallMs),
      onDry: (isEnd) => this.#dry(isEnd),
    });
  }

  #show(frame: ShownFrame, isFirst: boolean): void {
    this.#atMs = frame.wallMs;
    this.#group = undefined;
    this.#shown = frame;
    const wasGap = this.#state === 'gap';
    if (wasGap) this.#state = 'playing';
    if (isFirst || wasGap) this.#tell();
    if (this.#isRunning && Math.abs(this.#init.clock.wallClock() - frame.wallMs) <= PRESENT_MS) this.#catchUp();
  }

  #gap(toMs: number, notice: string | undefined): void {
    if (this.#state === 'playing') this.#state = 'gap';
    this.#changes.tell({ ...this.position, state: 'gap', atMs: toMs, mediaTimeMs: undefined, notice });
    if (this.#model !== undefined) this.#reopen(toMs);
  }

  #dry(isEnd: boolean): void {
    if (isEnd && this.#isRunning) {
      this.#state = 'end';
      this.#hasCaughtUp = false;
    }
    if (this.#state === 'end' || this.#isRunning) this.#catchUp();
  }

  #catchUp(): void {
    if (this.#hasCaughtUp) return;
    this.#hasCaughtUp = true;
    this.#catchingUp.tell();
  }

  #changeFormat({ format }: RecordedSegment, wallMs: number, group?: RecordedGroup): void {
    this.#format = format;
    this.#init.onFormat?.(format);
    this.#reopen(wallMs, group);
  }

  /** Whoever opens it again goes on there. */
  #reopen(wallMs: number, group?: RecordedGroup): void {
    this.#passage?.close();
    this.#passage = undefined;
    this.#atMs = wallMs;
    this.#group = group;
    const output = this.#output;
    this.#output = undefined;
    output?.onFormat();
  }

  #tell(): void {
    this.#changes.tell(this.position);
  }
}
