/** What is seen in a picture, as values that belong to that very picture and travel with its media time. */

/** Left, top, width, height in pixels of the source's picture; inside the picture. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** One object that the detector found. */
export interface Detection {
  /** In pixels of the frame. */
  readonly box: Box;
  /** Index into the model's labels. */
  readonly classId: number;
  /** Name of the class, as the model has it. */
  readonly label: string;
  /** Confidence in [0, 1]. */
  readonly score: number;
}

/** A detection that is followed from picture to picture. */
export interface TrackedObject extends Detection {
  /** Ascending from 1, never reused while the source runs. */
  readonly objectId: number;
  /** Of the box's centre, pixels a second. */
  readonly velocity: readonly [x: number, y: number];
  /** False where the detector did not find it in this very picture: the box is where it is expected. */
  readonly isObserved: boolean;
}

/** How many, by label. Labels of which there is none are left out. */
export type LabelCounts = Readonly<Record<string, number>>;

/** What is inside a polygon now. */
export interface ZoneState {
  /** As the zones file names it. */
  readonly id: string;
  /** Inside now, longest there first. One that is hidden for a moment is still inside. */
  readonly objectIds: readonly number[];
  /** Of the objects inside. */
  readonly byLabel: LabelCounts;
}

/** What has crossed a line since counting began. Looking from the line's first point to its second, `in` goes from the left to the right side. */
export interface LineState {
  /** As the zones file names it. */
  readonly id: string;
  /** Crossings from left to right, looking from the first point of the line to the second. */
  readonly in: number;
  /** Crossings the other way. */
  readonly out: number;
  /** Of `in`, by label. */
  readonly inByLabel: LabelCounts;
  /** Of `out`, by label. */
  readonly outByLabel: LabelCounts;
}

/** Something that happened in a picture. */
export interface SceneEvent {
  /** A zone is entered and left, a line is crossed. */
  readonly type: 'enter' | 'leave' | 'cross';
  /** Id of the zone or line. */
  readonly id: string;
  /** Of a crossing. */
  readonly direction?: 'in' | 'out';
  /** Of the object that is followed. */
  readonly objectId: number;
  /** Name of its class. */
  readonly label: string;
  /** Number of its class. */
  readonly classId: number;
  /** Of the object, when it was last seen. */
  readonly score: number;
  /** The object's anchor, pixels of the source's picture, where it was last seen. */
  readonly position: readonly [x: number, y: number];
  /** Of a `leave`: milliseconds of media time inside, to the last sight of it there. */
  readonly dwellMs?: number;
}

/** What zones and lines make of a picture's objects. */
export interface Scene {
  /** Every zone of the source. */
  readonly zones: readonly ZoneState[];
  /** Every line of the source. */
  readonly lines: readonly LineState[];
  /** Of this picture: first of objects that are gone, then in the order of the objects. */
  readonly events: readonly SceneEvent[];
}

/** What was seen in one picture that the detector looked at. Immutable and shared by all readers. */
export interface FrameDetections {
  /** The source that the frame is of. */
  readonly sourceId: string;
  /** Of the picture, on the source's timeline: media time × nominal frame rate. Ascending, across loops and restarts too. */
  readonly frame: number;
  /** Milliseconds on the source's timeline. */
  readonly mediaTimeMs: number;
  /** When it was captured, UTC in ms; undefined where nobody knows. */
  readonly wallMs?: number | undefined;
  /** Size of the picture. */
  readonly widthPx: number;
  /** Height of the frame, in pixels. */
  readonly heightPx: number;
  /** Time of inference alone; 0 where the motion gate skipped it. */
  readonly inferenceMs: number;
  /** Oldest first. */
  readonly objects: readonly TrackedObject[];
  /** Undefined where the source has neither zones nor lines. */
  readonly scene: Scene | undefined;
}
