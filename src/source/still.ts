/** Still pictures of sources, for pages that list what there is. */
import { MediaPeerError } from '../errors.js';
import { runTool, SAFE_INPUT, type FfmpegDeps } from '../ffmpeg/index.js';
import type { FileDescription } from './description.js';

/** Where in the file: early, but past the black that many files begin with. */
const AT_S = 1;
/** Pictures that are made at a time; others wait, so that a page of many sources starts no crowd of processes. */
const MAX_AT_ONCE = 2;

interface Still {
  readonly widthPx: number;
  readonly picture: Promise<Buffer>;
}

/** Makes each picture once, and keeps the one of a source that was asked for last until its file changes. */
export class StillPictures {
  readonly #deps: FfmpegDeps;
  readonly #kept = new WeakMap<FileDescription, Still>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(deps: FfmpegDeps) {
    this.#deps = deps;
  }

  /**
   * A JPEG of a picture near the begin of the file, `widthPx` wide, height in proportion.
   * @throws MediaPeerError SOURCE_NOT_PLAYABLE, FFMPEG_FAILED
   */
  get(source: FileDescription, widthPx: number): Promise<Buffer> {
    const kept = this.#kept.get(source);
    if (kept?.widthPx === widthPx) return kept.picture;
    const still: Still = { widthPx, picture: this.#inTurn(() => makeStill(source, widthPx, this.#deps)) };
    this.#kept.set(source, still);
    // A failure is told to those who wait for it, and not kept.
    still.picture.catch(() => {
      if (this.#kept.get(source) === still) this.#kept.delete(source);
    });
    return still.picture;
  }

  async #inTurn<T>(make: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await make();
    } finally {
      // The place goes to the next one in line.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

async function makeStill(source: FileDescription, widthPx: number, deps: FfmpegDeps): Promise<Buffer> {
  const { plan, file, id } = source;
  if (!plan) throw new MediaPeerError('SOURCE_NOT_PLAYABLE', `'${id}' cannot be played: ${source.reason ?? 'it has no video stream'}`);
  const width = widthPx & ~1;
  const height = Math.max(2, 2 * Math.round((width * plan.heightPx) / plan.widthPx / 2));
  const atS = (plan.beginS ?? 0) + Math.min(AT_S, (source.durationS ?? 0) / 4);
  const output = await runTool(
    deps.tools.ffmpegPath,
    [
      ...['-nostdin', '-v', 'error', ...SAFE_INPUT, '-threads', '1', '-ss', atS.toFixed(3), '-i', file, '-map', `0:${plan.videoIndex}`],
      ...['-frames:v', '1', '-vf', `scale=${width}:${height}:flags=bilinear,format=yuvj420p`, '-q:v', '4', '-c:v', 'mjpeg', '-f', 'mjpeg', 'pipe:1'],
    ],
    { ledger: deps.ledger },
  );
  if (output.stdoutBytes.length === 0) {
    const last = output.stderr.trim().split('\n').at(-1)?.replaceAll(file, id) ?? '';
    throw new MediaPeerError('FFMPEG_FAILED', `no still picture could be made of '${id}': ${last}`);
  }
  return output.stdoutBytes;
}
