/** Connections to WebRTC clients: the only room that knows the WebRTC library; knows no HTTP and no pipeline. */
export { claimClientId } from './session/client-id.js';
export { ConnectionManager, type ConnectionOptions } from './session/connection-manager.js';
export type { MediaGateway } from './api/gateway.js';
export { IceTcpListener } from './ice/tcp-listener.js';
export { IceUdpPort, SHARED_BUFFER_BYTES } from './ice/udp-port.js';
export type * from './api/report.js';
export type * from './api/requests.js';
export { MAX_FRAGMENT_BYTES, parseFragment, writeFragment, type SdpFragment } from './sdp/fragment.js';
export { MAX_SDP_BYTES } from './sdp/parse.js';
export { checkOffer } from './sdp/whep-rules.js';
export { qualityJson } from './api/quality-json.js';
export { firstSourceOf, MAX_TRACKS, readTracks, RenditionSchema, tileJson, TrackItemSchema, type WantedTracks } from './api/track-items.js';
export type { RtpTimestamps } from './api/rtp-timestamps.js';
export type { EventedSession, SessionEvent } from './api/session-event.js';
export type { ConnectionState, MeasuredSession, SessionStatus, ReceivedStatus } from './api/status.js';
