/** Watching a source: `watch(...)` and what it returns. */
import type { DetectionsMessage } from './detection-message.js';
import { DetectionsChannel } from './detections-channel.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import { browserEnvironment, type Environment } from './environment.js';
import { SightlineError, errorOf } from './errors.js';
import type { Remedy } from './frame-watch.js';
import { KeptConnection, type ConnectionEvents, type ConnectionOptions } from './kept-connection.js';
import { LatencyMeter, type Latency } from './latency.js';
import { MessageTimeline } from './message-timeline.js';
import type { QualityChange } from './quality.js';
import type { Position } from './position.js';
import type { State } from './reconnector.js';
import type { PeerLink } from './peer-link.js';
import { hasJustStarted } from './server-state.js';
import { Streams, type Elements, type WatchedTrack } from './streams.js';
import { Viewing, type ConnectionTimes, type Rendition } from './viewing.js';

/** Without a frame for this long, a page that is shown again does not wait to see. */
const STALE_MS = 2_000;

/** What `watching.on` tells. */
export interface WatchEvents extends ConnectionEvents {
  /** A track of each connection. Its stream stays the same over all of them: attach it once. */
  readonly track: WatchedTrack;
  /** What was seen in one frame; listening opens the channel. */
  readonly detections: DetectionsMessage;
  /** How old the picture is, by stage, once a second: of an element of `video`, where browser and server tell. */
  readonly latency: Latency;
  /** The server sends another quality, and why. Not told while it is `source` from the start. */
  readonly quality: QualityChange;
  /** Where the viewer is in time: at each change, and once a second while it watches a recording. */
  readonly position: Position;
  /** Trouble that leaves the picture as it is: a detector that was taken away. */
  readonly error: SightlineError;
}

/** What to watch, where it is shown, and whom to tell. */
export interface WatchOptions extends ConnectionOptions {
  /** Name of the source. Default: the server's choice. */
  readonly source?: string;
  /** Renditions that can be looked at, one video m-line each. Default: `['raw']`. */
  readonly tracks?: readonly Rendition[];
  /** Those of them that are sent from the start. Default: all. */
  readonly active?: readonly Rendition[];
  /** Ask for sound. Default true. */
  readonly audio?: boolean;
  /** Elements that show it. One element shows the first of `tracks`, with sound. */
  readonly video?: HTMLVideoElement | Elements;
  /** What was recorded of the source, from then on, Unix seconds. Default: the present. */
  readonly at?: number;
  /** 1-64 of `[A-Za-z0-9._-]`. Default: the server makes one up. */
  readonly clientId?: string;
  /** As `on('track', ...)`. */
  readonly onTrack?: (track: WatchedTrack) => void;
  /** As `on('detections', ...)`. */
  readonly onDetections?: (message: DetectionsMessage) => void;
  /** As `on('latency', ...)`. */
  readonly onLatency?: (latency: Latency) => void;
  /** As `on('quality', ...)`. */
  readonly onQuality?: (change: QualityChange) => void;
  /** As `on('position', ...)`. */
  readonly onPosition?: (position: Position) => void;
}

/** Which detections are sent. */
export interface DetectionFilter {
  /** [0, 1]. Default 0. */
  readonly minScore?: number;
  /** Labels. Default: all. */
  readonly classes?: readonly string[];
}

/** Watches a source until `close`. Does not throw: trouble is a state. */
export function watch(options: WatchOptions, env: Environment = browserEnvironment): Watching {
  return new Watching(options, env);
}

/** A source that is watched, until `close`. */
export class Watching {
  readonly #env: Environment;
  readonly #options: WatchOptions;
  readonly #connection: KeptConnection;
  readonly #events: Emitter<WatchEvents>;
  readonly #history: Readonly<Record<Rendition, MessageTimeline>> = { raw: new MessageTimeline(), processed: new MessageTimeline() };
  readonly #streams: Streams;
  readonly #tracks: readonly Rendition[];
  #source: string | undefined;
  #active: readonly Rendition[];
  #filter: DetectionFilter | undefined;
  #quality: QualityChange | undefined;
  /** A callback that waits for the next frame that is shown. */
  #askedFrame: { readonly video: HTMLVideoElement; readonly id: number } | undefined;
  /** Where the server said last that the viewer is; undefined while it watches the present. */
  #position: Position | undefined;
  /** What was asked for; undefined: nothing, so the server decides. */
  #wantedQuality: string | undefined;
  #isPaused = false;
  #opening: Viewing | undefined;
  #viewing: Viewing | undefined;
  #detections: DetectionsChannel | undefined;
  #wantsDetections: boolean;
  #isClosed = false;
  #latency: LatencyMeter;

  /** @internal */
  constructor(options: WatchOptions, env: Environment) {
    this.#env = env;
    this.#latency = this.#newMeter();
    this.#options = options;
    this.#source = options.source;
    this.#tracks = options.tracks ?? ['raw'];
    this.#active = options.active ?? this.#tracks;
    this.#wantsDetections = options.onDetections !== undefined;
    const [first] = this.#tracks;
    const { video = {} } = options;
    const isOne = 'srcObject' in video;
    this.#streams = new Streams(env, !isOne ? video : first === undefined ? {} : { [first]: video }, isOne ? first : undefined);
    const { onState, onTrack, onDetections, onLatency, onQuality, onPosition, onStats, onError } = options;
    this.#events = new Emitter({
      state: onState,
      track: onTrack,
      detections: onDetections,
      latency: onLatency,
      quality: onQuality,
      position: onPosition,
      stats: onStats,
      error: onError,
    });
    this.#connection = new KeptConnection({
      env,
      options,
      open: (signal) => this.#open(signal),
      onLink: (link) => this.#stands(link),
      onState: (change) => this.#events.emit('state', change),
      onAbort: () => this.close(),
      onStats: (report) => {
        this.#events.emit('stats', report);
        this.#measureLatency(report);
      },
      framesOf: (report) => (this.#expectsFrames ? Viewing.framesOf(report) : undefined),
      onSilence: (remedy) => this.#remedy(remedy),
      waitsWhileHidden: true,
      mayReturn: false,
      staleAfterMs: STALE_MS,
      // Who has watched it before may find that a server that was just started does not know it yet.
      mayPass: async ({ status }) =>
        status === 404 &&
        this.#viewing !== undefined &&
        this.#isOfSource(this.#viewing) &&
        hasJustStarted(env, this.#connection.server, this.#connection.headers),
    });
  }

  /** Calls `listener` with each event of that name, until the returned function is called. */
  on<Name extends keyof WatchEvents>(name: Name, listener: (value: WatchEvents[Name]) => void): Unsubscribe {
    if (name === 'detections') this.receiveDetections(true);
    return this.#events.on(name, listener);
  }

  /** What holds now. */
  get state(): State {
    return this.#connection.state;
  }

  /** What the video m-lines carry; a server may send less than was asked for. */
  get tracks(): readonly Rendition[] {
    return (this.#viewing ?? this.#opening)?.tracks ?? this.#tracks;
  }

  /** Those that flow. */
  get active(): readonly Rendition[] {
    return this.#active;
  }

  /** Name of the source; undefined while the server's choice is not known. */
  get source(): string | undefined {
    return this.#viewing?.source ?? this.#source;
  }

  /** The id that holds; undefined before the server has answered. */
  get clientId(): string | undefined {
    return this.#viewing?.clientId;
  }

  /** Address of the session: who knows it can end it, or read its report. Undefined before the server has answered. */
  get sessionUrl(): string | undefined {
    return this.#viewing?.link.session?.url;
  }

  /** When what happened on the way to the present connection. */
  get times(): ConnectionTimes {
    return this.#viewing?.times ?? {};
  }

  /** True when the server sends sound. */
  get hasAudio(): boolean {
    return this.#viewing?.transceivers.get('audio')?.currentDirection === 'recvonly';
  }

  /** What the server said last of the quality of the pictures; undefined while it is `source` from the start. */
  get quality(): QualityChange | undefined {
    return this.#quality;
  }

  /** Where the viewer is in time, as the server said last; undefined while it watches the present. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Whether the server sends nothing, as `pause` asked. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Has the server send these of `tracks` and no others. @throws SightlineError when it refuses */
  async select(tracks: readonly Rendition[]): Promise<void> {
    const before = this.#active;
    this.#active = tracks;
    try {
      await this.#command('select', { tracks });
    } catch (error) {
      this.#active = before;
      throw error;
    }
  }

  /**
   * Has the server send the pictures in that quality, also over connections to come.
   * @param quality `auto` (what the network carries, the default), `source`, or a lower one of the source by its name: `360p`
   * @throws SightlineError when the source has no such quality, or the server cannot make it now: it stays what it was
   */
  async selectQuality(quality: string): Promise<void> {
    await this.#command('select', { quality });
    this.#wantedQuality = quality;
  }

  /** Changes the source over this connection where the server can, else over another one. @throws SightlineError when there is no such source */
  async setSource(source: string): Promise<void> {
    const answer = await this.#command('select', { source }).catch((error: unknown) => {
      if (error instanceof SightlineError && error.code === 'COMMAND_UNSUPPORTED') return undefined;
      throw error;
    });
    this.#source = source;
    if (answer === undefined) this.#connection.reconnect(new SightlineError('SOURCE_CHANGED'));
  }

  /**
   * Has the server send what was recorded of the source, from that frame on, over this connection.
   * @param at Unix seconds
   * @throws SightlineError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, FORBIDDEN; it stays where it is
   */
  async seek(at: number): Promise<void> {
    await this.#command('seek', { at });
  }

  /** Plays a recording faster or slower. @param speed 0.25 to 8; above 2, `raw` shows keyframes alone @throws SightlineError COMMAND_UNSUPPORTED in the present */
  async setSpeed(speed: number): Promise<void> {
    await this.#command('speed', { value: speed });
  }

  /** Pauses a recording and shows another frame. @param frames so many later; negative: earlier; at most 300 @throws SightlineError COMMAND_UNSUPPORTED in the present */
  async step(frames: number): Promise<void> {
    await this.#command('step', { frames });
  }

  /**
   * Has another model look at what is played of a recording, until `redetect()`, or until nothing of it is sent any more.
   * @param model its name; left out: what was seen then is shown
   * @throws SightlineError MODEL_NOT_FOUND, MODEL_INVALID, CAPACITY_REACHED, COMMAND_UNSUPPORTED in the present; it stays as it is
   */
  async redetect(model?: string): Promise<void> {
    await this.#command('redetect', { model: model ?? null });
  }

  /** Has the server send the present again. @throws SightlineError SOURCE_NOT_LIVE where there is none */
  async live(): Promise<void> {
    await this.#command('live');
  }

  /** Has the server send nothing until `resume`; a recording stands still. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#command('pause');
  }

  /** Has the server send again what it sent before `pause`. @throws SightlineError when it refuses */
  async resume(): Promise<void> {
    this.#isPaused = false;
    await this.#command('resume');
  }

  /** Asks for a keyframe. */
  async keyframe(): Promise<void> {
    await this.#command('keyframe');
  }

  /** Has the server send only these detections. */
  async filterDetections(filter: DetectionFilter): Promise<void> {
    this.#filter = filter;
    await this.#sendFilter();
  }

  /** Opens the channel of detections, or closes it: a server detects only where somebody looks. */
  receiveDetections(isWanted: boolean): void {
    this.#wantsDetections = isWanted;
    this.#followDetections();
  }

  /** The detections of the frame with that `metadata.rtpTimestamp` (requestVideoFrameCallback), if they came. */
  frameFor(rtpTimestamp: number, rendition: Rendition = 'raw'): DetectionsMessage | undefined {
    return this.#history[rendition].at(rtpTimestamp);
  }

  /** Of the present connection; undefined where there is none. */
  async stats(): Promise<RTCStatsReport | undefined> {
    return this.#viewing?.link.pc.getStats();
  }

  /** Connects again at once: "try again". */
  reconnect(): void {
    this.#connection.reconnect();
  }

  /** Leaves. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#askNoFrame();
    this.#detections?.close();
    this.#streams.close();
    this.#connection.close();
  }

  async #open(signal: AbortSignal): Promise<PeerLink> {
    const viewing: Viewing = new Viewing({
      env: this.#env,
      server: this.#connection.server,
      headers: this.#connection.headers,
      iceServers: this.#connection.iceServers,
      wanted: {
        source: this.#source,
        tracks: this.#tracks,
        active: this.#active,
        hasAudio: this.#options.audio ?? true,
        clientId: this.#options.clientId,
        // A connection that is lost goes on where it was.
        at: this.#position?.at ?? (this.#viewing ? undefined : this.#options.at),
      },
      onPosition: (position) => viewing === (this.#viewing ?? this.#opening) && this.#moved(position),
      onQuality: (change) => viewing === (this.#viewing ?? this.#opening) && this.#qualityChanged(change),
    });
    this.#opening = viewing;
    try {
      if (!this.#viewing) this.#take(viewing);
      await viewing.link.open(signal);
      return viewing.link;
    } catch (error) {
      viewing.link.close();
      throw error;
    }
  }

  #take({ transceivers }: Viewing): void {
    this.#streams.take(transceivers, (track) => this.#events.emit('track', track));
  }

  #stands(link: PeerLink): void {
    if (this.#opening?.link !== link) return;
    // Not before: browsers may call a track unmuted with the answer, and the connection before may come back by itself.
    if (this.#viewing) this.#take(this.#opening);
    this.#viewing = this.#opening;
    this.#viewing.connected();
    this.#latency = this.#newMeter();
    this.#quality = this.#viewing.quality;
    this.#detections = undefined;
    this.#followDetections();
    if (this.#filter) void this.#sendFilter().catch((error: unknown) => this.#events.emit('error', errorOf(error)));
    if (this.#wantedQuality !== undefined)
      void this.selectQuality(this.#wantedQuality).catch((error: unknown) => this.#events.emit('error', errorOf(error)));
    if (this.#isPaused) void this.#command('pause').catch((error: unknown) => this.#events.emit('error', errorOf(error)));
  }

  #newMeter(): LatencyMeter {
    return new LatencyMeter(this.#env.timeOrigin ?? performance.timeOrigin);
  }

  /** Of the next frame that is shown. */
  #measureLatency(report: RTCStatsReport): void {
    const meter = this.#latency;
    meter.learn(report);
    const [name] = this.#active;
    const receiver = name && this.#viewing?.transceivers.get(name)?.receiver;
    const element = name && this.#streams.elementOf(name);
    if (!receiver || !element || !('requestVideoFrameCallback' in element)) return;
    // Where nobody looks no frame is shown, for hours: no more than one may wait.
    this.#askNoFrame();
    const video = element as HTMLVideoElement;
    const id = video.requestVideoFrameCallback((_nowMs, frame) => {
      this.#askedFrame = undefined;
      if (meter !== this.#latency || this.#isClosed) return;
      const latency = meter.measure(frame, receiver.getSynchronizationSources()[0]);
      if (latency) this.#events.emit('latency', latency);
    });
    this.#askedFrame = { video, id };
  }

  #askNoFrame(): void {
    this.#askedFrame?.video.cancelVideoFrameCallback(this.#askedFrame.id);
    this.#askedFrame = undefined;
  }

  #moved(position: Position): void {
    this.#position = position.state === 'live' ? undefined : position;
    this.#events.emit('position', position);
  }

  #qualityChanged(change: QualityChange): void {
    this.#quality = change;
    this.#events.emit('quality', change);
  }

  /** Keyframes alone may be seconds apart, and are no reason to connect again. */
  get #expectsFrames(): boolean {
    const stands = this.#position?.state === 'paused' || this.#position?.state === 'end';
    return (
      !this.#isPaused && !stands && this.#active.length > 0 && this.#quality?.quality !== 'sound' && this.#quality?.quality !== 'keyframes'
    );
  }

  /** Whether that connection brought what is asked for now. */
  #isOfSource({ source }: Viewing): boolean {
    return this.#source === undefined || source === this.#source;
  }

  #followDetections(): void {
    if (!this.#wantsDetections) {
      this.#detections?.close();
      this.#detections = undefined;
    } else if (!this.#detections && this.#viewing && !this.#isClosed) {
      this.#detections = new DetectionsChannel({
        clock: this.#env.clock,
        pc: this.#viewing.link.pc,
        onMessage: (message) => this.#detected(message),
        onRefusal: (error) => this.#events.emit('error', error),
      });
    }
  }

  #detected(message: DetectionsMessage): void {
    const { raw, processed } = message.rtp_timestamp;
    if (raw !== undefined) this.#history.raw.add(raw, message);
    if (processed !== undefined) this.#history.processed.add(processed, message);
    this.#events.emit('detections', message);
  }

  async #sendFilter(): Promise<void> {
    const { minScore, classes } = this.#filter ?? {};
    await this.#command('detection', { ...(minScore !== undefined && { min_score: minScore }), ...(classes && { classes }) });
  }

  async #command(cmd: string, members: object = {}): Promise<object | undefined> {
    return this.#viewing?.commands.send(cmd, members);
  }

  /** Does what is due where there are no frames. */
  #remedy(remedy: Remedy): void {
    if (remedy === 'keyframe') void this.keyframe().catch(() => undefined);
    if (remedy === 'restart') this.#connection.restart(new SightlineError('NO_FRAMES'));
    if (remedy === 'reconnect') this.#connection.reconnect(new SightlineError('NO_FRAMES'));
  }
}
