/** The client library: watches what a Sightline server sends, publishes cameras to it, and keeps both alive. */
export { watch, type DetectionFilter, type WatchEvents, type WatchOptions, type Watching } from './watching.js';
export { publish, type PublishEvents, type PublishOptions, type PublisherCommand, type Publishing } from './publishing.js';
export { login, logout, signedUrls, type Credentials, type LoggedIn, type ServerOptions, type SignedUrls } from './login.js';
export { SightlineError, REASONS, type ErrorFacts, type Reason } from './errors.js';
export type { ConnectionEvents, ConnectionOptions } from './kept-connection.js';
export type { State, StateChange } from './reconnector.js';
export type { DetectedObject, DetectionsMessage, LineCount, ZoneCount } from './detection-message.js';
export { FramePairing, type Arrival, type BoxesKind, type FrameBoxes, type PairingCounts } from './frame-pairing.js';
export { PAIRING_TOLERANCE_TICKS } from './message-timeline.js';
export type { Latency } from './latency.js';
export type { Position, PositionState } from './position.js';
export type { QualityChange, QualityReason } from './quality.js';
export type { Elements, TrackName, WatchedTrack } from './streams.js';
export type { ConnectionTimes, Rendition } from './viewing.js';
export type { Environment, PageEvent } from './environment.js';
export type { Clock, Timer } from './clock.js';
export type { Unsubscribe } from './emitter.js';
