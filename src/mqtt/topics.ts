/** Where messages go: the topics of a server and of its sources. */
import { createHash } from 'node:crypto';

/** The topics of one source. */
export interface SourceTopics {
  /** Retained: `live`, `waiting` or `off`. */
  readonly state: string;
  /** Each event as it happens. */
  readonly events: string;
  /** Retained: what is in its zones, and what has crossed its lines. */
  readonly counts: string;
  /** What the detector sees, where that is asked for. */
  readonly detections: string;
  /** Retained: a JPEG. */
  readonly snapshot: string;
}

/** MQTT allows 65,535 bytes of a topic as a whole (MQTT 5 §1.5.4). */
const MAX_LEVEL_CHARS = 1024;

/** The topics under one prefix. */
export class Topics {
  readonly #prefix: string;

  /** @param prefix levels of ordinary characters, such as `sightline` or `home/sightline` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Retained: `online`; the broker makes it `offline` when the server is gone. */
  get status(): string {
    return `${this.#prefix}/status`;
  }

  /** Of a source; undefined: of the server itself. */
  events(sourceId: string | undefined): string {
    return sourceId === undefined ? `${this.#prefix}/events` : this.of(sourceId).events;
  }

  of(sourceId: string): SourceTopics {
    const base = `${this.#prefix}/${topicLevel(sourceId)}`;
    return {
      state: `${base}/state`,
      events: `${base}/events`,
      counts: `${base}/counts`,
      detections: `${base}/detections`,
      snapshot: `${base}/snapshot`,
    };
  }
}

/**
 * A name as one level of a topic, which no other name has: all but `A-Z a-z 0-9 . _ -` is percent-encoded UTF-8, so that it has no
 * wildcard, no slash and no control character, and `decodeURIComponent` gives the name back. Of a name that is too long for a
 * topic there is `~` and its SHA-256.
 */
export function topicLevel(name: string): string {
  const level = Array.from(name, (char) => (/^[A-Za-z0-9._-]$/.test(char) ? char : percentEncoded(char))).join('');
  return level.length <= MAX_LEVEL_CHARS ? level : `~${createHash('sha256').update(level).digest('hex')}`;
}

function percentEncoded(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  // Half of a pair has no UTF-8; its own three bytes keep it apart from other halves.
  const isHalf = code >= 0xd800 && code <= 0xdfff;
  const bytes = isHalf ? [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)] : Buffer.from(char);
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
