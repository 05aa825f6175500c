/** Frames, tracks and packets: pure, no I/O; knows no HTTP, no ffmpeg and no WebRTC library. */
export { ArrivalRate } from './arrival-rate.js';
export * from './detection-feed.js';
export * from './detection-message.js';
export * from './detection-reader.js';
export { avcConfiguration, hevcConfiguration } from './decoder-configuration.js';
export type * from './depacketizer.js';
export { createDepacketizer } from './depacketizers.js';
export * from './detections.js';
export * from './encoded-frame.js';
export * from './end-reason.js';
export * from './h264.js';
export { h265Layer, H265NalType, h265NalType, isIrap, isLeading } from './h265.js';
export * from './h265-profile.js';
export { h265Colour, readH265Sps, type H265Sps } from './h265-sps.js';
export { KeyframeRequests } from './keyframe-requests.js';
export type * from './leases.js';
export * from './nal-units.js';
export * from './open-group.js';
export * from './packetized-frame.js';
export * from './playback.js';
export type * from './publication.js';
export {
  ENCODED_PROFILE,
  h264Profile,
  highestProfile,
  keyframeProfile,
  profileDistance,
  profileLevelIdOf,
  type H264Profile,
} from './h264-profile.js';
export { BT601, h264Colour, h264Size, isBt709, vp8Size, type PictureColour, type PictureSize } from './picture-size.js';
export type * from './recording-lease.js';
export * from './rendition.js';
export { ReplayPace } from './replay-pace.js';
export * from './rung.js';
export { BitrateMeter } from './bitrate-meter.js';
export { AUTO_RUNGS, rungName, shortSideOf, type LadderPlan, type PlannedRung } from './ladder-plan.js';
export type { Subscription } from './subscription.js';
export * from './timeline.js';
export * from './track.js';
export * from './video-frame.js';
export * from './fmp4/index.js';
