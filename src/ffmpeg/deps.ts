/** What everything that runs ffmpeg is handed down. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { ResourceLedger } from '../base/resources.js';
import type { ProcessCounts } from './process-counts.js';

/** Programs, time and bookkeeping for whatever runs ffmpeg. */
export interface FfmpegDeps {
  /** The programs to run. */
  readonly tools: FfmpegTools;
  readonly clock: Clock;
  /** Every process has an entry here while it runs. */
  readonly ledger: ResourceLedger;
  /** Is told what processes say when they fail. */
  readonly logger: Logger;
  /** Counts processes. Default: nobody does. */
  readonly processes?: ProcessCounts;
}

/** Where ffmpeg is and what it can do. */
export interface FfmpegTools {
  /** Path of `ffmpeg`. */
  readonly ffmpegPath: string;
  /** Path of `ffprobe`. */
  readonly ffprobePath: string;
  /** As the program says it: `5.1.9-0+deb12u1`, `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  /** Names of the encoders it was built with, such as `libx264`. */
  readonly encoders: ReadonlySet<string>;
  /** It has the filters zscale and tonemap. */
  readonly canMapTones: boolean;
  /** The options that hand every frame on with its own time; their name changed with version 5.1. */
  readonly passTimestamps: readonly string[];
  /** The option of each program that bounds what RTSP waits for, in microseconds; before version 5 `-timeout` made it wait for a caller instead. */
  readonly rtspTimeout: Readonly<Record<'ffmpeg' | 'ffprobe', '-timeout' | '-stimeout'>>;
  /** The options before `-i` that read a file at the pace at which it is shown; since 6.1 half a second would come at once. */
  readonly readInRealTime: readonly string[];
}
