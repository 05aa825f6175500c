/** What the commands of a viewer do, each for this viewer alone. */
import { MediaPeerError } from '../../base/errors.js';
import type { LaneKeys } from '../../base/lanes.js';
import { sourceNotFound } from '../../base/refusals.js';
import { filterWarning, SOURCE_RUNG, type DetectionFilter, type Rendition } from '../../media/index.js';
import type { ViewerRights } from '../api/rights.js';
import { tileJson } from '../api/track-items.js';
import type { Command } from './commands.js';
import { movePlayback } from './playback-commands.js';
import { changedTiles, readTileChoices, type Select } from './tile-choices.js';
import type { ShownTile, WatchedMedia } from './watched-media.js';

/** What commands act on. */
export interface ViewerCommandsInit {
  /** What the viewer watches. */
  readonly media: WatchedMedia;
  /** What the viewer may turn to. */
  readonly rights: ViewerRights;
  /** Which detections the viewer wants from now on. */
  readonly setFilter: (filter: DetectionFilter) => void;
  /** Classes that the detector of its source knows; undefined where nothing is known. */
  readonly labels: () => readonly string[] | undefined;
}

/** What a command changes: what shows on one m-line of a wall has nothing to do with what shows on another. */
export function changesOf(command: Command, tiles: readonly ShownTile[]): LaneKeys<string> {
  switch (command.cmd) {
    case 'select':
      return changedTiles(command, tiles)?.map((index) => `m-line ${index}`) ?? 'all';
    case 'pause':
    case 'resume':
    case 'speed':
    case 'step':
      return ['pause'];
    case 'seek':
    case 'live':
    case 'redetect':
      return 'all';
    case 'detection':
      return ['detection'];
    case 'keyframe':
      return [];
    case 'token':
      return 'all';
  }
}

/** Returns what the answer says beside `ok`. @throws MediaPeerError */
export function executeForViewer(command: Command, { media, rights, setFilter, labels }: ViewerCommandsInit): object | Promise<object> {
  switch (command.cmd) {
    case 'select':
      return select(command, media, rights);
    case 'detection': {
      const filter = {
        ...(command.min_score !== undefined && { minScore: command.min_score }),
        ...(command.classes && { classes: command.classes }),
      };
      setFilter(filter);
      // Not refused: another model may know them.
      const warning = filterWarning(filter, labels());
      return { ...(warning !== undefined && { warning }) };
    }
    case 'keyframe':
      media.requestKeyframes();
      return {};
    case 'token':
      return rights.renew(command.token).then(() => ({}));
    case 'pause':
      media.pause();
      return {};
    case 'resume':
      media.resume();
      return {};
    case 'seek':
    case 'speed':
    case 'step':
    case 'live':
    case 'redetect':
      return movePlayback(command, media, rights);
  }
}

/** All of it or nothing. */
async function select(command: Select, media: WatchedMedia, rights: ViewerRights): Promise<object> {
  const { source, quality } = command;
  const choices = readTileChoices(command, media.tiles);
  if (choices) {
    for (const choice of choices.values()) if (choice !== 'nothing') await throwUnlessMayWatch(choice.source, rights);
    await media.point(choices).catch((error: unknown) => rethrowReadable(error, rights));
    return { tracks: media.tiles.map(tileOf) };
  }
  const tracks = command.tracks as readonly Rendition[] | undefined;
  if (tracks && !media.canSelect(tracks)) {
    throw new MediaPeerError(
      'COMMAND_INVALID',
      `the session has no m-line for one of ${tracks.join(', ')}; ask for it in the offer with "tracks"`,
    );
  }
  if (typeof source === 'string') {
    await throwUnlessMayWatch(source, rights);
    await media.switchSource(source, { renditions: tracks, quality }).catch((error: unknown) => rethrowReadable(error, rights));
  } else await media.select({ renditions: tracks, quality });
  return {
    ...(source !== undefined && { source: media.sourceId }),
    tracks: media.selected,
    ...(quality !== undefined && { quality: flowing(quality, media.quality) }),
  };
}

function tileOf({ mid, sourceId, rendition, maxHeightPx }: ShownTile): object {
  return tileJson({ mid, shown: sourceId === undefined ? undefined : { sourceId, rendition, maxHeightPx } });
}

/** The best quality has two names: whoever does not ask for `source` knows it as `high`. */
function flowing(asked: string, quality: string = SOURCE_RUNG): string {
  return quality === SOURCE_RUNG && asked !== SOURCE_RUNG ? 'high' : quality;
}

/** A source that it may not watch is one that it does not know of. @param sourceId undefined, null: one that it watches */
async function throwUnlessMayWatch(sourceId: string | null | undefined, rights: ViewerRights): Promise<void> {
  if (typeof sourceId === 'string' && !(await rights.mayWatch(sourceId))) throw sourceNotFound(sourceId);
}

async function rethrowReadable(error: unknown, rights: ViewerRights): Promise<never> {
  throw error instanceof MediaPeerError ? await rights.readable(error) : error;
}
