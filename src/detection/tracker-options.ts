/**
 * Every number of the tracker, in one place. Structure and names follow SORT (Bewley et al., "Simple Online and
 * Realtime Tracking", 2016) and ByteTrack (Zhang et al., 2022). What OC-SORT (Cao et al., 2023) restores after an
 * occlusion, a velocity made of sightings alone, holds here by itself: filters step from sighting to sighting. The
 * values were chosen on label sequences (`npm run bench -- tracker`), ten detections per second.
 */
export interface TrackerOptions {
  /** Detections from here up make new objects; weaker ones keep objects alone (ByteTrack's two rounds). In [0, 1]. Default 0.4. */
  readonly scoreThreshold: number;
  /** A detection this sure is shown at once, others from their second hit. In [0, 1]. Default 0.65. */
  readonly sureScore: number;
  /** Overlap that makes a detection and an expected box candidates for one object, however far off the motion model is. In [0, 1]. Default 0.15. */
  readonly minIou: number;
  /** Weak detections must overlap so much. In [0, 1]. Default 0.3. */
  readonly minIouWeak: number;
  /** A detection of another class must overlap this much: the model wavers between car and truck, but a rider is not the bicycle. In [0, 1]. Default 0.6. */
  readonly minIouOtherClass: number;
  /** An object seen once has no known speed yet: its gate, in box sizes. Default 1. */
  readonly gateFirst: number;
  /** Boxes that hardly overlap may be one object up to this many box sizes between their centres, */
  readonly gateSizes: number;
  /** ... and so many more for every second that the object was lost. Default 0.6 and 0.7. */
  readonly gateGrowth: number;
  /** Weight of that distance, in gates, beside the overlap, in [0, 1], in the fit of a pair. Default 2. */
  readonly distanceWeight: number;
  /** Objects cross where expected boxes share this much of the smaller one, in [0, 1]. Default 0.15. */
  readonly crossingOverlap: number;
  /** There, a length that differs from what is expected by a factor of f is measured 1 + this |ln f| times worse. Default 4. */
  readonly oddLengthNoise: number;
  /** A box's size may change by this factor between two sightings. Default 1.6. */
  readonly maxSizeRatio: number;
  /** An object that detections miss is shown this long after its last sighting, ms, */
  readonly coastMs: number;
  /** ... or this many detection intervals where those are longer. Default 300 and 2.5. */
  readonly coastIntervals: number;
  /** An object is remembered this long after its last sighting, ms (SORT's max age, ByteTrack's 30 frames), */
  readonly memoryMs: number;
  /** ... or this many detection intervals where those are longer. Default 2000 and 5. */
  readonly memoryIntervals: number;
  /** Standard deviation of a measured coordinate, in lengths of the box along it. Default 0.04. */
  readonly measurementNoise: number;
  /** Weak detections are measured this many times worse (NSA Kalman filter, Du et al., 2021). Default 2.5. */
  readonly weakNoise: number;
  /** Standard deviation of an object's acceleration, box sizes/s². Default 0.7. */
  readonly acceleration: number;
  /** Factor on it while an object turns or brakes (see kalman.ts). Default 3. */
  readonly agility: number;
  /** Standard deviation of the acceleration of its size, box sizes/s². Default 0.5. */
  readonly sizeAcceleration: number;
  /** Standard deviation of the velocity of an object seen once, box sizes/s. Default 1. */
  readonly firstSpeed: number;
  /** Growth of a size fades with this time constant, ms. Default 200. */
  readonly sizeFadeMs: number;
}

/** What holds for options that are left out. */
export const TRACKER_DEFAULTS: TrackerOptions = {
  scoreThreshold: 0.4,
  sureScore: 0.65,
  minIou: 0.15,
  minIouWeak: 0.3,
  minIouOtherClass: 0.6,
  gateFirst: 1,
  gateSizes: 0.6,
  gateGrowth: 0.7,
  distanceWeight: 2,
  crossingOverlap: 0.15,
  oddLengthNoise: 4,
  maxSizeRatio: 1.6,
  coastMs: 300,
  coastIntervals: 2.5,
  memoryMs: 2000,
  memoryIntervals: 5,
  measurementNoise: 0.04,
  weakNoise: 2.5,
  acceleration: 0.7,
  agility: 3,
  sizeAcceleration: 0.5,
  firstSpeed: 1,
  sizeFadeMs: 200,
};
