/** The commands that move a viewer in time. */
import { MediaPeerError } from '../../base/errors.js';
import type { PlaybackControl } from '../../media/index.js';
import type { ViewerRights } from '../api/rights.js';
import type { Command } from './commands.js';
import type { WatchedMedia } from './watched-media.js';

type Move = Extract<Command, { cmd: 'seek' | 'speed' | 'step' | 'live' | 'redetect' }>;

/** Returns what the answer says beside `ok`. @throws MediaPeerError FORBIDDEN, COMMAND_UNSUPPORTED; as `WatchedMedia.seek` and `goLive`, and `PlaybackControl.redetect` */
export async function movePlayback(command: Move, media: WatchedMedia, rights: ViewerRights): Promise<object> {
  if (command.cmd === 'live') {
    await media.goLive().catch(async (error: unknown) => {
      throw error instanceof MediaPeerError ? await rights.readable(error) : error;
    });
    return {};
  }
  await throwUnlessMayPlayBack(media.sourceId, rights);
  if (command.cmd === 'seek') {
    await media.seek(command.at * 1000);
    return {};
  }
  const playback = playbackOf(media, command.cmd);
  if (command.cmd === 'redetect') await playback.redetect(command.model ?? undefined);
  else if (command.cmd === 'speed') playback.setSpeed(command.value);
  else await playback.step(command.frames);
  return {};
}

function playbackOf({ playback, sourceId }: WatchedMedia, cmd: string): PlaybackControl {
  if (playback) return playback;
  throw new MediaPeerError(
    'COMMAND_UNSUPPORTED',
    `'${sourceId}' is watched as it is now, which cannot be moved with ${cmd}; go to a time that was recorded first: {"cmd":"seek","at":<Unix seconds>}`,
  );
}

async function throwUnlessMayPlayBack(sourceId: string, rights: ViewerRights): Promise<void> {
  if (!(await rights.mayPlayBack(sourceId))) throw new MediaPeerError('FORBIDDEN', `recordings of '${sourceId}' need the right playback`);
}
