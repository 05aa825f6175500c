/** Somebody who publishes the same pictures in several sizes at once to a room, as a browser does, and stops some of them. */
import type { Clock } from '../../src/base/clock.js';
import type { EncodedFrame, EndReason, Publication, VideoCodec } from '../../src/media/index.js';
import type { LiveRooms } from '../../src/source/index.js';
import { encodedClip } from './publisher.js';

export const FRAME_MS = 1000 / 30;

export interface SimulcastOptions {
  readonly rooms: LiveRooms;
  readonly clock: Clock;
  /** Rids in the order of the offer. Default `q;h;f`. */
  readonly layers?: readonly string[];
  /** Default vp8. */
  readonly codec?: VideoCodec;
}

export class SimulcastPublisher {
  /** Of its layers by their rids. */
  readonly sizes: Record<string, string> = { q: '160x90', h: '320x180', f: '640x360' };
  /** Layers that are sent. */
  readonly sending: Set<string>;
  /** Layers of which keyframes were asked for, each time. */
  readonly asked: string[] = [];
  readonly publication: Publication;
  readonly codec: VideoCodec;
  /** False: a keyframe that is asked for does not come. */
  answers = true;
  endReason: EndReason | undefined;
  readonly #clock: Clock;
  readonly #next = new Map<string, number>();
  readonly #sentAtMs = new Map<string, number>();
  #frames = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Publishes to `gate`; frames come with `start` or `sendFrame`. */
  constructor({ rooms, clock, layers = ['q', 'h', 'f'], codec = 'vp8' }: SimulcastOptions) {
    this.#clock = clock;
    this.codec = codec;
    this.sending = new Set(layers);
    this.publication = rooms.publish({
      room: 'gate',
      clientId: 'cam',
      takeover: false,
      video: codec,
      layers,
      hasAudio: false,
      aliveForMs: () => 2000,
      // A real clock goes on between two looks at it.
      silentForMs: (layer) => clock.now() + 0.01 * Math.random() - (this.#sentAtMs.get(layer) ?? -Infinity),
      requestKeyframe: (layer = '') => {
        this.asked.push(layer);
        if (this.answers) this.#next.set(layer, 0);
      },
      requestReconnect: () => undefined,
      end: (reason) => {
        this.endReason = reason;
        this.stop();
      },
    });
  }

  /** Sends one captured frame in every layer that is sent. @param damaged layers whose packets come, and whose frames cannot be decoded */
  sendFrame(damaged: readonly string[] = []): void {
    for (const layer of this.sending) {
      this.#sentAtMs.set(layer, this.#clock.now());
      const clip = encodedClip({ codec: this.codec, size: this.sizes[layer] ?? '', seconds: 2 });
      const next = this.#next.get(layer) ?? 0;
      if (damaged.includes(layer) && next !== 0) {
        this.publication.keyframeNeeded(layer);
        continue;
      }
      this.#next.set(layer, next + 1 === clip.length ? 1 : next + 1);
      this.publication.video({ ...(clip[next] as EncodedFrame), mediaTimeMs: this.#frames * FRAME_MS }, layer);
    }
    this.#frames++;
  }

  /** Sends at 30 frames a second until `stop`. */
  start(): this {
    const [startedMs, first] = [performance.now(), this.#frames];
    this.#timer = setInterval(() => {
      while ((this.#frames - first) * FRAME_MS <= performance.now() - startedMs) this.sendFrame();
    }, 5);
    return this;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The next frames of it that are sent begin with a keyframe, as of an encoder that starts again. */
  restart(layer: string): void {
    this.sending.add(layer);
    this.#next.set(layer, 0);
  }
}
