/**
 * The rooms, each built once and handed to the next: sources, what sees in them, connections, doors. The only room
 * that knows all others.
 */
export { Closers } from './closers.js';
export { openConnections } from './connections.js';
export { openDoors } from './doors.js';
export { openForwarding } from './forwarding.js';
export { KeptWalls } from './kept-walls.js';
export { openMetrics } from './metrics.js';
export { listeningFailed, openPorts } from './ports.js';
export { tryUdpPort, type UdpPortTrial } from './udp-port.js';
export { openDetection } from './detection.js';
export { openManaging } from './managing.js';
export { openPlayback } from './playback.js';
export { openRecording } from './recording.js';
export { openSources } from './sources.js';
export { openState } from './state.js';
export { openTls } from './tls.js';
export { openTracing } from './tracing.js';
export type { Host } from './host.js';
