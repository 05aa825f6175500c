/** Everything that runs ffmpeg or reads what it writes. Knows files only by their path, and no viewers. */
export { Backoff, type BackoffOptions } from '../base/backoff.js';
export { childProcessIds } from './children.js';
export type { FfmpegDeps, FfmpegTools } from './deps.js';
export { openDecoder, type Decoder, type DecoderOptions } from './decoder.js';
export { bitrateFor, canEncode, openEncoder, type Encoder, type EncoderOptions } from './encoder.js';
export { colourFilters, planColour, whyColourNotCopied, whyColourNotShown, type ColourPlan } from './colour.js';
export type * from './copied-frame.js';
export { FlvParser } from './flv.js';
export { readKeyframePictures, type KeyframePicture, type KeyframePicturesOptions } from './keyframe-pictures.js';
export { matroskaHeader, matroskaOpusHeader, matroskaPictureHeader, matroskaSoundHeader } from './matroska-writer.js';
export { OggOpusParser } from './ogg-opus.js';
export { describeOrientation, isOnItsSide, orientationFilters, UPRIGHT, type Orientation } from './orientation.js';
export { openOutputSocket, type OutputSocket } from './output-socket.js';
export { type ProcessPort } from './fluent.js';
export { ProcessCounts } from './process-counts.js';
export { openProcess, type FfmpegProcess, type ProcessEnd, type ProcessSpec } from './process.js';
export { runTool, type ToolOutput } from './run-tool.js';
export { findFfmpeg } from './tools.js';
export { NUT_OUTPUT } from './nut.js';
export { NutH265Parser } from './nut-h265.js';
export { NutParser, type PictureSink } from './nut-pictures.js';
export type { AudioStreamInfo, VideoStreamInfo } from './listing.js';
export type { ClockJumps, PacketInfo } from './packets.js';
export { NOT_EXAMINED, probe, SAFE_INPUT, SAFE_LIST_INPUT, type ProbeResult } from './probe.js';
export {
  DEVICE_FORMATS,
  isDeviceFormat,
  isRtsp,
  LIVE_SCHEMES,
  liveInputPort,
  liveOptionRules,
  STREAM_FORMATS,
  type CallOptions,
  type DeviceFormat,
  type LiveInput,
  type LiveScheme,
} from './live-input.js';
export { probeLive, type LiveFinding } from './probe-live.js';
export { causeOf, inWords, saysAway, saysLoginRefused, type CameraCause } from './camera-words.js';
export { redactor, redactShapes, type Redact } from './redact.js';
