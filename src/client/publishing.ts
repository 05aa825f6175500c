/** Publishing a camera to a room: `publish(...)` and what it returns. Signalling is WHIP (RFC 9725). */
import { answerPing } from './commands.js';
import { offerCaptureTime } from './capture-extension.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import { browserEnvironment, type Environment } from './environment.js';
import { SightlineError } from './errors.js';
import { parsedObject } from './json.js';
import { KeptConnection, type ConnectionEvents, type ConnectionOptions } from './kept-connection.js';
import type { State } from './reconnector.js';
import { PeerLink, type Exchange } from './peer-link.js';
import { withStartBitrate } from './sdp.js';
import { addressAt, pathAt } from './server-address.js';
import { ServerSession, linkedIceServers, request } from './server-session.js';

/** Phones have hardware for it, and every viewer can play both. */
const CODECS: readonly string[] = ['video/H264', 'video/VP8'];
/** Parts of a codec list that are no codecs of their own. */
const HELPERS = /^video\/(rtx|red|ulpfec|flexfec-03)$/i;

/** Tells the server which session this one continues, so that the room and its viewers stay. Other servers pass it over. */
const REPLACES = 'sightline-replaces';

/** What the server asks of a camera. */
export interface PublisherCommand {
  /** Such as `reconnect`. */
  readonly command: string;
  /** Why, for a person. Default: none is given. */
  readonly reason?: string;
}

/** Encodings of a simulcast, the smallest first: a browser on a bad network keeps those. */
const LAYERS: readonly { readonly rid: string; readonly scaleResolutionDownBy: number }[] = [
  { rid: 'q', scaleResolutionDownBy: 4 },
  { rid: 'h', scaleResolutionDownBy: 2 },
  { rid: 'f', scaleResolutionDownBy: 1 },
];

/** Enough for a clear picture of 720p that does not move much; the estimate of the network decides from then on. */
const START_KBPS = 1000;

/** What `publishing.on` tells. */
export interface PublishEvents extends ConnectionEvents {
  /** The server asked for something; `reconnect` is obeyed by itself. */
  readonly command: PublisherCommand;
  /** Trouble with the camera (`CAMERA_SILENT`). */
  readonly error: SightlineError;
}

/** What to publish, where, and whom to tell. */
export interface PublishOptions extends ConnectionOptions {
  /** One video track, one audio track, or both. It stays the caller's: closing does not stop it. */
  readonly stream: MediaStream;
  /** 1-64 of `[A-Za-z0-9._-]`; viewers watch the source of this name. */
  readonly room: string;
  /** Bearer token of the room. */
  readonly token?: string;
  /** Upper limit of the video, bit/s; of several encodings that of the largest. Default: what the browser finds the network to carry. */
  readonly maxBitrateBps?: number;
  /**
   * Sends the video in its own size, in half and in a quarter of it at once, where the network carries that: viewers on slow
   * links get a smaller one, which costs the server no encoding, and the camera about a third more. Default false.
   */
  readonly simulcast?: boolean;
  /** As `on('command', ...)`. */
  readonly onCommand?: (command: PublisherCommand) => void;
}

/** Publishes until `close`. Does not throw: trouble is a state. */
export function publish(options: PublishOptions, env: Environment = browserEnvironment): Publishing {
  return new Publishing(options, env);
}

/** A camera that is published, until `close`. */
export class Publishing {
  readonly #env: Environment;
  readonly #options: PublishOptions;
  readonly #connection: KeptConnection;
  readonly #events: Emitter<PublishEvents>;
  /** By kind; they change with `replaceTrack`. */
  readonly #tracks = new Map<string, MediaStreamTrack>();
  #senders: RTCRtpSender[] = [];
  #maxBitrateBps: number | undefined;

  /** @internal */
  constructor(options: PublishOptions, env: Environment) {
    this.#env = env;
    this.#options = options;
    this.#maxBitrateBps = options.maxBitrateBps;
    // Video first: viewers and recorders of one m-line take that.
    for (const track of [...options.stream.getVideoTracks(), ...options.stream.getAudioTracks()]) {
      if (!this.#tracks.has(track.kind)) this.#tracks.set(track.kind, track);
    }
    const { onState, onCommand, onStats, onError } = options;
    this.#events = new Emitter({ state: onState, command: onCommand, stats: onStats, error: onError });
    this.#connection = new KeptConnection({
      env,
      options,
      open: (signal) => this.#open(signal),
      onLink: () => undefined,
      onState: (change) => this.#events.emit('state', change),
      onAbort: () => this.close(),
      onStats: (report) => this.#events.emit('stats', report),
      framesOf: (report) => sentOf(report, this.#tracks.has('video') ? 'video' : 'audio'),
      // A camera that gives nothing is told of; another connection would not change it.
      onSilence: (remedy) => {
        if (remedy === 'keyframe') this.#events.emit('error', new SightlineError('CAMERA_SILENT'));
      },
      // Nobody looks at a camera's own page.
      waitsWhileHidden: false,
      mayReturn: true,
    });
  }

  /** Calls `listener` with each event of that name, until the returned function is called. */
  on<Name extends keyof PublishEvents>(name: Name, listener: (value: PublishEvents[Name]) => void): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /** What holds now. */
  get state(): State {
    return this.#connection.state;
  }

  /** Name of the room, and of the source that viewers watch. */
  get room(): string {
    return this.#options.room;
  }

  /** Address of the session: who knows it can end it, or read its report. Undefined before the server has answered. */
  get sessionUrl(): string | undefined {
    return this.#connection.link?.session?.url;
  }

  /** Sends another track in place of the one of its kind: the other camera, another microphone. Needs no negotiation. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    const before = this.#tracks.get(track.kind);
    this.#tracks.set(track.kind, track);
    await this.#senders.find((sender) => sender.track === before)?.replaceTrack(track);
  }

  /** Upper limit of the video, bit/s, of several encodings that of the largest; undefined: none. */
  async setMaxBitrate(maxBitrateBps: number | undefined): Promise<void> {
    this.#maxBitrateBps = maxBitrateBps;
    const sender = this.#senders.find(({ track }) => track?.kind === 'video');
    if (!sender) return;
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings.filter(isLargest)) {
      if (maxBitrateBps === undefined) delete encoding.maxBitrate;
      else encoding.maxBitrate = maxBitrateBps;
    }
    await sender.setParameters(parameters);
  }

  /** Of the present connection; undefined where there is none. */
  async stats(): Promise<RTCStatsReport | undefined> {
    return this.#connection.link?.pc.getStats();
  }

  /** Connects again at once: "try again". */
  reconnect(): void {
    this.#connection.reconnect();
  }

  /** Ends it. The tracks stay the caller's. Idempotent. */
  close(): void {
    this.#connection.close();
  }

  async #open(signal: AbortSignal): Promise<PeerLink> {
    const link = new PeerLink({
      env: this.#env,
      iceServers: this.#connection.iceServers,
      exchange: (sdp, stop) => this.#exchange(sdp, stop),
    });
    try {
      const senders = [...this.#tracks.values()].map((track) => this.#send(link.pc, track));
      this.#listen(link.pc.createDataChannel('commands'));
      await link.open(signal);
      this.#senders = senders;
      this.#connection.link?.forget();
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  #send(pc: RTCPeerConnection, track: MediaStreamTrack): RTCRtpSender {
    const isVideo = track.kind === 'video';
    const limit = isVideo && this.#maxBitrateBps !== undefined ? { maxBitrate: this.#maxBitrateBps } : {};
    const layers: readonly RTCRtpEncodingParameters[] = isVideo && this.#options.simulcast === true ? LAYERS : [{}];
    const sendEncodings = layers.map((layer) => ({ ...layer, ...(isLargest(layer) && limit) }));
    const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [this.#options.stream], sendEncodings });
    offerCaptureTime(transceiver);
    if (isVideo) preferCodecs(transceiver);
    return transceiver.sender;
  }

  #listen(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (answerPing(channel, data)) return;
      const { command, reason } = parsedObject(data) ?? {};
      if (typeof command !== 'string') return;
      this.#events.emit('command', { command, ...(typeof reason === 'string' && { reason }) });
      if (command === 'reconnect')
        this.#connection.reconnect(new SightlineError('RECONNECT_ASKED', typeof reason === 'string' ? reason : undefined));
    });
  }

  /** @throws SightlineError */
  async #exchange(sdp: string, signal: AbortSignal): Promise<Exchange> {
    const { server, headers: authorized, iceServers } = this.#connection;
    const url = new URL(`whip/${encodeURIComponent(this.#options.room)}`, server).href;
    const headers = {
      ...authorized,
      'content-type': 'application/sdp',
      ...(this.sessionUrl !== undefined && { [REPLACES]: pathAt(server, this.sessionUrl) }),
    };
    const response = await request(this.#env, url, { method: 'POST', headers, body: sdp, signal });
    const [answer, location] = [await response.text(), response.headers.get('location')];
    if (location === null || !answer.startsWith('v=0')) throw new SightlineError('ANSWER_INVALID');
    iceServers.learn(linkedIceServers(response.headers.get('link')));
    const session = new ServerSession({
      env: this.#env,
      url: addressAt(server, location),
      tag: response.headers.get('etag'),
      headers: authorized,
      takesCandidates: true,
    });
    return { sdp: withStartBitrate(answer, START_KBPS), session };
  }
}

/** Of the encodings of a track. */
function isLargest({ scaleResolutionDownBy = 1 }: RTCRtpEncodingParameters): boolean {
  return scaleResolutionDownBy === 1;
}

/** Frames of video, packets of audio. */
function sentOf(report: RTCStatsReport, kind: string): number {
  let sent = 0;
  report.forEach((entry: { type: string; kind?: string; framesSent?: number; packetsSent?: number }) => {
    if (entry.type === 'outbound-rtp' && entry.kind === kind) sent += (kind === 'video' ? entry.framesSent : entry.packetsSent) ?? 0;
  });
  return sent;
}

/** H.264, then VP8, and nothing that would have to be converted. A browser that cannot say keeps its own order. */
function preferCodecs(transceiver: RTCRtpTransceiver): void {
  const codecs = typeof RTCRtpSender === 'function' ? RTCRtpSender.getCapabilities('video')?.codecs : undefined;
  if (!codecs) return;
  const preferred = CODECS.flatMap((name) => codecs.filter(({ mimeType }) => mimeType.toLowerCase() === name.toLowerCase()));
  if (preferred.length === 0) return;
  try {
    transceiver.setCodecPreferences([...preferred, ...codecs.filter(({ mimeType }) => HELPERS.test(mimeType))]);
  } catch {
    // What can be sent and what can be received differ on some devices; the server picks what it can take.
  }
}
