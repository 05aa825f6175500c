/**
 * One voice in trouble: while a picture is on the stage, one line says what is wrong with it, the worst first, in the
 * server's words where it has any. Knows no DOM; time is handed in.
 */

/** A picture that is older than this stands still, where its source should bring more. */
const OLD_MS = 3_000;
/** … and so many of its source's intervals. */
const OLD_INTERVALS = 3;
/** A server that detects has sent a message long before. */
const DETECTIONS_EXPECTED_MS = 5_000;
/** A page in the background is not asked; what it finds when it is back is no silence. */
const LOOKED_AWAY_MS = 2_000;

/** When the newest picture came, told by a count that grows with each. */
export class PictureWatch {
  #count;
  #lookedAt;
  /** On the clock of `look`; undefined before the first picture. @type {number | undefined} */
  at;

  /** @param {number} count pictures so far @param {number} now ms */
  look(count, now) {
    if (count > 0 && (count !== this.#count || now - this.#lookedAt > LOOKED_AWAY_MS)) this.at = now;
    this.#count = count;
    this.#lookedAt = now;
  }
}

/**
 * @param {object} seen
 * @param {{ kind?: string, state?: string, reason?: string, fps?: number | null }} [seen.video] of `GET /available-videos`
 * @param {number} [seen.pictureAgeMs] undefined before the first picture
 * @param {{ trouble?: string, silenceMs: number }} [seen.overlay] undefined where the view shows no detections
 * @param {boolean} seen.detectorLoaded
 * @returns {string} empty where nothing is wrong
 */
export function troubleOf({ video = {}, pictureAgeMs = 0, overlay, detectorLoaded }) {
  const { state, reason, fps } = video;
  const isAway = state === 'waiting' || state === 'empty';
  const oldMs = Math.max(OLD_MS, fps > 0 ? (OLD_INTERVALS * 1000) / fps : 0);
  const stands = pictureAgeMs > oldMs ? ` The picture is ${age(pictureAgeMs)} old.` : '';
  if (isAway) return `Waiting for the camera${reason ? `: ${reason}` : ''}.${stands}`;
  if (stands) return `No new picture comes.${stands}`;
  if (overlay?.trouble !== undefined) return overlay.trouble;
  if (overlay && overlay.silenceMs >= DETECTIONS_EXPECTED_MS) return 'The server sends no detections.';
  return detectorLoaded ? '' : 'The server runs without a detector: there are pictures, and no boxes.';
}

/** Such as `12 s` or `3 min`. @param {number} ms */
export function age(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
