/**
 * Changes of what a viewer's m-lines show. Each is done as a whole or not at all, and what flows goes on until the first frames of
 * the other are there. Those of one m-line are made one after the other; one that waits for a slow source holds no other
 * m-line up.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { Lanes, type LaneKeys } from '../../base/lanes.js';
import { SOURCE_RUNG, type OpenedSource, type Rendition } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import type { MediaChoice, TileChoice } from '../channels/watched-media.js';
import { ArrivingSources } from './arriving-sources.js';
import { openTracks } from './open-tracks.js';
import { openPast, throwIfNotOffered } from './open-watched.js';
import type { QualityControl } from './quality-control.js';
import { readWish } from './quality-wish.js';
import type { StreamTracks, WantedTrack } from './stream-tracks.js';
import { planTiles, sourcesNamed } from './tile-plan.js';
import type { Aim, Tiles } from './tiles.js';
import type { ViewerStream } from './viewer-stream.js';
import type { WatchedSource } from './watched-source.js';

/** Changes that run or wait: several for each m-line of the largest wall. */
const MAX_CHANGES = 64;

/** What is changed, and who is told. */
export interface MediaChangesInit {
  readonly clock: Clock;
  /** Finds the sources that are to be shown. */
  readonly gateway: Pick<MediaGateway, 'open' | 'openPast'>;
  /** What the m-lines show. */
  readonly tiles: Tiles;
  /** Chooses the qualities. */
  readonly quality: QualityControl;
  /** The tracks of the m-lines. */
  readonly tracks: StreamTracks;
  /** Aborted when the viewer has gone. */
  readonly signal: AbortSignal;
  /** Nothing flows for now. */
  readonly isPaused: () => boolean;
  /** What a stream should carry now. */
  readonly wanted: (stream: ViewerStream) => WantedTrack | undefined;
  /** Something else may be wanted: decides and carries it out. */
  readonly decide: () => void;
  /** Carries out what was decided. */
  readonly follow: () => void;
  /** See `ViewerMediaInit`, as the next two. */
  readonly onChanging: () => void;
  /** See there. */
  readonly onSourceChanged: (sourceId: string) => void;
  /** See there. */
  readonly onTilesChanged: () => void;
}

/** Other tracks for some streams. */
interface Change {
  readonly aims: ReadonlyMap<ViewerStream, Aim>;
  readonly wish: string;
  /** Throws where that cannot be any more, once the others are open; then nothing has changed. Default: it can. */
  readonly confirm?: () => void;
  /** What holds from then on. */
  readonly commit: () => void;
  /** Those that get something else, once the others are open. Default: all that `aims` names. */
  readonly changing?: () => readonly ViewerStream[];
  /** M-lines of video that flow then. Default: as now. */
  readonly selected?: ReadonlySet<ViewerStream>;
}

/** The changes of one viewer. */
export class MediaChanges {
  readonly #init: MediaChangesInit;
  readonly #lanes = new Lanes<ViewerStream>();
  readonly #arriving: ArrivingSources;
  /** What streams are on their way to, each by its newest change. */
  readonly #coming = new Map<ViewerStream, Aim>();

  constructor(init: MediaChangesInit) {
    this.#init = init;
    this.#arriving = new ArrivingSources(init.gateway);
  }

  /** See `WatchedMedia`. */
  async select({ renditions, quality }: MediaChoice): Promise<void> {
    const { tiles, quality: control, tracks, decide } = this.#init;
    const before = { selected: tiles.selected, wish: control.wish };
    const selected = renditions ? this.#offering(renditions, tiles.own.live) : before.selected;
    const wish = quality === undefined ? before.wish : readWish(quality, this.#aims());
    tiles.selected = selected;
    control.wish = wish;
    decide();
    if (quality === undefined) return;
    try {
      await tracks.reached();
    } catch (error) {
      // What was asked for meanwhile holds.
      if (tiles.selected === selected) tiles.selected = before.selected;
      if (control.wish === wish) control.wish = before.wish;
      decide();
      throw error;
    }
  }

  /** See `WatchedMedia`. */
  switchSource(sourceId: string, choice: MediaChoice): Promise<void> {
    return this.#inTurn('all', () => this.#switch(() => this.#init.gateway.open(sourceId), choice));
  }

  /** See `WatchedMedia`. */
  seek(atMs: number): Promise<void> {
    const { tiles, gateway } = this.#init;
    return this.#inTurn('all', async () => {
      const { sourceId, live } = tiles.own;
      if (live?.playback) return live.playback.seek(atMs);
      await this.#switch(() => openPast(gateway, sourceId, atMs), {});
    });
  }

  /** See `WatchedMedia`. */
  goLive(): Promise<void> {
    const { tiles, gateway } = this.#init;
    return this.#inTurn('all', async () => {
      const { sourceId, live } = tiles.own;
      if (live?.playback) await this.#switch(() => gateway.open(sourceId), {});
    });
  }

  /** See `WatchedMedia`. */
  point(choices: ReadonlyMap<number, TileChoice | 'nothing'>): Promise<void> {
    const { videos } = this.#init.tiles;
    return this.#inTurn(
      [...choices.keys()].flatMap((index) => videos[index] ?? []),
      () => this.#point(choices),
    );
  }

  /** A source goes on in another codec: its other tracks take over. @throws what the gateway throws, or of its tracks, where nothing else has become of the source by then */
  async renew(source: WatchedSource): Promise<void> {
    const { tiles } = this.#init;
    const before = source.live;
    try {
      await this.#lanes.run(tiles.streamsOf(source), () => this.#renew(source, before));
    } catch (error) {
      // What waits behind it may lead elsewhere.
      await this.#lanes.run(tiles.streamsOf(source), () => undefined);
      if (!this.#isStale(source, before)) throw error;
    }
  }

  #inTurn(streams: LaneKeys<ViewerStream>, change: () => Promise<void>): Promise<void> {
    if (this.#lanes.size < MAX_CHANGES) return this.#lanes.run(streams, change);
    const message = `${MAX_CHANGES} changes of this session wait for others before them; wait for their answers`;
    return Promise.reject(new MediaPeerError('COMMANDS_TOO_FAST', message));
  }

  async #switch(open: () => Promise<OpenedSource>, { renditions, quality }: MediaChoice): Promise<void> {
    const { tiles, quality: control, onSourceChanged } = this.#init;
    const before = { selected: tiles.selected, wish: control.wish };
    const source = await open();
    const selected = renditions ? this.#offering(renditions, source) : tiles.selected;
    const aims = this.#aimsAt(source, tiles.streamsOf(tiles.own));
    const check = (chosen: ReadonlySet<ViewerStream>): void => {
      for (const [{ rendition }] of [...aims].filter(([stream]) => chosen.has(stream))) throwIfNotOffered(source, rendition);
    };
    check(selected);
    const wish = quality === undefined ? control.wish : readWish(quality, new Map([...this.#aims(), ...aims]));
    const commit = (): void => {
      tiles.changeOwn(source);
      // What was asked for meanwhile holds.
      if (renditions && tiles.selected === before.selected) tiles.selected = selected;
      if (quality !== undefined && control.wish === before.wish) control.wish = wish;
    };
    const confirm = (): void => {
      if (tiles.selected !== before.selected) check(tiles.selected);
    };
    await this.#swap({ aims, wish, confirm, commit, selected });
    source.playback?.begin();
    onSourceChanged(source.sourceId);
  }

  async #point(choices: ReadonlyMap<number, TileChoice | 'nothing'>): Promise<void> {
    const arrived = this.#arriving.expect(sourcesNamed(choices.values()));
    try {
      await this.#show(choices);
    } finally {
      arrived();
    }
    this.#init.onTilesChanged();
  }

  async #show(choices: ReadonlyMap<number, TileChoice | 'nothing'>): Promise<void> {
    const { tiles, quality } = this.#init;
    const plans = await planTiles(choices, tiles, this.#arriving);
    for (const { aim, isOther, name } of plans) if (aim && isOther) throwIfNotOffered(aim.source, aim.rendition, name);
    const aims = new Map(plans.flatMap(({ stream, aim, isOther }) => (aim && isOther ? [[stream, aim] as const] : [])));
    const commit = (): void => {
      for (const { stream, source, aim, opened, maxHeightPx } of plans) {
        // Another m-line may have begun it meanwhile, and it may have ended since.
        if (opened && source && !source.live && !source.isOf(opened)) source.begin(opened);
        if (aim) stream.carry(aim.rendition);
        if (maxHeightPx !== tiles.maxHeightOf(stream)) quality.limitChanged(stream);
        tiles.show(stream, source, maxHeightPx);
      }
    };
    await this.#swap({ aims, wish: quality.wish, commit, selected: new Set(aims.keys()) });
  }

  /** @param before as it was when its tracks ended: where something else has become of it since, it is left alone */
  async #renew(source: WatchedSource, before: OpenedSource | undefined): Promise<void> {
    const { gateway, tiles, quality, onSourceChanged, onTilesChanged } = this.#init;
    const isStale = (): boolean => this.#isStale(source, before);
    if (isStale()) return;
    const opened = await (before?.reopen?.() ?? gateway.open(source.sourceId));
    await this.#swap({
      aims: this.#aimsAt(opened, tiles.streamsOf(source)),
      wish: quality.wish,
      // Of those that have come meanwhile nothing flows any more, and those that have gone show something else.
      changing: () => (isStale() ? [] : tiles.streamsOf(source)),
      commit: () => (isStale() ? undefined : source.begin(opened)),
    });
    if (source.live !== opened) return;
    if (source === tiles.own) onSourceChanged(source.sourceId);
    else onTilesChanged();
  }

  /** It was opened anew since, has ended, or is watched no more. */
  #isStale(source: WatchedSource, before: OpenedSource | undefined): boolean {
    return before === undefined || source.live !== before || !this.#init.tiles.all.includes(source);
  }

  /** The m-lines of video of these renditions. @param own the session's own source @throws MediaPeerError DETECTION_OFF where it has one of them not */
  #offering(renditions: readonly Rendition[], own: OpenedSource | undefined): ReadonlySet<ViewerStream> {
    const { tiles } = this.#init;
    const chosen = tiles.videos.filter((stream) => stream.rendition !== undefined && renditions.includes(stream.rendition));
    for (const stream of chosen) if (own && tiles.watchedOn(stream) === tiles.own) throwIfNotOffered(own, stream.rendition);
    return new Set(chosen.filter((stream) => tiles.watchedOn(stream) !== undefined));
  }

  /** Of all video that shows something. */
  #aims(): Map<ViewerStream, Aim> {
    const { tiles } = this.#init;
    return new Map(
      tiles.videos.flatMap((stream) => {
        const aim = tiles.aimOf(stream);
        return aim ? [[stream, aim] as const] : [];
      }),
    );
  }

  #aimsAt(source: OpenedSource, streams: readonly ViewerStream[]): Map<ViewerStream, Aim> {
    const { tiles } = this.#init;
    return new Map(
      streams.map((stream) => [stream, { source, rendition: stream.rendition ?? 'raw', maxHeightPx: tiles.maxHeightOf(stream) }]),
    );
  }

  /** Gives streams other tracks, once all of them are open. */
  async #swap(change: Change): Promise<void> {
    const { aims, selected = this.#init.tiles.selected } = change;
    const isPaused = this.#init.isPaused();
    const flowing = [...aims].filter(
      ([stream, { source }]) => !isPaused && (stream.rendition === undefined ? source.media.hasAudio : selected.has(stream)),
    );
    for (const [stream, aim] of flowing) this.#coming.set(stream, aim);
    try {
      await this.#exchange(change, flowing);
    } finally {
      for (const [stream, aim] of flowing) if (this.#coming.get(stream) === aim) this.#coming.delete(stream);
    }
  }

  async #exchange({ aims, wish, confirm, commit, changing }: Change, flowing: readonly (readonly [ViewerStream, Aim])[]): Promise<void> {
    const { clock, tracks, quality, signal, wanted: wantedOf, onChanging, follow } = this.#init;
    // What others are on their way to is sent beside it.
    const choices = quality.choicesFor(new Map([...this.#coming, ...flowing]), wish);
    const wanted = flowing.map(([stream, { source, rendition }]) => ({
      stream,
      source,
      keyOf: () => stream.keyOf(source, choices.get(stream)?.rung, rendition),
    }));
    const leases = await openTracks(wanted, { clock, signal });
    try {
      confirm?.();
    } catch (error) {
      for (const [, lease] of leases) lease.release();
      throw error;
    }
    const streams = changing?.() ?? [...aims.keys()];
    onChanging();
    for (const stream of streams) stream.stop();
    commit();
    for (const [{ stream, source }, lease] of leases) {
      if (streams.includes(stream) && wantedOf(stream)?.source === source)
        tracks.hold(stream, lease, { source, rung: choices.get(stream)?.rung ?? SOURCE_RUNG });
      else lease.release();
    }
    quality.adopt(streams, new Map([...choices].filter(([stream]) => streams.includes(stream))));
    follow();
  }
}
