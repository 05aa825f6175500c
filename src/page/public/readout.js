/** The figures of a viewing and of its overlay: measured from two WebRTC statistics reports, counted by the overlay, and written for a person. */

/**
 * @typedef {object} Figures
 * @property {string} [codec] such as `H264 High`
 * @property {number} [width] pixels
 * @property {number} [height] pixels
 * @property {number} [fps] decoded pictures a second
 * @property {number} [bitrateBps] video and audio, since the previous report
 * @property {number} [packetsLost] video and audio, since the start
 * @property {number} [roundTripMs]
 * @property {number} [jitterBufferMs] mean waiting time since the previous report
 */

const H264_PROFILES = { 42: 'Baseline', '4d': 'Main', 58: 'Extended', 64: 'High' };

/**
 * @param {Map<string, any>} report `RTCStatsReport`
 * @param {Map<string, any>} [previous] the report before it; without it rates are left out
 * @param {string} [trackId] of the video that is looked at; default the first
 * @returns {Figures}
 */
export function measure(report, previous, trackId) {
  const received = [...report.values()].filter(({ type }) => type === 'inbound-rtp');
  const videos = received.filter(({ kind }) => kind === 'video');
  const video = videos.find(({ trackIdentifier }) => trackIdentifier === trackId) ?? videos[0];
  const pair = [...report.values()].find((entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded');
  const figures = {
    codec: codecName(report.get(video?.codecId)),
    width: video?.frameWidth,
    height: video?.frameHeight,
    fps: video?.framesPerSecond,
    packetsLost: received.length === 0 ? undefined : sum(received, 'packetsLost'),
    roundTripMs: pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000,
  };
  const before = previous?.get(video?.id);
  if (!before) return figures;
  const seconds = (video.timestamp - before.timestamp) / 1000;
  const receivedBefore = received.map(({ id }) => previous.get(id)).filter(Boolean);
  if (seconds > 0) figures.bitrateBps = Math.max(0, ((sum(received, 'bytesReceived') - sum(receivedBefore, 'bytesReceived')) * 8) / seconds);
  const emitted = video.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
  if (emitted > 0) figures.jitterBufferMs = ((video.jitterBufferDelay - before.jitterBufferDelay) / emitted) * 1000;
  return figures;
}

/** @param {Figures} figures @param {Record<string, number>} times of the `Viewing` @returns {[string, string][]} */
export function rows(figures, times) {
  const { codec, width, height, fps, bitrateBps, packetsLost, roundTripMs, jitterBufferMs } = figures;
  const since = (from) => (times.firstFrame === undefined || times[from] === undefined ? undefined : `${Math.max(0, Math.round(times.firstFrame - times[from]))} ms`);
  return [
    ['Codec', codec],
    ['Resolution', width && height ? `${width} × ${height}` : undefined],
    ['Frames', fps === undefined ? undefined : `${Math.round(fps)} /s`],
    ['Bitrate', bitrateBps === undefined ? undefined : bitrate(bitrateBps)],
    ['First picture from click', since('clicked')],
    ['… from offer sent', since('posted')],
    ['… from connected', since('connected')],
    ['Jitter buffer', jitterBufferMs === undefined ? undefined : `${Math.round(jitterBufferMs)} ms`],
    ['Round trip', roundTripMs === undefined ? undefined : `${roundTripMs < 10 ? roundTripMs.toFixed(1) : Math.round(roundTripMs)} ms`],
    ['Packets lost', packetsLost === undefined ? undefined : String(packetsLost)],
  ].map(([name, value]) => [name, value ?? '–']);
}

/** How frames are told apart, for a person; empty where each frame says it itself. */
const EXACTNESS = { frame: '', receiver: ' (by the receiver, this browser names no frames)', none: ' (newest boxes, this browser names no frames)' };

/**
 * @param {ReturnType<import('./overlay.js').Overlay['figures']>} figures
 * @returns {[string, string][]}
 */
export function overlayRows({ frames, paired, withMessage, moved, outdated, late, lost, detector, delayMs, exactness }) {
  return [
    ['Frames paired', `${grouped(paired)} of ${grouped(withMessage)}${EXACTNESS[exactness] ?? ''}`],
    ['Boxes moved on', `${grouped(moved + outdated)} of ${grouped(frames)}`],
    ['Messages late', grouped(late)],
    ['Messages lost', grouped(lost)],
    ['Detector', detector && `${detector.inferenceMs.toFixed(1)} ms · ${Math.round(detector.perSecond)} /s`],
    ['Extra delay', `${delayMs} ms`],
  ].map(([name, value]) => [name, value ?? '–']);
}

/** Thousands apart: `1 432`. @param {number} count */
export function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** @param {number} bps */
export function bitrate(bps) {
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bps / 1e3)} kbit/s`;
}

function codecName(codec) {
  if (!codec) return undefined;
  const name = codec.mimeType.split('/')[1];
  const profile = /profile-level-id=([0-9a-f]{2})/i.exec(codec.sdpFmtpLine ?? '')?.[1]?.toLowerCase();
  return [name, H264_PROFILES[profile]].filter(Boolean).join(' ');
}

function sum(entries, field) {
  return entries.reduce((total, entry) => total + (entry[field] ?? 0), 0);
}
