/** Everything the library takes from the browser, in one place, so that tests can hand in their own. */
import { browserClock, type Clock } from './clock.js';
import { SightlineError } from './errors.js';

/** What a page is told by its browser. `network`: another network; `frozen`: the page is put aside and may come back; `leaving`: it goes. */
export type PageEvent = 'online' | 'offline' | 'network' | 'visible' | 'hidden' | 'frozen' | 'leaving';

/** What the library takes from its surroundings. */
export interface Environment {
  /** Time and timers. */
  readonly clock: Clock;
  /** Unix time, ms, at which `clock.now()` is 0. Default `performance.timeOrigin`. */
  readonly timeOrigin?: number;
  /** As the global of that name. Rejects where the server cannot be reached. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Throws SightlineError where the browser cannot. */
  readonly createPeerConnection: (configuration: RTCConfiguration) => RTCPeerConnection;
  /** A stream without tracks, to attach to an element. */
  readonly createStream: () => MediaStream;
  /** Whether somebody sees the page. */
  readonly isVisible: () => boolean;
  /** Whether the device has a network, as far as the browser knows. */
  readonly isOnline: () => boolean;
  /** Calls `listener` until the returned function is called. */
  readonly listen: (listener: (event: PageEvent) => void) => () => void;
}

/** The page this runs in. */
export const browserEnvironment: Environment = {
  clock: browserClock,
  fetch: (url, init) => fetch(url, init),
  createPeerConnection(configuration) {
    throwIfUnsupported();
    return new RTCPeerConnection(configuration);
  },
  createStream: () => new MediaStream(),
  isVisible: () => document.visibilityState === 'visible',
  isOnline: () => navigator.onLine,
  listen(listener) {
    const stop = new AbortController();
    const { signal } = stop;
    addEventListener('online', () => listener('online'), { signal });
    addEventListener('offline', () => listener('offline'), { signal });
    addEventListener('pagehide', ({ persisted }) => listener(persisted ? 'frozen' : 'leaving'), { signal });
    document.addEventListener('visibilitychange', () => listener(document.visibilityState === 'visible' ? 'visible' : 'hidden'), {
      signal,
    });
    followNetwork(() => listener('network'), signal);
    return () => stop.abort();
  },
};

/** @throws SightlineError WEBRTC_MISSING, CODEC_MISSING */
function throwIfUnsupported(): void {
  if (typeof RTCPeerConnection !== 'function') throw new SightlineError('WEBRTC_MISSING');
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs;
  if (codecs && !codecs.some(({ mimeType }) => /^video\/(h264|vp8)$/i.test(mimeType))) throw new SightlineError('CODEC_MISSING');
}

/** From Wi-Fi to mobile and back; browsers that do not tell (Firefox, Safari) say `online` where it matters. */
function followNetwork(onChange: () => void, signal: AbortSignal): void {
  const { connection } = navigator as Navigator & { connection?: EventTarget & { readonly type?: string } };
  if (connection?.type === undefined) return;
  let type: string | undefined = connection.type;
  connection.addEventListener(
    'change',
    () => {
      // Estimates of speed change all the time; they are no other network.
      if (connection.type === type) return;
      type = connection.type;
      if (type !== 'none') onChange();
    },
    { signal },
  );
}
