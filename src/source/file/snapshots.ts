/** Snapshots of recorded files, for pages that list what there is. */
import { whenAborted } from '../../base/abort.js';
import { MediaPeerError } from '../../base/errors.js';
import { sourceNotPlayable } from '../../base/refusals.js';
import { runTool, SAFE_INPUT, type FfmpegDeps, type ToolOutput } from '../../ffmpeg/index.js';
import { Turns } from '../../base/turns.js';
import type { FileDescription } from '../description.js';
import { uprightPictures } from '../media-run.js';

/** Where in the file: early, but past the black that many files begin with. */
const AT_S = 1;
/** Sizes of a source's picture that are kept: those of a list, of a player, of a phone. */
const MAX_KEPT_SIZES = 4;

interface KeptSnapshot {
  readonly picture: Promise<Buffer>;
  /** Gives it up; where nobody waits for it any more. */
  readonly stop: AbortController;
  waiting: number;
}

/** How snapshots of files are made. */
export interface FileSnapshotsInit extends FfmpegDeps {
  /** Awaited before each picture is made: what is more urgent goes first. Never rejects. Default: nothing is. */
  readonly whenFree?: (signal: AbortSignal | undefined) => Promise<void>;
}

/** Makes one picture at a time and each once, and keeps those of a source in the sizes that were asked for last until its file changes. */
export class FileSnapshots {
  readonly #deps: FfmpegDeps;
  readonly #turns: Turns;
  readonly #kept = new WeakMap<FileDescription, Map<number, KeptSnapshot>>();

  constructor({ whenFree, ...deps }: FileSnapshotsInit) {
    this.#deps = deps;
    this.#turns = new Turns({ atOnce: 1, what: 'snapshots', ...(whenFree && { whenFree }) });
  }

  /**
   * A JPEG of a picture near the begin of the file, `widthPx` wide, height in proportion. @param signal aborted by one who wants it no more
   * @throws MediaPeerError SOURCE_NOT_PLAYABLE, FFMPEG_FAILED, CAPACITY_REACHED; the signal's reason
   */
  async get(source: FileDescription, widthPx: number, signal?: AbortSignal): Promise<Buffer> {
    const snapshot = this.#snapshot(source, widthPx);
    snapshot.waiting++;
    const stopListening = whenAborted(signal, () => {
      if (--snapshot.waiting === 0) snapshot.stop.abort();
    });
    try {
      return await snapshot.picture;
    } finally {
      stopListening();
    }
  }

  #snapshot(source: FileDescription, widthPx: number): KeptSnapshot {
    const sizes = this.#kept.get(source) ?? new Map<number, KeptSnapshot>();
    this.#kept.set(source, sizes);
    const kept = sizes.get(widthPx);
    if (kept && !kept.stop.signal.aborted) {
      // The one that was asked for last goes last.
      sizes.delete(widthPx);
      sizes.set(widthPx, kept);
      return kept;
    }
    const stop = new AbortController();
    const snapshot: KeptSnapshot = {
      picture: this.#turns.run(() => makeSnapshot(source, widthPx, this.#deps), stop.signal),
      stop,
      waiting: 0,
    };
    sizes.set(widthPx, snapshot);
    for (const oldest of [...sizes.keys()].slice(0, -MAX_KEPT_SIZES)) sizes.delete(oldest);
    // A failure is told to those who wait for it, and not kept.
    snapshot.picture.catch(() => {
      if (sizes.get(widthPx) === snapshot) sizes.delete(widthPx);
    });
    return snapshot;
  }
}

async function makeSnapshot(source: FileDescription, widthPx: number, deps: FfmpegDeps): Promise<Buffer> {
  const { plan, file, id } = source;
  if (!plan) throw sourceNotPlayable(id, source.reason ?? 'it has no video stream');
  const width = widthPx & ~1;
  const height = Math.max(2, 2 * Math.round((width * plan.heightPx) / plan.widthPx / 2));
  const atS = (plan.beginS ?? 0) + Math.min(AT_S, (source.durationS ?? 0) / 4);
  const make = (seek: readonly string[]): Promise<ToolOutput> =>
    runTool(
      deps.tools.ffmpegPath,
      [
        ...[
          '-nostdin',
          '-v',
          'error',
          ...SAFE_INPUT,
          '-threads',
          '1',
          '-noautorotate',
          ...seek,
          '-i',
          file,
          '-map',
          `0:${plan.videoIndex}`,
        ],
        ...[
          '-frames:v',
          '1',
          '-vf',
          uprightPictures({ ...plan, widthPx: width, heightPx: height }, [], 'jpeg').join(','),
          '-q:v',
          '4',
          '-c:v',
          'mjpeg',
          '-f',
          'mjpeg',
          'pipe:1',
        ],
      ],
      { ledger: deps.ledger },
    );
  let output = await make(['-ss', atS.toFixed(3)]);
  // Of a file whose only keyframe is its first a container without an index finds nothing behind that: its first picture does.
  if (output.stdoutBytes.length === 0) output = await make([]);
  if (output.stdoutBytes.length === 0) {
    const last = output.stderr.trim().split('\n').at(-1)?.replaceAll(file, id) ?? '';
    throw new MediaPeerError('FFMPEG_FAILED', `no snapshot could be made of '${id}'${last === '' ? '' : `: ${last}`}`);
  }
  return output.stdoutBytes;
}
