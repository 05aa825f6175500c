import { ConnectionManager } from '../webrtc/index.js';
import { IceServers } from '../http/index.js';
import type { Host } from './host.js';
import { keepSessionEvent } from './lifecycle.js';
import type { Metrics } from './metrics.js';
import type { Playing } from './playback.js';
import type { Ports } from './ports.js';
import type { DetectionServices } from './detection.js';
import type { Sources } from './sources.js';

/** Connections of clients. */
export interface Connections {
  /** All connections of clients. */
  readonly sessions: ConnectionManager;
  /** STUN and TURN servers that clients are told of. */
  readonly iceServers: IceServers;
}

/** Opens nothing on the network yet: sockets belong to sessions. */
export function openConnections(
  { config, loggers, clock, ledger, closers }: Host,
  { liveRooms }: Sources,
  { pipelines, lifecycle }: DetectionServices,
  { iceUdp, iceTcp, openPast }: Ports & Pick<Playing, 'openPast'>,
  { metrics }: Metrics,
): Connections {
  const iceServers = new IceServers({
    stunUrls: config.STUN_URLS,
    turnUrls: config.TURN_URLS,
    turnUsername: config.TURN_USERNAME,
    turnCredential: config.TURN_CREDENTIAL,
    turnSecret: config.TURN_SECRET,
    ttlS: config.TURN_TTL,
    allowedHosts: config.ICE_SERVER_HOSTS,
    clock,
  });

  const sessions = new ConnectionManager({
    gateway: { open: (sourceId) => pipelines.open(sourceId), openPast, publish: (request) => liveRooms.publish(request) },
    clock,
    ledger,
    logger: loggers.of('webrtc'),
    options: {
      maxConnections: config.MAX_CONNECTIONS,
      maxPublishers: config.MAX_PUBLISHERS,
      connectionTimeoutMs: config.CONNECTION_TIMEOUT,
      disconnectGraceMs: config.DISCONNECT_GRACE,
      reconnectMaxAttempts: config.RECONNECT_MAX_ATTEMPTS,
      iceAddresses: config.ICE_ADDRESSES,
      ...(config.ICE_PORT_RANGE && { icePortRange: config.ICE_PORT_RANGE }),
      publicIps: config.PUBLIC_IPS,
      iceUdp,
      iceTcp,
      iceServersFor: (clientId) => [...iceServers.own(), ...iceServers.take(clientId)],
    },
  });
  sessions.onEvent((event) => metrics.takeSession(event));
  sessions.onEvent((event) => keepSessionEvent(lifecycle, event, clock.wallClock()));
  closers.add(() => sessions.closeAll('server-closing'));
  return { sessions, iceServers };
}
