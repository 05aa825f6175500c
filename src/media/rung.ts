/** The qualities in which a rendition is to be had: one is the source's own, those below it cost the network less. */

/** Name of the best rung of every ladder. */
export const SOURCE_RUNG = 'source';

/** One quality of a rendition in one codec. */
export interface Rung {
  /** `source`, or its short side: `540p`. How commands and statistics name it; no two of a ladder are the same. */
  readonly name: string;
  /** In pixels; undefined before it is known. */
  readonly widthPx: number | undefined;
  /** In pixels; undefined before it is known. */
  readonly heightPx: number | undefined;
  /** Payload bits a second: measured where it runs, of a lower rung never less than it is made with; undefined before it is known. */
  readonly bitrateBps: number | undefined;
  /** Frames of it flow now: whoever changes to it waits for no encoder to start. */
  readonly isRunning: boolean;
  /** False where leasing it would be refused now (CAPACITY_REACHED): it has to be encoded, and too few places for that are free. */
  readonly isAvailable: boolean;
  /** A keyframe of it can be made on demand; else a short replay begins it. */
  readonly makesKeyframes: boolean;
}
