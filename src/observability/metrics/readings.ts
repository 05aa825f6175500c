/** Where metrics are read from: snapshots of the other modules, taken once for each scrape. */
import type { ProcessCounts } from '../../ffmpeg/index.js';
import type { ModelInUse, SourceActivity, SourceCounts } from '../../pipeline/index.js';
import type { MeasuredSession } from '../../webrtc/index.js';
import type { ObservabilityDeps } from '../routes.js';

/** What is read beside the state of the server. */
export interface MetricSources {
  /** As for `/health` and its siblings. */
  readonly state: ObservabilityDeps;
  /** Every session. */
  readonly sessions: () => readonly MeasuredSession[];
  /** What running sources have counted. */
  readonly counts: SourceCounts;
  /** Models that are loaded. */
  readonly models: () => readonly ModelInUse[];
  /** Processes by kind. */
  readonly processes: ProcessCounts;
  /** The UDP port of all sessions; left out where each has ports of its own. */
  readonly udp?: UdpReadings | undefined;
}

/** The UDP port of all sessions. */
interface UdpReadings {
  /** Datagrams that were for nobody. */
  readonly unrouted: number;
  /** Datagrams that the system dropped because its buffer was full; undefined where the system does not tell. */
  receiveDrops(): Promise<number | undefined>;
}

/** What holds at the time of a scrape. */
export interface Reading {
  /** Running sources. */
  readonly activity: readonly SourceActivity[];
  /** Datagrams that the system dropped; undefined where that is not known. */
  readonly receiveDrops: number | undefined;
}

/** What metrics are read from. */
export interface Readings extends MetricSources {
  /** The same for all metrics of a scrape. */
  readonly now: () => Reading;
}
