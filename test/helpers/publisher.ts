/** Somebody who publishes real encoded pictures to a room, at their own pace, as a camera does. */
import { execFileSync } from 'node:child_process';
import { FlvParser } from '../../src/ffmpeg/index.js';
import { IvfParser } from '../../src/ffmpeg/ivf.js';
import { systemClock } from '../../src/base/clock.js';
import { ResourceLedger } from '../../src/base/resources.js';
import {
  KeyframeRequests,
  type EncodedFrame,
  type EndReason,
  type Publication,
  type PublicationRequest,
  type VideoCodec,
} from '../../src/media/index.js';
import type { LiveRooms } from '../../src/source/index.js';

export interface ClipOptions {
  readonly codec: VideoCodec;
  /** Default `320x180`. */
  readonly size?: string;
  /** Default 30. */
  readonly fps?: number;
  /** Default 2; only the first frame is a keyframe. */
  readonly seconds?: number;
  /** A filter of ffmpeg's lavfi without size and rate. Default `testsrc2`. */
  readonly pattern?: string;
}

const clips = new Map<string, readonly EncodedFrame[]>();

/** Encoded frames from 0 ms on, made by ffmpeg as WebRTC encoders make them. */
export function encodedClip(options: ClipOptions): readonly EncodedFrame[] {
  const { codec, size = '320x180', fps = 30, seconds = 2, pattern = 'testsrc2' } = options;
  const key = JSON.stringify([codec, size, fps, seconds, pattern]);
  const known = clips.get(key);
  if (known) return known;
  const gop = String(fps * seconds);
  const encoder =
    codec === 'h264'
      ? [
          '-c:v',
          'libx264',
          '-preset',
          'superfast',
          '-tune',
          'zerolatency',
          '-profile:v',
          'baseline',
          '-bf',
          '0',
          '-g',
          gop,
          '-keyint_min',
          gop,
          '-sc_threshold',
          '0',
          '-f',
          'flv',
        ]
      : [
          '-c:v',
          'libvpx',
          '-deadline',
          'realtime',
          '-cpu-used',
          '8',
          '-lag-in-frames',
          '0',
          '-auto-alt-ref',
          '0',
          '-g',
          gop,
          '-b:v',
          '800k',
          '-f',
          'ivf',
        ];
  const separator = pattern.includes('=') ? ':' : '=';
  const bytes = execFileSync(
    'ffmpeg',
    [
      '-nostdin',
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `${pattern}${separator}size=${size}:rate=${fps}:duration=${seconds}`,
      '-pix_fmt',
      'yuv420p',
      ...encoder,
      'pipe:1',
    ],
    { maxBuffer: 64 << 20 },
  );
  const frames: EncodedFrame[] = [];
  const add = (frame: EncodedFrame): void =>
    void frames.push({ data: frame.data, keyframe: frame.keyframe, mediaTimeMs: (frames.length * 1000) / fps });
  (codec === 'h264' ? new FlvParser(add) : new IvfParser(add)).push(bytes);
  clips.set(key, frames);
  return frames;
}

/** 20 ms of Opus: silence (RFC 6716 §3.1, one byte of TOC and two of frame). */
const SILENCE = Buffer.from([0xfc, 0xff, 0xfe]);

export interface FakePublisherOptions extends ClipOptions {
  readonly room: string;
  /** Default `cam`. */
  readonly clientId?: string;
  readonly takeover?: boolean;
  readonly hasAudio?: boolean;
  /** Where its clock begins. Default 1000000.25 ms. */
  readonly originMs?: number;
}

export class FakePublisher {
  readonly publication: Publication;
  /** What was sent, as the room got it. */
  readonly sent: EncodedFrame[] = [];
  readonly #keyframes = new KeyframeRequests(systemClock(new ResourceLedger()), () => (this.#next = 0));
  readonly reconnects: string[] = [];
  endReason: EndReason | undefined;
  isAlive = true;
  readonly #options: FakePublisherOptions;
  #clip: readonly EncodedFrame[];
  #stepMs: number;
  #next = 0;
  #timeMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** Publishes; frames come with `start` or `send`. */
  constructor(rooms: LiveRooms, options: FakePublisherOptions) {
    this.#options = options;
    this.#clip = encodedClip(options);
    this.#stepMs = 1000 / (options.fps ?? 30);
    this.#timeMs = options.originMs ?? 1_000_000.25;
    const request: PublicationRequest = {
      room: options.room,
      clientId: options.clientId ?? 'cam',
      takeover: options.takeover ?? false,
      video: options.codec,
      hasAudio: options.hasAudio ?? false,
      aliveForMs: () => (this.isAlive ? 2000 : 0),
      requestKeyframe: () => this.#keyframes.request(),
      requestReconnect: (reason) => void this.reconnects.push(reason),
      end: (reason) => {
        this.endReason = reason;
        this.stop();
        this.#keyframes.close();
      },
    };
    this.publication = rooms.publish(request);
  }

  /** Sends one frame after the other, at once. */
  send(count = 1): void {
    for (let i = 0; i < count; i++) {
      const frame = { ...(this.#clip[this.#next] as EncodedFrame), mediaTimeMs: this.#timeMs };
      this.#next = (this.#next + 1) % this.#clip.length;
      this.#timeMs += this.#stepMs;
      this.sent.push(frame);
      if (frame.keyframe) this.#keyframes.answered();
      this.publication.video(frame);
    }
  }

  /** Sends at the clip's rate until `stop`. */
  start(): this {
    const startedMs = performance.now();
    const firstMs = this.#timeMs;
    let soundMs = firstMs;
    this.#timer = setInterval(() => {
      const nowMs = firstMs + performance.now() - startedMs;
      while (this.#timeMs <= nowMs) this.send();
      for (; this.#options.hasAudio === true && soundMs <= nowMs; soundMs += 20)
        this.publication.audio({ data: SILENCE, mediaTimeMs: soundMs, keyframe: true });
    }, 5);
    return this;
  }

  /** Goes on with other pictures, as a phone that is turned or a browser on a bad network; they begin with a keyframe. */
  change(clip: Partial<ClipOptions>): void {
    this.#clip = encodedClip({ ...this.#options, ...clip });
    this.#stepMs = 1000 / (clip.fps ?? this.#options.fps ?? 30);
    this.#next = 0;
  }

  /** Sends nothing more; it is connected still. */
  stop(): void {
    clearInterval(this.#timer);
    this.#keyframes.answered();
  }

  /** Requests for a keyframe that came, merged. */
  get keyframeRequests(): number {
    return this.#keyframes.sent;
  }

  /** Ends the publication. */
  leave(how: 'left' | 'lost'): void {
    this.stop();
    this.#keyframes.close();
    this.publication.close(how);
  }
}
