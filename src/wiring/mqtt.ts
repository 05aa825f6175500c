/** What an MQTT broker is told of: where sources, their counts and events are. */
import { readFileSync } from 'node:fs';
import { messageOf, MediaPeerError } from '../base/errors.js';
import { configuredPath, version, type Config } from '../config.js';
import { countsJson } from '../http/index.js';
import { forgetBroker, MqttPublisher } from '../mqtt/index.js';
import type { Counting } from '../scene/index.js';
import type { Source, SourceCatalogue } from '../source/index.js';
import type { EventStore } from '../store/index.js';
import type { Host } from './host.js';

/** What is told. */
export interface OpenMqttInit {
  /** What happens. */
  readonly events: EventStore;
  /** What is counted. */
  readonly counting: Counting;
  /** Which sources there are. */
  readonly catalogue: Pick<SourceCatalogue, 'list'>;
}

/** Connects to the broker of MQTT_URL; undefined where there is none. @throws MediaPeerError CONFIG_INVALID, STORE_FAILED */
export async function openMqtt(
  { config, loggers, clock, ledger, closers }: Host,
  { events, counting, catalogue }: OpenMqttInit,
): Promise<MqttPublisher | undefined> {
  if (config.MQTT_URL === '') {
    forgetBroker(events);
    return undefined;
  }
  const publisher = await MqttPublisher.open({
    url: config.MQTT_URL,
    ca: certificates(config),
    prefix: config.MQTT_PREFIX,
    discoveryPrefix: config.MQTT_DISCOVERY === 'off' ? undefined : config.MQTT_DISCOVERY,
    detections: config.MQTT_DETECTIONS,
    events,
    sources: () =>
      catalogue.list().map((source) => ({ id: source.id, name: source.title ?? source.name, kind: source.kind, state: stateOf(source) })),
    counts: (sourceId) => {
      const counts = counting.observers.counts(sourceId);
      return counts && countsJson(sourceId, counts);
    },
    version: version(),
    clock,
    ledger,
    logger: loggers.of('mqtt'),
  });
  closers.add(() => publisher.close());
  counting.zones.onChange(() => publisher.sync());
  return publisher;
}

function stateOf({ state, playable }: Source): 'live' | 'waiting' | 'off' {
  return !playable || state === 'empty' ? 'off' : state;
}

/** @throws MediaPeerError CONFIG_INVALID */
function certificates(config: Config): string | undefined {
  if (config.MQTT_CA_FILE === '') return undefined;
  const file = configuredPath(config, 'MQTT_CA_FILE');
  try {
    const pem = readFileSync(file, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
    throw new Error('it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)');
  } catch (error) {
    throw new MediaPeerError('CONFIG_INVALID', `MQTT_CA_FILE: '${file}' cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
