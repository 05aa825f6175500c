/** A session's figures in the words of `GET /connection-stats`. Pure. */
import { qualityJson, type SessionStatus } from '../webrtc/index.js';

/** The message `stats`. */
export function statsMessage(session: SessionStatus): object {
  const { received, quality } = session;
  return {
    type: 'stats',
    client_id: session.clientId,
    source: session.sourceId,
    role: session.role,
    connection_state: session.connectionState,
    ice_state: session.iceState,
    created_at: session.createdAtS,
    has_processed_track: session.hasProcessedTrack,
    bytes_sent: session.bytesSent,
    packets_sent: session.packetsSent,
    packets_lost: session.packetsLost,
    packets_repaired: session.packetsRepaired,
    frames_dropped: session.framesDropped,
    round_trip_ms: session.roundTripMs ?? null,
    selected: [...session.selected],
    paused: session.isPaused,
    ...(quality && qualityJson(quality)),
    video: session.video.map((video) => ({
      mid: video.mid ?? null,
      source: video.sourceId ?? null,
      ...(video.maxHeightPx !== undefined && { max_height: video.maxHeightPx }),
      rendition: video.rendition,
      codec: video.codec,
      quality: video.quality ?? null,
      switches: video.switches,
      switch_reason: video.switchReason ?? null,
      bytes_sent: video.bytesSent,
      packets_sent: video.packetsSent,
      packets_lost: video.packetsLost,
      fraction_lost: video.fractionLost,
      jitter_ms: video.jitterMs,
    })),
    ...(received && {
      received: {
        bytes: received.bytesReceived,
        packets: received.packetsReceived,
        packets_lost: received.packetsLost,
        packets_repaired: received.packetsRepaired,
        keyframes_requested: received.keyframesRequested,
        frames: received.framesReceived,
        frames_lost: received.framesLost,
        fps: received.fps,
        jitter_ms: received.jitterMs,
      },
    }),
  };
}
