/** The streams of a viewer, as the plan of its m-lines asks for them. */
import { randomInt } from 'node:crypto';
import { ReplayPace, type Rendition, type TrackKey, type VideoCodec } from '../../media/index.js';
import { codecsOf } from '../sdp/codecs.js';
import type { LocalStream } from '../sdp/answer.js';
import type { Plan } from '../sdp/negotiate.js';
import { streamNames } from '../sdp/stream-names.js';
import { ViewerStream, type ViewerStreamInit } from './viewer-stream.js';

/** What is sent, and of what. */
export interface StreamsInit extends Pick<ViewerStreamInit, 'clock' | 'onFirstFrame' | 'onChanged' | 'onStuck' | 'maxReplayBytes'> {
  /** What was agreed on. */
  readonly plan: Plan;
  /** Numbers and names that an offer of this server has told already, for each m-line; left out: they are made up. */
  readonly announced?: readonly (LocalStream | undefined)[] | undefined;
  /** Each m-line of video shows something of its own. */
  readonly isWall: boolean;
}

/** What is sent, by m-line, undefined where that is nothing; one MediaStream for each rendition or tile of a wall, the audio with the first. */
export function planStreams({ plan, announced, isWall, ...common }: StreamsInit): (ViewerStream | undefined)[] {
  const names = streamNames();
  const offsets = new Map<string, number>();
  const offsetOf = (group: string): number => {
    const offset = offsets.get(group) ?? randomInt(2 ** 32);
    offsets.set(group, offset);
    return offset;
  };
  const groupOf = ({ rendition, tile }: { readonly rendition: Rendition; readonly tile: number }): string =>
    isWall ? `tile${tile}` : rendition;
  const replayPace = new ReplayPace(common.clock);
  const first = plan.mLines.find((mLine) => mLine.use === 'video');
  return plan.mLines.map((mLine, i) => {
    if (mLine.use !== 'video' && mLine.use !== 'audio') return undefined;
    const key: TrackKey =
      mLine.use === 'video' ? { kind: 'video', rendition: mLine.rendition, codec: mLine.codec.codec as VideoCodec } : { kind: 'audio' };
    const shown = mLine.use === 'video' ? mLine : first;
    const local = announced?.[i] ?? names.next(mLine.use, shown ? groupOf(shown) : 'raw', true);
    return new ViewerStream({
      mLine,
      key,
      timestampOffset: offsetOf(mLine.use === 'video' ? groupOf(mLine) : 'audio'),
      local: codecsOf(mLine.codec).some(({ rtx }) => rtx) ? local : { ...local, rtxSsrc: undefined },
      replayPace,
      ...common,
    });
  });
}
