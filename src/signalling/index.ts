/** The doors. They know HTTP and sessions; neither the WebRTC library, nor ffmpeg, nor the inside of a track. */
export * from './detections.js';
export * from './http-errors.js';
export * from './http-sessions.js';
export * from './ice-server-routes.js';
export * from './ice-servers.js';
export * from './models.js';
export * from './offer.js';
export * from './reports.js';
export * from './schemas.js';
export * from './session-url.js';
export * from './stills.js';
export * from './tokens.js';
export * from './whep.js';
export * from './whip.js';
export type { WishDeps } from './wish.js';
export * from './zones.js';
export { installWebSockets, roomRoutes, RoomsDoor, type RoomsDoorDeps } from './rooms/door.js';
export type { RoomDescription, RoomDirectory, RoomsDeps, RoomState, RoomTokens } from './rooms/deps.js';
