/** Connections to WebRTC clients: the only room that knows the WebRTC library; knows no HTTP and no pipeline. */
export { claimClientId } from './client-id.js';
export { ConnectionManager, type ConnectionManagerDeps, type ConnectionOptions } from './connection-manager.js';
export type { DetectionLease, MediaGateway, Publication, PublicationRequest, SourceMedia, Still, StillLease, TrackLease, TrackRequest } from './gateway.js';
export { IceTcpListener, type IceTcpListenerInit } from './ice-tcp-listener.js';
export type * from './report.js';
export type * from './requests.js';
export { MAX_FRAGMENT_BYTES, parseFragment, writeFragment, type SdpFragment } from './sdp-fragment.js';
export { MAX_SDP_BYTES } from './sdp.js';
export { checkOffer } from './whep-rules.js';
export type { RtpTimestamps } from './session-media.js';
export type { ConnectionState, PeerSnapshot, ReceivedSnapshot, SessionIdentity, StreamSnapshot, VideoSnapshot } from './snapshot.js';
