/** What was offered and chosen, m-line by m-line, for a session's report. Pure. */
import { offeredCodecs } from './codecs.js';
import type { MLinePlan } from './negotiate.js';
import type { MLineReport } from '../api/report.js';

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
/** Codecs of a browser's offer, several times. */
const MAX_CODECS = 64;

/** One report for each m-line of the offer, in its order. */
export function mLineReports(mLines: readonly MLinePlan[]): MLineReport[] {
  return mLines.map((mLine) => {
    const { section } = mLine;
    return {
      mid: section.mid,
      kind: section.kind,
      direction: DIRECTIONS.find((direction) => section.attributes.has(direction)) ?? 'sendrecv',
      offered: [
        ...new Set(
          offeredCodecs(section).map(({ name, fmtp }) => (fmtp === undefined || /^rtx$/i.test(name) ? name : `${name} (${fmtp})`)),
        ),
      ].slice(0, MAX_CODECS),
      chosen: chosenOf(mLine),
      reason: mLine.use === 'none' ? mLine.reason : undefined,
    };
  });
}

function chosenOf(mLine: MLinePlan): string | undefined {
  if (mLine.use === 'none') return undefined;
  return mLine.use === 'data' ? 'data channels' : mLine.codec.codec;
}
