/** The filter that plays a file whose clock restarts or jumps as if it just ran. */
import type { ClockJumps } from '../../ffmpeg/index.js';

/** What a list of passes says a pass takes, where the file's own times may lie anywhere within it: no step in a file is half as long. */
export const WIDE_PASS_S = 1e6;

/**
 * An expression for `setpts` and `asetpts`: counts jumps, adds what belongs to each, and puts each pass behind the one
 * before. It remembers the number of the jump in variable 0 and that of the pass in variable 1.
 */
export function straightTimes({ shiftsS, forwardS, backwardS }: ClockJumps, passS: number): string {
  const stepS = '(PTS-PREV_INPTS)*TB';
  const isForward = Number.isFinite(forwardS) ? `gt(${stepS},${forwardS.toFixed(3)})` : '0';
  const isJump = `gt(lt(${stepS},${(-backwardS).toFixed(3)})+${isForward},0)`;
  const isNewPass = `gt(${stepS},${WIDE_PASS_S / 2})`;
  const count = `if(isnan(PREV_INPTS),0*st(1,0),if(${isNewPass},0*st(1,ld(1)+1),ld(0)+${isJump}))`;
  // A sum, because ffmpeg bounds how deep an expression nests.
  const shift = shiftsS.map((shiftS, i) => `+gte(ld(0),${i + 1})*(${(shiftS - (shiftsS[i - 1] ?? 0)).toFixed(6)})`).join('');
  return `st(0,${count})*0+PTS+(0${shift}-ld(1)*${(WIDE_PASS_S - passS).toFixed(6)})/TB`;
}
