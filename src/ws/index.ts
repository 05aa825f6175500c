/** Rooms over one WebSocket (`/ws`): publish, watch, subscribe to detections and states. */
export { installWebSockets, roomRoutes, RoomsDoor, type RoomsDoorDeps } from './door.js';
export type { RoomDescription, RoomState } from './deps.js';
