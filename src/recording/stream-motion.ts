/**
 * Motion as far as a coded stream tells of it, without a look at its pictures: where something moves, an encoder needs more bytes for
 * what has changed. Seconds are compared with what the source needs while nothing moves. Cameras that send a constant bit rate show
 * little of it.
 */

/** A picture as it stands in a file. */
export interface CodedPicture {
  /** When it was captured, Unix milliseconds. */
  readonly wallMs: number;
  /** Its size. */
  readonly bytes: number;
  /** It shows everything anew, so its size says nothing of motion. */
  readonly keyframe: boolean;
}

/** How much moved in a minute of UTC. */
export interface MotionMinute {
  /** Its beginning, Unix milliseconds. */
  readonly atMs: number;
  /** Share of its seconds in which something moved, in [0, 1]. */
  readonly motion: number;
}

interface Second {
  readonly atMs: number;
  readonly bytes: number;
  readonly pictures: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
/** Above what is usual: so many times what seconds differ by anyway, for noise of a sensor and what an encoder makes of it; at least that share; and a few bytes. */
const [DEVIATIONS, LEAST_SHARE, LEAST_BYTES] = [3, 0.3, 20];
/** What seconds differ by is learned that fast. */
const LEARNING = 1 / 20;
/** A quieter second is soon the usual one; a scene that stays restless is, after some ten minutes. */
const [FALL, RISE] = [1 / 5, 1 / 1200];

/** Follows one source, segment by segment. */
export class StreamMotion {
  /** Bytes of a picture while nothing moves. */
  #usual: number | undefined;
  /** What seconds without motion differ from that by. */
  #deviation: number | undefined;

  /** The minutes of a segment, oldest first; those without a picture to go by are left out. @param pictures in order */
  async minutesOf(pictures: AsyncIterable<CodedPicture>): Promise<MotionMinute[]> {
    const minutes = new Map<number, { seconds: number; moving: number }>();
    for await (const second of secondsOf(pictures)) {
      const atMs = Math.floor(second.atMs / MINUTE_MS) * MINUTE_MS;
      const minute = minutes.get(atMs) ?? { seconds: 0, moving: 0 };
      minute.seconds++;
      if (this.#isMoving(second.bytes / second.pictures)) minute.moving++;
      minutes.set(atMs, minute);
    }
    return [...minutes].map(([atMs, { seconds, moving }]) => ({ atMs, motion: moving / seconds }));
  }

  #isMoving(bytes: number): boolean {
    const usual = this.#usual ?? bytes;
    const above = bytes - usual;
    const deviation = this.#deviation ?? LEAST_SHARE * usual + LEAST_BYTES;
    const isMoving = above > Math.max(DEVIATIONS * deviation, LEAST_SHARE * usual) + LEAST_BYTES;
    this.#deviation = deviation + (isMoving ? RISE : LEARNING) * (Math.abs(above) - deviation);
    this.#usual = usual + (above < 0 ? FALL : RISE) * above;
    return isMoving;
  }
}

async function* secondsOf(pictures: AsyncIterable<CodedPicture>): AsyncGenerator<Second> {
  let second: { readonly atMs: number; bytes: number; pictures: number } | undefined;
  for await (const { wallMs, bytes, keyframe } of pictures) {
    if (keyframe) continue;
    const atMs = Math.floor(wallMs / SECOND_MS) * SECOND_MS;
    if (second && second.atMs !== atMs) yield second;
    if (second?.atMs !== atMs) second = { atMs, bytes: 0, pictures: 0 };
    second.bytes += bytes;
    second.pictures++;
  }
  if (second) yield second;
}
