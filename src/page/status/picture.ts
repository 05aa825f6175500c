/** Watches a source as the page does, for a few seconds: how soon a picture comes, and what the network brings. */
import { watch, type SightlineError } from '/sightline.js';
import { serverUrl } from '../api/address.js';
import { codecOf, type StatsEntry, type StatsReport } from '../shared/stats.js';

/** What was seen. */
export interface PictureFacts {
  /** From the first request to the first picture, ms. */
  readonly firstPictureMs: number;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Such as `H264`; undefined where the browser does not tell. */
  readonly codec: string | undefined;
  /** What came, bits a second. */
  readonly receivedBps: number;
  /** What the server takes the network to carry, kbit/s; undefined: it has not had to say so. */
  readonly estimateKbps: number | undefined;
  /** The quality that the server sends, such as `source`. */
  readonly quality: string;
  /** Of the packets that were sent, [0, 1]. */
  readonly loss: number;
}

interface Counts {
  readonly bytes: number;
  readonly lost: number;
  readonly packets: number;
}

const PICTURE_MS = 15_000;
/** Enough for the server to find out what the network carries. */
const MEASURED_MS = 5_000;

/** @param onPicture told of the first picture @throws SightlineError, or an AbortError */
export async function watchAWhile(
  source: string,
  signal: AbortSignal,
  onPicture: (ms: number, size: string) => void,
): Promise<PictureFacts | undefined> {
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, autoplay: true });
  const startedMs = performance.now();
  let failure: SightlineError | undefined;
  const watching = watch({ server: serverUrl(), source, video, audio: false, signal });
  try {
    const firstMs = await new Promise<number | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), PICTURE_MS);
      const end = (ms: number | undefined): void => (clearTimeout(timer), resolve(ms));
      video.addEventListener('loadeddata', () => end(performance.now() - startedMs), { once: true });
      watching.on('state', ({ state, reason }) => {
        if (state !== 'failed' && state !== 'closed') return;
        failure = reason as SightlineError | undefined;
        end(undefined);
      });
    });
    signal.throwIfAborted();
    if (failure) throw new Error(failure.message);
    if (firstMs === undefined) return undefined;
    onPicture(firstMs, `${video.videoWidth} × ${video.videoHeight}`);
    const before = await watching.stats();
    await passed(MEASURED_MS, signal);
    const after = await watching.stats();
    const { estimate_kbps: estimateKbps, quality } = await qualityOf(watching.sessionUrl);
    const [first, last] = [countsOf(before), countsOf(after)];
    const sent = last.packets - first.packets + (last.lost - first.lost);
    return {
      firstPictureMs: firstMs,
      width: video.videoWidth,
      height: video.videoHeight,
      codec: after && codecOf(after, inbound(after))?.name,
      receivedBps: ((last.bytes - first.bytes) * 8000) / MEASURED_MS,
      estimateKbps: watching.quality?.estimateKbps ?? estimateKbps ?? undefined,
      quality: watching.quality?.quality ?? quality ?? 'source',
      loss: sent > 0 ? Math.max(0, last.lost - first.lost) / sent : 0,
    };
  } finally {
    watching.close();
  }
}

function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), reject(new DOMException('given up', 'AbortError'))), { once: true });
  });
}

function inbound(report: RTCStatsReport | undefined): (StatsEntry & { readonly packetsReceived?: number }) | undefined {
  return [...((report as unknown as StatsReport | undefined)?.values() ?? [])].find(
    ({ type, kind }) => type === 'inbound-rtp' && kind === 'video',
  );
}

function countsOf(report: RTCStatsReport | undefined): Counts {
  const { bytesReceived: bytes = 0, packetsLost: lost = 0, packetsReceived: packets = 0 } = inbound(report) ?? {};
  return { bytes, lost, packets };
}

/** Whoever has the session's address may read what the server knows of its network. */
async function qualityOf(
  sessionUrl: string | undefined,
): Promise<{ readonly estimate_kbps?: number | null; readonly quality?: string | null }> {
  if (sessionUrl === undefined) return {};
  const response = await fetch(`${sessionUrl}/report`, { cache: 'no-store' }).catch(() => undefined);
  const report = (await response?.json().catch(() => undefined)) as { readonly quality?: object | null } | undefined;
  return report?.quality ?? {};
}
