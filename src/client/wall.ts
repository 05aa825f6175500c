/** Watching several sources over one connection: `watchWall(...)` and what it returns. */
import { DetectionsChannel } from './detections-channel.js';
import type { DetectionsMessage } from './detection-message.js';
import type { CommandAnswer } from './commands.js';
import type { Timer } from './clock.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import { browserEnvironment, type Environment } from './environment.js';
import { SightlineError, errorOf, type Reason } from './errors.js';
import type { Remedy } from './frame-watch.js';
import { KeptConnection, type ConnectionEvents, type ConnectionOptions } from './kept-connection.js';
import type { PeerLink } from './peer-link.js';
import { parseQuality } from './quality.js';
import type { State } from './reconnector.js';
import { hasJustStarted } from './server-state.js';
import { putInto } from './streams.js';
import { Viewing } from './viewing.js';
import { detectionsOf, itemOf, keyOf, refusedSources, type TileDetections, type TileState, type WallTile } from './wall-tiles.js';
import { WallViewing } from './wall-viewing.js';

/** Video m-lines that a server takes in one session. */
export const MAX_WALL_TILES = 16;
/** A source that was refused is asked for again after this. */
const ASK_AGAIN_MS = 10_000;
/** Without a frame for this long, a page that is shown again does not wait to see. */
const STALE_WALL_MS = 2_000;

/** What `wall.on` tells. */
export interface WallEvents extends ConnectionEvents {
  /** A tile that has changed. */
  readonly tile: TileState & {
    /** Which, from 0 on. */
    readonly index: number;
  };
  /** What was detected in a frame of a tile; listening opens the channel. */
  readonly detections: TileDetections;
}

/** What to show, and whom to tell. */
export interface WallOptions extends ConnectionOptions {
  /** What the tiles show, 1 to 16; undefined: nothing. */
  readonly tiles: readonly (WallTile | undefined)[];
  /** Tiles that there may be before another connection has to be opened. Default: as many as `tiles`. */
  readonly room?: number;
  /** Name of the source whose sound is asked for. Default: none. */
  readonly audio?: string;
  /** 1-64 of `[A-Za-z0-9._-]`. Default: the server makes one up. */
  readonly clientId?: string;
  /** As `on('tile', ...)`. */
  readonly onTile?: (tile: WallEvents['tile']) => void;
  /** As `on('detections', ...)`. */
  readonly onDetections?: (detections: TileDetections) => void;
}

/** Watches a wall until `close`. Does not throw: trouble is a state, of the wall or of a tile. */
export function watchWall(options: WallOptions, env: Environment = browserEnvironment): WatchingWall {
  return new WatchingWall(options, env);
}

/** Several sources over one connection, until `close`. */
export class WatchingWall {
  readonly #env: Environment;
  readonly #options: WallOptions;
  readonly #connection: KeptConnection;
  readonly #events: Emitter<WallEvents>;
  readonly #streams: MediaStream[] = [];
  #tiles: readonly TileState[];
  #room: number;
  #opening: WallViewing | undefined;
  #viewing: WallViewing | undefined;
  #detections: DetectionsChannel | undefined;
  #wantsDetections: boolean;
  #isPaused = false;
  #isClosed = false;
  /** Tiles that the server is being told of. */
  readonly #telling = new Set<number>();
  /** Tiles of which the server has not said in time whether it shows them. */
  readonly #unanswered = new Set<number>();
  /** Until refused tiles are asked for again. */
  #again: Timer | undefined;

  /** @internal */
  constructor(options: WallOptions, env: Environment) {
    this.#env = env;
    this.#options = options;
    this.#tiles = options.tiles.slice(0, MAX_WALL_TILES).map((tile) => stateOf(tile));
    this.#room = Math.min(MAX_WALL_TILES, Math.max(1, options.room ?? 0, this.#tiles.length));
    const { onState, onTile, onDetections, onStats, onError } = options;
    this.#wantsDetections = onDetections !== undefined;
    this.#events = new Emitter({ state: onState, tile: onTile, detections: onDetections, stats: onStats, error: onError });
    this.#connection = new KeptConnection({
      env,
      options,
      open: (signal) => this.#open(signal),
      onLink: (link) => this.#stands(link),
      onState: (change) => this.#events.emit('state', change),
      onAbort: () => this.close(),
      onStats: (report) => this.#events.emit('stats', report),
      framesOf: (report) => (this.#expectsFrames ? Viewing.framesOf(report) : undefined),
      onSilence: (remedy) => this.#remedy(remedy),
      waitsWhileHidden: true,
      mayReturn: false,
      staleAfterMs: STALE_WALL_MS,
      // A server that was just started may not know its sources yet.
      mayPass: async ({ status }) =>
        status === 404 && this.#viewing !== undefined && hasJustStarted(env, this.#connection.server, this.#connection.headers),
    });
  }

  /** Calls `listener` with each event of that name, until the returned function is called. */
  on<Name extends keyof WallEvents>(name: Name, listener: (value: WallEvents[Name]) => void): Unsubscribe {
    if (name === 'detections') this.receiveDetections(true);
    return this.#events.on(name, listener);
  }

  /** What holds now of the connection. */
  get state(): State {
    return this.#connection.state;
  }

  /** What holds now of each tile. */
  get tiles(): readonly TileState[] {
    return this.#tiles;
  }

  /** The id that holds; undefined before the server has answered. */
  get clientId(): string | undefined {
    return this.#viewing?.clientId;
  }

  /** Address of the session: who knows it can end it, or read its report. Undefined before the server has answered. */
  get sessionUrl(): string | undefined {
    return this.#viewing?.link.session?.url;
  }

  /** Whether the server sends nothing, as `pause` asked. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** What to attach to the element of a tile; the same over all connections, and whatever the tile shows. With sound in the first. */
  stream(index: number): MediaStream {
    return (this.#streams[index] ??= this.#env.createStream());
  }

  /** What receives a tile now, for statistics and `jitterBufferTarget`; undefined before there is a connection. */
  receiver(index: number): RTCRtpReceiver | undefined {
    return (this.#viewing ?? this.#opening)?.transceivers[index]?.receiver;
  }

  /**
   * What the tiles show from now on, each where it is: those that stay the same go on without a gap. More than there is `room` for
   * opens another connection; the pictures stay until that stands.
   * @param tiles at most 16; undefined: nothing
   */
  setTiles(tiles: readonly (WallTile | undefined)[]): void {
    const count = Math.min(MAX_WALL_TILES, tiles.length);
    const before = this.#tiles;
    this.#tiles = Array.from({ length: count }, (_, index) => changed(before[index], tiles[index]));
    this.#tiles.forEach((state, index) => state !== before[index] && this.#tell(index, state));
    if (count > this.#room) {
      this.#room = count;
      return this.#connection.reconnect(new SightlineError('SOURCE_CHANGED'));
    }
    this.#followAll();
  }

  /** Has the server send nothing until `resume`. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#viewing?.commands.send('pause');
  }

  /** Has the server send again. @throws SightlineError when it refuses */
  async resume(): Promise<void> {
    this.#isPaused = false;
    await this.#viewing?.commands.send('resume');
  }

  /** Opens the channel of detections, or closes it: a server detects only where somebody looks. */
  receiveDetections(isWanted: boolean): void {
    this.#wantsDetections = isWanted;
    this.#followDetections();
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
    this.#again?.cancel();
    this.#detections?.close();
    this.#connection.close();
  }

  /** One source that cannot be watched does not keep the others from being shown. */
  async #open(signal: AbortSignal): Promise<PeerLink> {
    // A tile less each time.
    for (;;) {
      const viewing = this.#newViewing();
      this.#opening = viewing;
      if (!this.#viewing) this.#take(viewing);
      try {
        await viewing.link.open(signal);
        return viewing.link;
      } catch (error) {
        viewing.link.close();
        if (!this.#leaveOut(errorOf(error), viewing.told)) throw error;
      }
    }
  }

  #newViewing(): WallViewing {
    const { server, headers, iceServers } = this.#connection;
    const { audio, clientId } = this.#options;
    const viewing: WallViewing = new WallViewing({
      ...{ env: this.#env, server, headers, iceServers, audio, clientId },
      tiles: Array.from({ length: this.#room }, (_, index) => {
        const { tile, phase } = this.#tiles[index] ?? stateOf(undefined);
        return phase === 'refused' ? undefined : tile;
      }),
      onTold: (message) => viewing === (this.#viewing ?? this.#opening) && this.#told(viewing, message),
    });
    return viewing;
  }

  /** True where that refusal is of a tile, which is left out next time, and others remain. */
  #leaveOut(error: SightlineError, asked: readonly (WallTile | undefined)[]): boolean {
    const refused = refusedSources(error, asked);
    const isRefused = (tile: WallTile | undefined): boolean => tile !== undefined && refused.includes(tile.source);
    if (refused.length === 0 || asked.every((tile) => !tile || isRefused(tile))) return false;
    asked.forEach((tile, index) => isRefused(tile) && this.#refused(index, error));
    return true;
  }

  #take({ transceivers, sound }: WallViewing): void {
    transceivers.forEach(({ receiver }, index) => putInto(this.stream(index), receiver.track));
    if (sound) putInto(this.stream(0), sound.receiver.track);
  }

  #stands(link: PeerLink): void {
    if (this.#opening?.link !== link) return;
    if (this.#viewing) this.#take(this.#opening);
    this.#viewing = this.#opening;
    this.#telling.clear();
    this.#unanswered.clear();
    this.#tiles.forEach((state, index) => {
      const isTold = keyOf(this.#viewing?.told[index]) === keyOf(state.tile);
      if (state.tile && state.phase !== 'refused' && isTold) this.#become(index, { tile: state.tile, phase: 'live' });
    });
    this.#detections = undefined;
    this.#followDetections();
    this.#followAll();
    if (this.#isPaused) void this.pause().catch((error: unknown) => this.#events.emit('error', errorOf(error)));
  }

  #followAll(): void {
    this.#viewing?.told.forEach((_, index) => void this.#follow(index));
  }

  /** Tells the server what a tile is to show, until it knows. What it refuses waits. */
  async #follow(index: number): Promise<void> {
    const viewing = this.#viewing;
    if (!viewing || this.#telling.has(index)) return;
    this.#telling.add(index);
    let tile = this.#due(index, viewing);
    while (tile) {
      await this.#select(viewing, index, tile.next);
      tile = this.#due(index, viewing);
    }
    if (viewing === this.#viewing) this.#telling.delete(index);
  }

  /** Undefined where the server knows it all, has refused it, or brings it back by itself. */
  #due(index: number, viewing: WallViewing): { readonly next: WallTile | undefined } | undefined {
    const { tile, phase } = this.#tiles[index] ?? stateOf(undefined);
    const waits = phase === 'refused' || phase === 'ended';
    const isDue = viewing === this.#viewing && !this.#isClosed && !waits && keyOf(viewing.told[index]) !== keyOf(tile);
    return isDue ? { next: tile } : undefined;
  }

  async #select(viewing: WallViewing, index: number, tile: WallTile | undefined): Promise<void> {
    const mid = viewing.transceivers[index]?.mid;
    try {
      const answer = await viewing.commands.send('select', { mid, ...(tile ? { max_height: null, ...itemOf(tile) } : { source: null }) });
      viewing.told[index] = tile;
      if (!tile || viewing !== this.#viewing || !this.#isStill(index, tile)) return;
      // A camera that is connected on demand may take longer than an answer may; what becomes of it is asked once more.
      if (!answer) {
        this.#unanswered.add(index);
        return this.#askAgain();
      }
      this.#become(index, { tile, phase: 'live' });
    } catch (error) {
      viewing.told[index] = tile;
      if (tile && this.#isStill(index, tile)) this.#refused(index, errorOf(error));
    }
  }

  #isStill(index: number, tile: WallTile): boolean {
    return keyOf(this.#tiles[index]?.tile) === keyOf(tile);
  }

  #refused(index: number, { code, message }: SightlineError): void {
    const tile = this.#tiles[index]?.tile;
    if (!tile) return;
    this.#become(index, { tile, phase: 'refused', reason: { code, message: message.replace(/^(tracks\[\d+\]|mid '[^']*'): /, '') } });
    this.#askAgain();
  }

  /** All that was refused, or not answered, at once. */
  #askAgain(): void {
    if (this.#isClosed) return;
    const earlier = this.#again;
    this.#again = this.#env.clock.after(ASK_AGAIN_MS, () => {
      this.#tiles.forEach(({ phase, tile }, index) => {
        if (!tile || (phase !== 'refused' && !this.#unanswered.has(index))) return;
        if (this.#viewing) this.#viewing.told[index] = undefined;
        this.#tiles = this.#tiles.map((before, at) => (at === index ? { tile, phase: 'connecting' } : before));
      });
      this.#unanswered.clear();
      this.#followAll();
    });
    earlier?.cancel();
  }

  /** What the server says by itself. */
  #told(viewing: WallViewing, message: CommandAnswer): void {
    const { mid, source } = message;
    const index = typeof mid === 'string' ? viewing.mids.indexOf(mid) : -1;
    const state = this.#tiles[index];
    if (!state?.tile || state.tile.source !== source) return;
    const quality = parseQuality(message);
    if (quality) return this.#become(index, { ...state, quality });
    if (message['type'] !== 'track') return;
    if (message['state'] === 'live') {
      this.#become(index, { tile: state.tile, phase: 'live' });
      void this.#follow(index);
    }
    if (message['state'] === 'ended') this.#become(index, { tile: state.tile, phase: 'ended', reason: endOf(message) });
  }

  #become(index: number, state: TileState): void {
    this.#tiles = this.#tiles.map((before, at) => (at === index ? state : before));
    this.#tell(index, state);
  }

  #tell(index: number, state: TileState): void {
    this.#events.emit('tile', { index, ...state });
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
    const tiles = this.#tiles.map(({ tile }) => tile);
    for (const one of detectionsOf(message, tiles, this.#viewing?.mids ?? [])) this.#events.emit('detections', one);
  }

  /** A tile that stands still is told by the server; here all of them together count. */
  get #expectsFrames(): boolean {
    const moves = ({ phase, quality }: TileState): boolean =>
      phase === 'live' && quality?.quality !== 'sound' && quality?.quality !== 'keyframes';
    return !this.#isPaused && this.#tiles.some(moves);
  }

  /** Does what is due where there are no frames. */
  #remedy(remedy: Remedy): void {
    if (remedy === 'keyframe') void this.#viewing?.commands.send('keyframe').catch(() => undefined);
    if (remedy === 'restart') this.#connection.restart(new SightlineError('NO_FRAMES'));
    if (remedy === 'reconnect') this.#connection.reconnect(new SightlineError('NO_FRAMES'));
  }
}

function stateOf(tile: WallTile | undefined): TileState {
  return { tile, phase: tile ? 'connecting' : 'empty' };
}

/** A tile that shows the same in another size goes on as it is. */
function changed(before: TileState | undefined, tile: WallTile | undefined): TileState {
  if (before && keyOf(before.tile) === keyOf(tile)) return before;
  const isSame = before?.tile && tile && keyOf({ ...before.tile, maxHeight: 1 }) === keyOf({ ...tile, maxHeight: 1 });
  return isSame ? { ...before, tile } : stateOf(tile);
}

function endOf({ reason }: CommandAnswer): Reason {
  const code = typeof reason === 'string' ? reason : 'source-ended';
  return { code, message: code };
}
