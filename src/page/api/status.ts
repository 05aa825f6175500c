/** What the server tells administrators of itself: its health in words, who is connected, what runs. */
import { Polled } from './polled.js';

/** What one look found. */
export interface Finding {
  /** `failed`: somebody gets nothing; `warning`: less than was asked for, or soon. */
  readonly state: 'ok' | 'warning' | 'failed';
  /** What was looked at, in a word. */
  readonly what: string;
  /** What is there, or what is wrong and what to do. */
  readonly text: string;
}

/** `GET /health?verbose`; who may not know all gets the first members alone. */
export interface VerboseHealth {
  /** Whether all that runs can be kept running. */
  readonly status: 'ok' | 'degraded';
  /** Since the server started. */
  readonly uptime_s?: number;
  /** Of Sightline. */
  readonly version?: string;
  /** Whether there is a detector. */
  readonly detector_loaded?: boolean;
  /** For administrators. */
  readonly findings?: readonly Finding[];
  /** For administrators. */
  readonly process?: {
    /** User and system time since the start, seconds. */
    readonly cpu_s: number;
    /** Memory that it takes. */
    readonly rss_bytes: number;
  };
  /** Receivers of webhooks. */
  readonly webhooks?: readonly {
    /** Its host. */
    readonly receiver: string;
    /** Events that wait. */
    readonly queued: number;
    /** Why the last delivery failed; null where it did not. */
    readonly last_error: string | null;
  }[];
  /** The MQTT broker; left out: there is none. */
  readonly mqtt?: {
    /** Its address. */
    readonly broker: string;
    /** Whether it is there. */
    readonly connected: boolean;
    /** Events that wait. */
    readonly queued: number;
    /** Why it is not, or does not take all; null where all is well. */
    readonly last_error: string | null;
  };
}

/** Somebody who is connected. */
export interface ConnectedClient {
  /** To send it away by. */
  readonly client_id: string;
  /** What it does. */
  readonly role: 'viewer' | 'publisher';
  /** What it watches, or sends. */
  readonly source: string;
  /** RTCPeerConnectionState. */
  readonly connection_state: string;
  /** Unix seconds. */
  readonly created_at: number;
  /** Such as `host/prflx`; null before there is one. */
  readonly ice_path: string | null;
  /** What went wrong with STUN and TURN servers. */
  readonly ice_troubles: readonly string[];
  /** Null before the first report. */
  readonly round_trip_ms: number | null;
  /** Packets. */
  readonly packets_lost: number;
  /** Frames that it lost because it did not keep up. */
  readonly frames_dropped: number;
  /** `source`, a lower rung, `keyframes` or `sound`. */
  readonly quality?: string | null;
  /** What its network carries. */
  readonly estimate_kbps?: number | null;
  /** How long packets wait in its network. */
  readonly queue_ms?: number | null;
  /** Why it is that quality. */
  readonly switch_reason?: string | null;
  /** Of a wall each shows a source of its own. */
  readonly m_lines: readonly {
    /** Null: nothing. */
    readonly source: string | null;
  }[];
}

/** `GET /connection-stats`. */
export interface ConnectionStats {
  /** Viewers that are connected. */
  readonly active_viewers: number;
  /** Viewers that may be. */
  readonly max_clients: number;
  /** Publishers that are connected. */
  readonly active_publishers: number;
  /** Publishers that may be. */
  readonly max_publishers: number;
  /** All of them. */
  readonly clients: readonly ConnectedClient[];
}

/** A source that runs. */
export interface RunningSource {
  /** Its name. */
  readonly source: string;
  /** Since it began to run. */
  readonly uptime_s: number;
  /** Of its reader. */
  readonly restarts: number;
  /** Why it was started again; null where it was not. */
  readonly last_error: string | null;
  /** Null: it is not recorded. */
  readonly recording: 'recording' | 'waiting' | null;
  /** Null: nobody looks at it. */
  readonly detection: {
    /** Frame in to boxes out. */
    readonly latency_ms: number | null;
  } | null;
  /** What is sent of it. */
  readonly renditions: readonly {
    /** `raw`, `processed` or `audio`. */
    readonly rendition: string;
    /** Bits a second. */
    readonly bitrate_bps: number;
    /** Who watch it. */
    readonly viewers: number;
    /** Handed on as it comes, a second stream, or encoded here. */
    readonly origin: 'copied' | 'layer' | 'encoded';
    /** Because the encoder did not keep up. */
    readonly frames_dropped: number;
  }[];
}

const PERIOD_MS = 3_000;

/** Asked every few seconds while somebody holds it. */
export const verboseHealth = new Polled<VerboseHealth>('/health?verbose', PERIOD_MS);

/** For administrators. */
export const connectionStats = new Polled<ConnectionStats>('/connection-stats', PERIOD_MS);

/** For administrators. */
export const activeStreams = new Polled<{ readonly sources: readonly RunningSource[] }>('/active-streams', PERIOD_MS);
