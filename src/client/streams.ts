/**
 * One MediaStream for each rendition that stays the same over all connections: a video element keeps its last picture
 * until the next connection has one, and nobody has to attach anything again.
 */
import type { Environment } from './environment.js';
import type { Rendition } from './viewing.js';

/** What can be attached. */
export type TrackName = Rendition | 'audio';

/** A track of the present connection. */
export interface WatchedTrack {
  /** Which of them it is. */
  readonly name: TrackName;
  /** Of the present connection; another one comes with the next. */
  readonly track: MediaStreamTrack;
  /** Holds the track, and later those that follow it. */
  readonly stream: MediaStream;
  /** What receives it, for statistics and `jitterBufferTarget`. */
  readonly receiver: RTCRtpReceiver;
}

/** Elements that show it. */
export type Elements = Partial<Record<TrackName, HTMLMediaElement>>;

/** The streams of one watching. */
export class Streams {
  readonly #env: Environment;
  readonly #elements: Elements;
  readonly #streams = new Map<TrackName, MediaStream>();
  /** Stream that sound shares with a picture; undefined where it has one of its own. */
  readonly #soundWith: Rendition | undefined;

  constructor(env: Environment, elements: Elements, soundWith: Rendition | undefined) {
    this.#env = env;
    this.#elements = elements;
    this.#soundWith = soundWith;
  }

  /** Shows a connection's tracks: at once where nothing is shown, else each when its media comes. */
  take(transceivers: ReadonlyMap<TrackName, RTCRtpTransceiver>, onTrack: (track: WatchedTrack) => void): void {
    for (const [name, { receiver }] of transceivers) {
      const { track } = receiver;
      const stream = this.#stream(name);
      putInto(stream, track);
      onTrack({ name, track, stream, receiver });
    }
  }

  /** The element that shows it; undefined where the page attaches it itself. */
  elementOf(name: TrackName): HTMLMediaElement | undefined {
    return this.#elements[name];
  }

  /** Takes everything off the elements. */
  close(): void {
    for (const element of Object.values(this.#elements)) element.srcObject = null;
  }

  #stream(name: TrackName): MediaStream {
    const holder = name === 'audio' ? (this.#soundWith ?? name) : name;
    let stream = this.#streams.get(holder);
    if (!stream) {
      stream = this.#env.createStream();
      this.#streams.set(holder, stream);
      const element = this.#elements[holder];
      if (element) element.srcObject = stream;
    }
    return stream;
  }
}

/** Has a stream hold that track in place of the one before: at once where there is none, else when its media comes. */
export function putInto(stream: MediaStream, track: MediaStreamTrack): void {
  const swap = (): void => {
    for (const other of stream.getTracks()) if (other.kind === track.kind && other !== track) stream.removeTrack(other);
    stream.addTrack(track);
  };
  const isFirst = stream.getTracks().every(({ kind }) => kind !== track.kind);
  if (isFirst || !track.muted) swap();
  else track.addEventListener('unmute', swap, { once: true });
}
