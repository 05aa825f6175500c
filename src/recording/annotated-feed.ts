/** Decodes the frames of a clip, draws what was seen then into each of them, and hands them to its encoder: no more at a time than is under way. */
import {
  matroskaOpusHeader,
  matroskaPictureHeader,
  matroskaSoundHeader,
  matroskaHeader,
  openDecoder,
  type Decoder,
  type FfmpegDeps,
} from '../ffmpeg/index.js';
import { i420Size, type EncodedFrame, type FrameDetections, type TrackedObject, type VideoFrame } from '../media/index.js';
import type { ClipFrame } from './clip-frames.js';
import type { ClipPlan } from './clip-plan.js';
import type { ClipProcess } from './clip-process.js';
import type { DetectionsThen } from './seen-then.js';

/** Draws objects into a picture that nobody else holds. */
export type Draw = (picture: VideoFrame, objects: readonly TrackedObject[]) => void;

/** What is annotated, and where it goes. */
export interface AnnotatedFeedInit {
  /** For its decoder. */
  readonly deps: FfmpegDeps;
  /** Of the clip. */
  readonly plan: ClipPlan;
  /** What encodes it. */
  readonly process: ClipProcess;
  /** What was seen then; whoever opened it closes it. */
  readonly seen: DetectionsThen;
  /** What draws it. */
  readonly draw: Draw;
}

/** Frames inside the decoder and pictures on their way out of it. */
const MAX_UNDER_WAY = 8;
/** For the encoder's rate control alone. */
const NOMINAL_FPS = 30;

/** When, and in which run, a frame was captured. */
type Captured = Pick<ClipFrame, 'wallMs' | 'run'>;

/** Feeds one annotated clip. */
export class AnnotatedFeed {
  readonly #init: AnnotatedFeedInit;
  readonly #decoder: Decoder;
  /** When frames that are under way were captured, by their time in the clip. */
  readonly #captured = new Map<number, Captured>();
  readonly #pictures: VideoFrame[] = [];
  #written = 0;
  #drawn = 0;
  #isOver = false;
  #headerWritten = false;
  #lastStamp = -1;
  #wake: () => void = () => undefined;

  constructor(init: AnnotatedFeedInit) {
    this.#init = init;
    const { codec, widthPx, heightPx } = init.plan.video;
    this.#decoder = openDecoder({
      ...init.deps,
      owner: `clip of ${init.plan.request.sourceId}`,
      codec,
      widthPx,
      heightPx,
      maxWaiting: 2 * MAX_UNDER_WAY,
      onPicture: (picture) => {
        this.#pictures.push(picture.retain());
        this.#wake();
      },
    });
    void this.#decoder.closed.then(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** Takes the next frame; waits while enough are under way. @throws MediaPeerError FFMPEG_FAILED */
  async write({ kind, frame, wallMs, run }: ClipFrame): Promise<void> {
    if (kind === 'audio') return this.#writeSound(frame);
    this.#captured.set(frame.mediaTimeMs, { wallMs, run });
    if (this.#decoder.write(frame)) this.#written++;
    await this.#drawDown(MAX_UNDER_WAY);
  }

  /** Everything was handed over: the last pictures are drawn. @throws MediaPeerError FFMPEG_FAILED */
  finish(): Promise<void> {
    return this.#drawDown(1);
  }

  /** Ends the decoder. */
  async close(): Promise<void> {
    await this.#decoder.close();
    for (const picture of this.#pictures.splice(0)) picture.release();
  }

  get #underWay(): number {
    return this.#written - this.#drawn - this.#decoder.swallowed;
  }

  /** Draws what has come, until less than so many frames are under way. A decoder gives a picture before it reads the next frame. */
  async #drawDown(below: number): Promise<void> {
    while (this.#pictures.length > 0 || this.#underWay >= below) {
      const picture = this.#pictures.shift();
      if (picture) await this.#draw(picture);
      else if (this.#isOver) throw (await this.#decoder.closed).error ?? new Error('the decoder ended before the clip did');
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #draw(picture: VideoFrame): Promise<void> {
    this.#drawn++;
    try {
      const captured = this.#capturedAt(picture.mediaTimeMs);
      const message = captured && (await this.#init.seen.at(captured.wallMs, captured.run)).message;
      if (message) this.#init.draw(picture, scaled(message, picture));
      await this.#writePicture(picture);
    } finally {
      picture.release();
    }
  }

  /** Forgets what came before, too. */
  #capturedAt(mediaTimeMs: number): Captured | undefined {
    const captured = this.#captured.get(mediaTimeMs);
    for (const time of this.#captured.keys()) if (time <= mediaTimeMs) this.#captured.delete(time);
    return captured;
  }

  async #writePicture(picture: VideoFrame): Promise<void> {
    const stamp = Math.max(this.#lastStamp + 1, Math.round(picture.mediaTimeMs));
    this.#lastStamp = stamp;
    const head = this.#header(picture);
    await this.#init.process.write([...head, matroskaPictureHeader(stamp, i420Size(picture.widthPx, picture.heightPx)), picture.data]);
  }

  /** Sound before the first picture is none of the clip's. */
  async #writeSound(frame: EncodedFrame): Promise<void> {
    if (!this.#headerWritten) return;
    await this.#init.process.write([matroskaOpusHeader(Math.round(frame.mediaTimeMs), frame.data.length), frame.data]);
  }

  #header({ widthPx, heightPx, colour }: VideoFrame): Buffer[] {
    if (this.#headerWritten) return [];
    this.#headerWritten = true;
    const header = this.#init.plan.hasSound
      ? matroskaSoundHeader(widthPx, heightPx, NOMINAL_FPS, colour)
      : matroskaHeader(widthPx, heightPx, NOMINAL_FPS, undefined, colour);
    return [header];
  }
}

/** Boxes are told in the pixels of the picture as it was then. */
function scaled({ widthPx, heightPx, objects }: FrameDetections, picture: VideoFrame): readonly TrackedObject[] {
  const [across, down] = [picture.widthPx / widthPx, picture.heightPx / heightPx];
  if (across === 1 && down === 1) return objects;
  return objects.map(({ box: [x, y, width, height], ...object }) => ({
    ...object,
    box: [x * across, y * down, width * across, height * down] as const,
  }));
}
