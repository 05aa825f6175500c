/**
 * The data channels of a viewer, told apart by their labels: `detections`, `video`, `commands`, and any other, which
 * is left alone. There is one `detections` and one `video`: a client that opens a second one is told so on the first,
 * which ends. Several parts of a page may each have `commands` of their own.
 */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { sourceNotLive } from '../../base/refusals.js';
import type { DetectionFilter, OpenedSource } from '../../media/index.js';
import type { ViewerRights } from '../api/rights.js';
import { CommandsChannel } from './commands-channel.js';
import type { IncomingChannel } from '../transport/data-channel.js';
import { DetectionsChannel } from './detections-channel.js';
import { VideoChannel } from './video-channel.js';
import { changesOf, executeForViewer } from './viewer-commands.js';
import type { WatchedMedia } from './watched-media.js';

/** Whose channels they are, and what they bring. */
export interface ViewerChannelsInit {
  /** What the viewer watches. */
  readonly media: WatchedMedia;
  /** What the viewer may turn to, and be told. */
  readonly rights: ViewerRights;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a client that opens `commands` is told of how things stand. */
  readonly messages: () => readonly (object | undefined)[];
  /** The client answered the keepalive once, and is silent now. */
  readonly onSilent: () => void;
}

/** Messages of one kind, all channels of the label together. */
interface Count {
  sent: number;
  dropped: number;
}

/** The data channels of one viewer. */
export class ViewerChannels {
  readonly #init: ViewerChannelsInit;
  #detections: DetectionsChannel | undefined;
  #video: VideoChannel | undefined;
  readonly #commands = new Set<CommandsChannel>();
  #filter: DetectionFilter | undefined;
  /** Of channels that were replaced. */
  readonly #detectionsBefore: Count = { sent: 0, dropped: 0 };
  readonly #videoBefore: Count = { sent: 0, dropped: 0 };
  #droppedAtLastTick = 0;
  #lastActivityS: number | undefined;

  constructor(init: ViewerChannelsInit) {
    this.#init = init;
  }

  /** Messages on `detections`. */
  get detections(): Readonly<Count> {
    return total(this.#detectionsBefore, this.#detections);
  }

  /** Pictures on `video`. */
  get snapshots(): Readonly<Count> {
    return total(this.#videoBefore, this.#video);
  }

  /** Unix seconds of the newest message of the client; undefined before the first. */
  get lastActivityS(): number | undefined {
    return this.#lastActivityS;
  }

  /** A channel that the client opened. */
  take(channel: IncomingChannel): void {
    if (channel.label === 'detections') this.#openDetections(channel);
    else if (channel.label === 'commands') this.#openCommands(channel);
    else if (channel.label === 'video') this.#openVideo(channel);
  }

  /** About once a second while the connection stands. */
  tick(): void {
    for (const commands of this.#commands) {
      if (commands.isClosed) this.#commands.delete(commands);
      else commands.tick();
    }
    const dropped = this.detections.dropped + this.snapshots.dropped;
    if (dropped > this.#droppedAtLastTick) {
      this.#init.logger.warn(
        {
          dropped: dropped - this.#droppedAtLastTick,
          detectionsDropped: this.detections.dropped,
          snapshotsDropped: this.snapshots.dropped,
        },
        'viewer does not keep up with its data channels',
      );
    }
    this.#droppedAtLastTick = dropped;
  }

  /** Says something on `commands` that was not asked for. */
  tell(message: object): void {
    for (const commands of this.#commands) commands.tell(message);
  }

  /** The session's own source is another one now. */
  sourceChanged(): void {
    this.#detections?.follow();
    this.#video?.reopen();
  }

  /** M-lines show other sources now. */
  sourcesChanged(): void {
    this.#detections?.follow();
  }

  /** Releases everything. Idempotent. */
  close(): void {
    this.#detections?.close();
    this.#video?.close();
  }

  #openDetections(channel: IncomingChannel): void {
    const { media, rights } = this.#init;
    this.#detections?.refuse(...REPLACED);
    Object.assign(this.#detectionsBefore, this.detections);
    this.#detections = new DetectionsChannel({
      channel,
      sources: () => media.sources,
      mayHave: (sourceId) => rights.mayHaveData(sourceId),
      waits: () => media.isWall,
      rtpTimestamps: (sourceId, mediaTimeMs) => media.rtpTimestamps(sourceId, mediaTimeMs),
      filter: () => this.#filter,
      isPaused: () => media.isPaused,
    });
  }

  #openVideo(channel: IncomingChannel): void {
    const { media } = this.#init;
    this.#video?.refuse(...REPLACED);
    Object.assign(this.#videoBefore, this.snapshots);
    this.#video = new VideoChannel({
      channel,
      openSnapshots: (maxBytes) => {
        if (!media.source) throw sourceNotLive(media.sourceId);
        return media.source.openSnapshots(maxBytes);
      },
      isPaused: () => media.isPaused,
    });
  }

  #openCommands(channel: IncomingChannel): void {
    const { media, rights, clock, logger, messages, onSilent } = this.#init;
    const commands = new CommandsChannel({
      channel,
      clock,
      logger,
      execute: (command) =>
        executeForViewer(command, {
          media,
          rights,
          setFilter: (filter) => (this.#filter = filter),
          labels: () => labelsOf(media.sources),
        }),
      changes: (command) => changesOf(command, media.tiles),
      onHeard: () => (this.#lastActivityS = clock.wallClock() / 1000),
      onSilent,
    });
    this.#commands.add(commands);
    for (const message of messages()) if (message) commands.tell(message);
  }
}

/** Undefined where nothing is known of one of them. */
function labelsOf(sources: readonly OpenedSource[]): readonly string[] | undefined {
  const known = sources.map(({ labels }) => labels);
  return known.length === 0 || known.includes(undefined) ? undefined : [...new Set(known.flatMap((labels) => labels ?? []))];
}

const REPLACED = ['CHANNEL_REPLACED', 'this connection has opened another channel of this label'] as const;

function total(before: Count, { sent, dropped }: Count = { sent: 0, dropped: 0 }): Count {
  return { sent: before.sent + sent, dropped: before.dropped + dropped };
}
