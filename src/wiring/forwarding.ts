/** Sources that are sent on to other servers: their connections, what keeps them running, and the forwards of the configuration. */
import { MediaPeerError, messageOf } from '../base/errors.js';
import { Forwards, readTarget } from '../forward/index.js';
import { StandingLeases, type PipelineSource } from '../pipeline/index.js';
import type { StateFile } from '../store/index.js';
import { ConnectionManager } from '../webrtc/index.js';
import { asItComes } from './as-it-comes.js';
import type { Connections } from './connections.js';
import type { DetectionServices } from './detection.js';
import type { Host } from './host.js';
import { KeptForwards } from './kept-forwards.js';
import type { Sources } from './sources.js';

/** Forwards to other servers. */
export interface Forwarding {
  /** All of them. */
  readonly forwards: Forwards;
  /** By which they are changed. */
  readonly keptForwards: KeptForwards;
  /** Begins those of WHIP_OUT and those that were kept; to be called once the sources are known. */
  readonly beginForwarding: () => void;
}

/** A server that is gone is called again soon; a viewer would have to come back by itself. */
const DISCONNECT_GRACE_MS = 3_000;

/** Opens nothing before there is a forward. @throws MediaPeerError CONFIG_INVALID */
export function openForwarding(
  host: Host,
  sources: Sources,
  seeing: DetectionServices,
  { iceServers }: Connections,
  state: StateFile,
): Forwarding {
  const { config, loggers, clock, ledger, closers } = host;
  const { catalogue, library, pulls, liveRooms } = sources;
  const { pipelines, forwarded } = seeing;
  throwIfUnusable(config);
  let sessions: ConnectionManager | undefined;
  const openSessions = (): ConnectionManager =>
    (sessions ??= new ConnectionManager({
      gateway: { open: (sourceId) => pipelines.open(sourceId), publish: (request) => liveRooms.publish(request) },
      clock,
      ledger,
      logger: loggers.of('webrtc'),
      options: {
        // One that is being closed holds its place beside the next one.
        maxConnections: 2 * config.MAX_FORWARDS,
        connectionTimeoutMs: config.CONNECTION_TIMEOUT,
        disconnectGraceMs: DISCONNECT_GRACE_MS,
        iceAddresses: config.ICE_ADDRESSES,
        // A port for each: several to one server, which has one port itself, could not be told apart by their addresses.
        icePortRange: config.ICE_PORT_RANGE,
        publicIps: config.PUBLIC_IPS,
        iceServersFor: (clientId) => [...iceServers.own(), ...forwards.iceServersOf(clientId)],
      },
    }));
  const forwards = new Forwards({
    sessions: openSessions,
    max: config.MAX_FORWARDS,
    clock,
    logger: loggers.of('forward'),
    onChange: () => sync(),
  });
  const running = keepRunning(host, sources, seeing, forwards);
  const sync = (): void => {
    forwarded.clear();
    for (const sourceId of forwards.sources) forwarded.add(sourceId);
    running.sync();
  };
  const sourcesChanged = (): void => {
    running.sync();
    for (const sourceId of forwards.sources) if (catalogue.find(sourceId)?.state === 'live') forwards.sourceCame(sourceId);
  };
  const stopListening = [library.onChange(sourcesChanged), pulls.onChange(sourcesChanged), liveRooms.onState(sourcesChanged)];
  closers.add(async () => {
    for (const stop of stopListening) stop();
    running.close();
    await forwards.close();
    await sessions?.closeAll('server-closing');
  });
  const keptForwards = new KeptForwards({ forwards, state, logger: loggers.of('forward') });
  return {
    forwards,
    keptForwards,
    beginForwarding: () => keptForwards.begin(config.WHIP_OUT.map((forward) => ({ ...forward, origin: 'config' }))),
  };
}

/** A camera is not called anew for each attempt. */
function keepRunning(
  { clock, loggers }: Host,
  { catalogue }: Sources,
  { pipelines }: DetectionServices,
  forwards: Forwards,
): StandingLeases<PipelineSource> {
  return new StandingLeases({
    open: (sourceId) => pipelines.open(sourceId),
    clock,
    logger: loggers.of('forward'),
    purpose: 'forwarded',
    wanted: () => forwards.sources.filter((sourceId) => catalogue.find(sourceId) !== undefined),
    lease: asItComes,
    backoff: { firstMs: 1_000 },
  });
}

/** What a person wrote is checked before anything runs. */
function throwIfUnusable({ WHIP_OUT, MAX_FORWARDS }: Host['config']): void {
  if (WHIP_OUT.length > MAX_FORWARDS)
    throw new MediaPeerError(
      'CONFIG_INVALID',
      `WHIP_OUT has ${WHIP_OUT.length} forwards, and MAX_FORWARDS allows ${MAX_FORWARDS}: raise it`,
    );
  const targets = new Set<string>();
  WHIP_OUT.forEach(({ sourceId, url }, index) => {
    const pair = `WHIP_OUT, pair ${index + 1} ('${sourceId}')`;
    try {
      targets.add(`${sourceId} ${readTarget(url).url.href}`);
    } catch (error) {
      throw new MediaPeerError('CONFIG_INVALID', `${pair}: ${messageOf(error)}`, { cause: error });
    }
    if (targets.size <= index)
      throw new MediaPeerError('CONFIG_INVALID', `${pair}: another pair sends that source to the same address; remove one`);
  });
}
