/** How a source is recorded. */

/** `continuous`: always; `events`: around what happens at its zones and lines; `off`: not at all. */
export const RECORDING_MODES = ['continuous', 'events', 'off'] as const;
/** `always`: the detector looks for the recording; `when_seen`: what it finds while somebody wants to know; `off`: nothing is kept. */
export const DETECTIONS_KEPT = ['always', 'when_seen', 'off'] as const;

/** When a source is recorded. */
type RecordingMode = (typeof RECORDING_MODES)[number];
/** Which detections lie beside a recording. */
export type DetectionsKept = (typeof DETECTIONS_KEPT)[number];

/** How one source is recorded. */
export interface RecordingSettings {
  /** When. */
  readonly mode: RecordingMode;
  /** Of `events`: seconds before each, 0 to 60. They wait in memory. */
  readonly preS: number;
  /** Of `events`: seconds after each, 1 to 3600. */
  readonly postS: number;
  /** Undefined: `always` where the source has zones, else `when_seen`. */
  readonly detections: DetectionsKept | undefined;
}

/** What counts where nothing else is said. */
export const DEFAULT_SETTINGS: Omit<RecordingSettings, 'mode'> = { preS: 5, postS: 10, detections: undefined };
