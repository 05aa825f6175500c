/**
 * What each video m-line of a viewer shows. Most show the session's own source, and follow where that changes; on a wall an
 * m-line may show a source of its own, or nothing. Whether frames flow is decided elsewhere.
 */
import { RENDITIONS, type EndReason, type OpenedSource, type Rendition } from '../../media/index.js';
import type { TileRequest } from '../api/requests.js';
import { ContinuousTime } from '../rtp/send/continuous-time.js';
import type { ViewerStream } from './viewer-stream.js';
import { WatchedSource } from './watched-source.js';

/** What a stream carries, or is to carry. */
export interface Aim {
  /** As it was opened last. */
  readonly source: OpenedSource;
  /** Of video. */
  readonly rendition: Rendition;
  /** No quality is taller, by its shorter side in pixels, where there is one that is not. */
  readonly maxHeightPx: number;
}

/** What an m-line shows. */
interface Tile {
  /** Undefined: nothing. */
  readonly source: WatchedSource | undefined;
  readonly maxHeightPx: number;
}

interface OneSource {
  readonly sourceId: string;
  readonly own: OpenedSource;
  readonly named: ReadonlyMap<string, undefined>;
  readonly tiles: undefined;
}

/** The sources of a wall, as they were found. */
export interface WallSources {
  /** The session's own. */
  readonly sourceId: string;
  /** Undefined where it is not live. */
  readonly own: OpenedSource | undefined;
  /** Those that m-lines name, by id; undefined where one is not live. */
  readonly named: ReadonlyMap<string, OpenedSource | undefined>;
  /** What the video m-lines show; undefined: nothing. */
  readonly tiles: readonly (TileRequest | undefined)[];
}

/** The sources of a viewer, as they were found. */
export type WatchedSources = OneSource | WallSources;

/** The m-lines of one viewer. */
export class Tiles {
  /** M-lines of video that flow, or would if nothing was paused. */
  selected: ReadonlySet<ViewerStream>;
  readonly #streams: readonly ViewerStream[];
  readonly #tiles = new Map<ViewerStream, Tile>();
  readonly #times = new Map<ViewerStream, ContinuousTime>();
  readonly #time = new ContinuousTime();
  #own: WatchedSource;
  #isWall: boolean;

  /** @param active renditions that flow from the start. Default: all */
  constructor(
    streams: readonly ViewerStream[],
    { sourceId, own, named, tiles }: WatchedSources,
    active: readonly Rendition[] = RENDITIONS,
  ) {
    this.#streams = streams;
    this.#own = new WatchedSource(sourceId, own);
    this.#isWall = tiles !== undefined;
    const sources = new Map([...named].map(([id, source]) => [id, new WatchedSource(id, source)]));
    for (const stream of this.videos) {
      const asked: Partial<TileRequest> | undefined = tiles ? tiles[stream.tile] : {};
      const source = asked?.sourceId === undefined ? this.#own : sources.get(asked.sourceId);
      this.#tiles.set(stream, { source: asked && source, maxHeightPx: asked?.maxHeightPx ?? Infinity });
      if (tiles) this.#times.set(stream, new ContinuousTime());
    }
    const isActive = (stream: ViewerStream): boolean => stream.rendition !== undefined && active.includes(stream.rendition);
    this.selected = new Set(this.videos.filter((stream) => isActive(stream) && this.watchedOn(stream) !== undefined));
  }

  /** M-lines of video, in order. */
  get videos(): ViewerStream[] {
    return this.#streams.filter(({ rendition }) => rendition !== undefined);
  }

  /** The session's own source. */
  get own(): WatchedSource {
    return this.#own;
  }

  /** True where m-lines show, or have shown, sources of their own. */
  get isWall(): boolean {
    return this.#isWall;
  }

  /** What m-lines of video show, each once; the session's own source where there is no such m-line. */
  get shown(): WatchedSource[] {
    if (this.#tiles.size === 0) return [this.#own];
    return [...new Set([...this.#tiles.values()].flatMap(({ source }) => source ?? []))];
  }

  /** The same, and what is heard. */
  get all(): WatchedSource[] {
    return [...new Set([...this.shown, ...this.#streams.flatMap((stream) => this.watchedOn(stream) ?? [])])];
  }

  /** Undefined: nothing is shown. */
  watchedOn(stream: ViewerStream): WatchedSource | undefined {
    return stream.rendition === undefined ? this.#own : this.#tiles.get(stream)?.source;
  }

  /** The m-lines, sound included, that show a source. */
  streamsOf(source: WatchedSource): ViewerStream[] {
    return this.#streams.filter((stream) => this.watchedOn(stream) === source);
  }

  /** What a stream should carry if it flows; undefined where there is nothing. */
  aimOf(stream: ViewerStream): Aim | undefined {
    const source = this.watchedOn(stream)?.live;
    return source && { source, rendition: stream.rendition ?? 'raw', maxHeightPx: this.maxHeightOf(stream) };
  }

  /** In pixels; Infinity: no limit. */
  maxHeightOf(stream: ViewerStream): number {
    return this.#tiles.get(stream)?.maxHeightPx ?? Infinity;
  }

  /** What goes by that id; undefined where it is not shown. */
  named(sourceId: string): WatchedSource | undefined {
    return this.shown.find((source) => source.sourceId === sourceId && source !== this.#own);
  }

  /** The session's own source is another one from now on. */
  changeOwn(source: OpenedSource): void {
    const before = this.#own;
    if (before.sourceId === source.sourceId) return before.begin(source);
    this.#own = new WatchedSource(source.sourceId, source);
    for (const [stream, tile] of this.#tiles) if (tile.source === before) this.#tiles.set(stream, { ...tile, source: this.#own });
  }

  /** An m-line shows something else from now on. @param source undefined: nothing */
  show(stream: ViewerStream, source: WatchedSource | undefined, maxHeightPx: number): void {
    this.#isWall = true;
    // Its time goes on from where it is, but no longer with that of the others.
    if (!this.#times.has(stream)) this.#times.set(stream, this.#time.fork());
    this.#tiles.set(stream, { source, maxHeightPx });
    this.selected = new Set([...this.selected, stream].filter((each) => each !== stream || source !== undefined));
  }

  /** In which the client sees the media time of a stream go on. */
  timeOf(stream: ViewerStream): ContinuousTime {
    return this.#times.get(stream) ?? this.#time;
  }

  /** Why nothing more comes of any of them; undefined while something does, or nothing is shown. */
  get end(): EndReason | undefined {
    const ends = this.shown.map(({ end }) => end);
    return ends.includes(undefined) ? undefined : ends.at(-1);
  }
}
