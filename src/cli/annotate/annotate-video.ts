/** One run: reads a video, looks, draws, writes; the files are there at its end, or not at all. */
import path from 'node:path';
import { annotate, LabelRenderer, type Detector } from '../../detection/index.js';
import type { FfmpegDeps } from '../../ffmpeg/index.js';
import { writeDetections } from '../../media/index.js';
import { CommandError } from '../errors.js';
import { openInput, type InputVideo } from './input-video.js';
import type { AnnotateOptions } from './options.js';
import { discard, LineWriter, planOutput, publish, type OutputFile } from '../output-files.js';
import { PictureReader } from './picture-reader.js';
import { FileDetection } from './file-detection.js';
import { Summary } from './summary.js';
import { VideoWriter, whySoundFails } from './video-writer.js';

/** What a run is built on. */
export interface AnnotateDeps extends FfmpegDeps {
  /** Loads the detector; asked once everything else is known to be right. */
  readonly openDetector: () => Promise<Detector>;
  /** Where the options name none. */
  readonly detectFps: number;
  /** Stops the run; nothing is left then. */
  readonly signal: AbortSignal;
  /** Called after each picture; `expected` is an estimate. */
  readonly onProgress?: (pictures: number, expected: number | undefined) => void;
}

/**
 * The run's summary in words.
 * @throws CommandError, MediaPeerError; the signal's reason when it is aborted. No file is left or changed then.
 */
export async function annotateVideo(options: AnnotateOptions, deps: AnnotateDeps): Promise<string> {
  const startedMs = deps.clock.now();
  const video = await planOutput(options.output, options.input, options.overwrite);
  const lines = options.detections === undefined ? undefined : await planOutput(options.detections, options.input, options.overwrite);
  if (lines?.file === video.file) throw new CommandError('the video and the detections need a file each');
  const input = await openInput(options.input, deps);
  const outputs = lines ? [video, lines] : [video];
  const detector = await deps.openDetector();
  try {
    const { summary, audioProblem } = await runWithSoundThatPlays(input, { video, lines }, detector, options, deps);
    // What is complete stands even when the last signal came too late.
    await publish(outputs);
    const text = summary.text(options.output, deps.clock.now() - startedMs, isWhole(options) ? input.pictures : undefined, detector.model);
    return audioProblem === undefined ? text : `${text}\nThere is no sound in it: ${audioProblem}.`;
  } finally {
    await detector.close();
    await discard(outputs);
  }
}

interface Outputs {
  readonly video: OutputFile;
  readonly lines: OutputFile | undefined;
}

/** Once more without its sound where that cannot be read to the end: the pictures are what is wanted. */
async function runWithSoundThatPlays(
  input: InputVideo,
  outputs: Outputs,
  detector: Detector,
  options: AnnotateOptions,
  deps: AnnotateDeps,
): Promise<{ readonly summary: Summary; readonly audioProblem: string | undefined }> {
  try {
    return { summary: await run(input, outputs, detector, options, deps), audioProblem: input.audioProblem };
  } catch (error) {
    const audioProblem = deps.signal.aborted || !input.audio ? undefined : await whySoundFails(input, options, deps);
    if (audioProblem === undefined) throw error;
    return { summary: await run({ ...input, audio: undefined }, outputs, detector, options, deps), audioProblem };
  }
}

async function run(
  input: InputVideo,
  outputs: Outputs,
  detector: Detector,
  options: AnnotateOptions,
  deps: AnnotateDeps,
): Promise<Summary> {
  const sourceId = path.parse(input.file).name;
  const detection = new FileDetection({ detector, sourceId, detectFps: options.detectFps ?? deps.detectFps, minScore: options.minScore });
  const labels = new LabelRenderer({ labels: detector.model.labels, logger: deps.logger });
  await labels.prepare(input.heightPx);
  const summary = new Summary();
  const lines = outputs.lines && (await LineWriter.open(outputs.lines));
  const reader = new PictureReader(input, options, deps);
  let writer: VideoWriter | undefined;
  const stop = (): void => void Promise.all([reader.close(), writer?.close()]);
  deps.signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const picture of reader) {
      deps.signal.throwIfAborted();
      writer ??= new VideoWriter({ input, range: options, file: outputs.video.scratch, firstTimeMs: picture.mediaTimeMs }, deps);
      const { objects, detections } = await detection.look(picture);
      if (detections) await lines?.write(writeDetections(detections));
      annotate(picture, objects, labels);
      summary.add(picture.mediaTimeMs, detections);
      await writer.write(picture);
      deps.onProgress?.(summary.pictures, expectedPictures(input, options));
    }
    deps.signal.throwIfAborted();
    if (!writer) throw new CommandError(nothingRead(input, options));
    await writer.finish();
    return summary;
  } catch (error) {
    deps.signal.throwIfAborted();
    throw error;
  } finally {
    deps.signal.removeEventListener('abort', stop);
    await Promise.all([reader.close(), writer?.close(), lines?.close()]);
  }
}

function nothingRead({ file, durationS }: InputVideo, options: AnnotateOptions): string {
  if (isWhole(options)) return `${file} cannot be annotated: none of its pictures can be decoded`;
  return `${file} has no picture there${durationS === undefined ? '' : `; it lasts ${durationS.toFixed(2)} s`}`;
}

function isWhole({ fromS, durationS }: AnnotateOptions): boolean {
  return fromS === 0 && durationS === undefined;
}

function expectedPictures({ pictures, durationS, fps }: InputVideo, options: AnnotateOptions): number | undefined {
  if (isWhole(options) && pictures !== undefined) return pictures;
  if (durationS === undefined) return undefined;
  return Math.max(1, Math.round(Math.min(options.durationS ?? Infinity, durationS - options.fromS) * fps));
}
