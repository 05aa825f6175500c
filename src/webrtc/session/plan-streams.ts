/** The streams of a viewer, as the plan of its m-lines asks for them. */
import { randomInt } from 'node:crypto';
import type { Rendition, TrackKey, VideoCodec } from '../../media/index.js';
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
}

/** What is sent, by m-line, undefined where that is nothing; one MediaStream for each rendition, the audio with the first. */
export function planStreams({ plan, announced, ...common }: StreamsInit): (ViewerStream | undefined)[] {
  const names = streamNames();
  const offsets = new Map<Rendition | 'audio', number>();
  const offsetOf = (name: Rendition | 'audio'): number => {
    const offset = offsets.get(name) ?? randomInt(2 ** 32);
    offsets.set(name, offset);
    return offset;
  };
  return plan.mLines.map((mLine, i) => {
    if (mLine.use !== 'video' && mLine.use !== 'audio') return undefined;
    const rendition = mLine.use === 'video' ? mLine.rendition : (plan.renditions[0] ?? 'raw');
    const key: TrackKey =
      mLine.use === 'video' ? { kind: 'video', rendition: mLine.rendition, codec: mLine.codec.codec as VideoCodec } : { kind: 'audio' };
    const local = announced?.[i] ?? names.next(mLine.use, rendition, true);
    return new ViewerStream({
      mLine,
      key,
      timestampOffset: offsetOf(mLine.use === 'video' ? mLine.rendition : 'audio'),
      local: codecsOf(mLine.codec).some(({ rtx }) => rtx) ? local : { ...local, rtxSsrc: undefined },
      ...common,
    });
  });
}
