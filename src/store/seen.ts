/** What was seen in recordings, as values: each object once, where it was and what it crossed, and how much was seen a minute. */

/** A zone that an object was in, or a line that it crossed. */
export interface SeenVisit {
  /** Id of the zone or line. */
  readonly place: string;
  /** Of a crossing; undefined: the place is a zone. */
  readonly direction: 'in' | 'out' | undefined;
  /** When it entered or crossed, Unix milliseconds. */
  readonly atMs: number;
  /** When it left the zone; undefined: it was inside when it was last seen, or it is a crossing. */
  readonly leftMs: number | undefined;
}

/** One object from when it was first seen until it was last seen. */
export interface SeenObject {
  /** Ascends, also over restarts. */
  readonly id: number;
  /** The source that it was seen in. */
  readonly sourceId: string;
  /** As in the detections of that time; used again after the source has started anew. */
  readonly objectId: number;
  /** What it was taken for most often. */
  readonly label: string;
  /** Unix milliseconds. */
  readonly firstMs: number;
  /** Unix milliseconds. */
  readonly lastMs: number;
  /** The best, in [0, 1]. */
  readonly score: number;
  /** When it had that score, Unix milliseconds. */
  readonly bestMs: number;
  /** In the order in which they began. */
  readonly visits: readonly SeenVisit[];
}

/** How many objects of one label there were. */
export interface LabelDensity {
  /** Different ones. */
  readonly seen: number;
  /** Most of them in one frame. */
  readonly most: number;
}

/** What was seen in one minute of UTC. */
export interface SeenMinute {
  /** The source. */
  readonly sourceId: string;
  /** Its beginning, Unix milliseconds. */
  readonly atMs: number;
  /** Share of the looks at which something moved, in [0, 1]; undefined: nobody looked. */
  readonly motion: number | undefined;
  /** By label; those of which there was none are left out. */
  readonly byLabel: Readonly<Record<string, LabelDensity>>;
}

/** What the minutes of a step of a timeline tell. */
export interface SeenStep {
  /** Which step; the first is 0. */
  readonly step: number;
  /** In its busiest minute, in [0, 1]: of those who looked, else of the stream; undefined: neither is known. */
  readonly motion: number | undefined;
  /** Somebody looked. */
  readonly isLookedAt: boolean;
  /** Most objects of a label in one frame, by label. */
  readonly most: Readonly<Record<string, number>>;
}

/** How many different objects of a label were there in a step of a timeline. */
export interface SeenDensity {
  /** Which step; the first is 0. */
  readonly step: number;
  /** What they were. */
  readonly label: string;
  /** Who is there in several steps is counted in each. */
  readonly seen: number;
}

/** What somebody looks for: objects; where a zone is named, their stays in it; where a line is named, their crossings. */
export interface SeenQuery {
  /** In these sources alone. */
  readonly sourceIds: readonly string[];
  /** Of these labels alone. Default: all. */
  readonly labels?: readonly string[] | undefined;
  /** Stays in this zone. Not with `line`. */
  readonly zone?: string | undefined;
  /** Crossings of this line. */
  readonly line?: string | undefined;
  /** Crossings in this direction alone. */
  readonly direction?: 'in' | 'out' | undefined;
  /** What began in one of these stretches of Unix milliseconds, the end not in it; none overlaps another. At most 400. */
  readonly within: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** What took as long at least, in milliseconds; of a crossing: the object. */
  readonly minMs?: number | undefined;
  /** What took as long at most, in milliseconds. */
  readonly maxMs?: number | undefined;
  /** Objects of this score at least. */
  readonly minScore?: number | undefined;
  /** What follows that in the order that was asked for. */
  readonly after?: SeenPlace | undefined;
  /** Newest first. */
  readonly isDescending: boolean;
  /** At most so many. */
  readonly limit: number;
}

/** Where something stands among all that was found. */
interface SeenPlace {
  /** When it began, Unix milliseconds. */
  readonly atMs: number;
  /** Of the object. */
  readonly id: number;
  /** Which of the object's visits; 0 for an object. */
  readonly visit: number;
}

/** Something that was found. */
export interface SeenHit extends SeenPlace {
  /** The object. */
  readonly object: Omit<SeenObject, 'visits'>;
  /** The stay or crossing that was looked for; undefined: the object itself. */
  readonly found: SeenVisit | undefined;
}

/** Something to write about what was seen. */
export type SeenEntry =
  /** Takes the place of the one of that id. */
  | { readonly kind: 'seen-object'; readonly object: SeenObject }
  /** Is added to what is known of that minute. */
  | { readonly kind: 'seen-minute'; readonly minute: SeenMinute }
  /** How much moved in the minute that begins then, as far as the recorded stream tells: in [0, 1]. */
  | { readonly kind: 'seen-motion'; readonly sourceId: string; readonly atMs: number; readonly motion: number }
  /** What was seen last in a stretch of Unix milliseconds is forgotten, the end not in it. */
  | { readonly kind: 'forget-seen'; readonly sourceId: string; readonly fromMs: number; readonly toMs: number }
  /** What was seen last before is forgotten where no segment covers it. */
  | { readonly kind: 'sweep-seen'; readonly beforeMs: number };

/** A stretch of Unix milliseconds of one source. */
interface OfSource {
  readonly sourceId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A question about what was seen. */
export type SeenQuestion =
  | { readonly kind: 'seen'; readonly query: SeenQuery }
  /** What minutes tell, by steps of that many milliseconds. At most 5000 steps. */
  | ({ readonly kind: 'seen-steps'; readonly stepMs: number } & OfSource)
  /** Objects by steps of that many milliseconds. At most 5000 steps. */
  | ({ readonly kind: 'seen-density'; readonly stepMs: number } & OfSource)
  /** Labels of objects that were there in the stretch, 100 at most. */
  | ({ readonly kind: 'seen-labels' } & OfSource)
  /** Of the newest object. */
  | { readonly kind: 'last-seen-id' };

/** What each is answered with. */
export interface SeenAnswers {
  /** In the order that was asked for. */
  readonly seen: SeenHit[];
  /** Oldest first; those without minutes are left out. */
  readonly 'seen-steps': SeenStep[];
  /** In no order; those without objects are left out. */
  readonly 'seen-density': SeenDensity[];
  /** In no order. */
  readonly 'seen-labels': string[];
  /** 0 where there is none. */
  readonly 'last-seen-id': number;
}
