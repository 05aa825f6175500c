/** Transport-wide numbers are of use only where they are on all video of a transport. Pure. */
import type { NegotiatedCodec } from './codecs.js';

const NUMBERED = 'transport-cc';

/** What is looked at of the plan of an m-line. */
interface PlannedLine {
  readonly use: string;
  readonly transport: number | undefined;
  readonly codec?: NegotiatedCodec;
}

/**
 * Leaves them out of transports where a video m-line that sends was offered without them: what is acknowledged would be taken for
 * all that arrives, as small as the sound, or one picture of two. Sound may go without.
 */
export function numberedAsAWhole<M extends PlannedLine>(mLines: readonly M[]): M[] {
  const isPlain = ({ use, codec }: M): boolean => use === 'video' && codec?.feedback.includes(NUMBERED) === false;
  const partly = new Set(mLines.filter(isPlain).map(({ transport }) => transport));
  return mLines.map((mLine) => (mLine.codec && partly.has(mLine.transport) ? { ...mLine, codec: unnumbered(mLine.codec) } : mLine));
}

function unnumbered(codec: NegotiatedCodec): NegotiatedCodec {
  const feedback = codec.feedback.filter((value) => value !== NUMBERED);
  return { ...codec, feedback, ...(codec.beside && { beside: unnumbered(codec.beside) }) };
}
