/**
 * MQTT discovery of Home Assistant: what makes a source appear there as a device, with a camera, a counter and an occupancy sensor for
 * each zone, and two counters for each line. https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery. Pure.
 */
import type { Topics } from './topics.js';

/** How this server calls itself there. */
export interface DiscoveryInit {
  /** Where Home Assistant looks for configurations: `homeassistant` as a rule. */
  readonly discoveryPrefix: string;
  /** Of our own topics; tells servers apart that share a broker. */
  readonly prefix: string;
  /** Where sources are told of. */
  readonly topics: Topics;
  /** Of Sightline. */
  readonly version: string;
}

/** A source as it appears there. */
export interface DiscoveredSource {
  /** As in the topics, before they are encoded. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** `file`, `live` or `pull`. */
  readonly kind: string;
  /** Ids of its zones. */
  readonly zones: readonly string[];
  /** Ids of its lines. */
  readonly lines: readonly string[];
}

/** What an entity is, beside what all of a source have. */
interface Entity {
  readonly component: 'camera' | 'sensor' | 'binary_sensor';
  /** Unique among those of the source. */
  readonly key: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Configurations for Home Assistant. */
export class Discovery {
  readonly #init: DiscoveryInit;

  constructor(init: DiscoveryInit) {
    this.#init = init;
  }

  /** Home Assistant publishes `online` here when it has started. */
  get birthTopic(): string {
    return `${this.#init.discoveryPrefix}/status`;
  }

  /** Whether a topic is one of a configuration. */
  isConfig(topic: string): boolean {
    return topic.startsWith(`${this.#init.discoveryPrefix}/`) && topic.endsWith('/config');
  }

  /** What to publish, retained, for a source: JSON by topic. */
  configsOf(source: DiscoveredSource): Map<string, string> {
    const { discoveryPrefix, prefix } = this.#init;
    const node = `${idPart(prefix)}__${idPart(source.id)}`;
    const common = this.#common(node, source);
    return new Map(
      this.#entities(source).map(({ component, key, config }) => [
        `${discoveryPrefix}/${component}/${node}/${key}/config`,
        JSON.stringify({ ...config, unique_id: `${node}__${key}`, ...common }),
      ]),
    );
  }

  #entities({ id, zones, lines }: DiscoveredSource): Entity[] {
    const topics = this.#init.topics.of(id);
    return [
      // Without a name of its own it has that of the device.
      { component: 'camera', key: 'camera', config: { name: null, topic: topics.snapshot } },
      ...zones.flatMap((zone) => zoneEntities(zone, topics.counts)),
      ...lines.flatMap((line) => lineEntities(line, topics.counts)),
    ];
  }

  #common(node: string, { id, name, kind }: DiscoveredSource) {
    const { topics, version } = this.#init;
    return {
      availability: [
        { topic: topics.status },
        { topic: topics.of(id).state, value_template: "{{ 'online' if value == 'live' else 'offline' }}" },
      ],
      availability_mode: 'all',
      device: { identifiers: [node], name, manufacturer: 'Sightline', model: MODELS[kind] ?? kind, sw_version: version },
      origin: { name: 'Sightline', sw_version: version },
    };
  }
}

const MODELS: Readonly<Record<string, string>> = { file: 'Video file', live: 'Publisher', pull: 'Camera' };

function zoneEntities(zone: string, stateTopic: string): Entity[] {
  const found = `value_json.zones | selectattr('zone', 'eq', '${zone}')`;
  const count = `${found} | map(attribute='count') | first | default(0)`;
  return [
    {
      component: 'sensor',
      key: `zone_${idPart(zone)}_count`,
      config: {
        name: `${zone} count`,
        state_topic: stateTopic,
        value_template: `{{ ${count} }}`,
        state_class: 'measurement',
        icon: 'mdi:counter',
        json_attributes_topic: stateTopic,
        json_attributes_template: `{{ ${found} | map(attribute='by_label') | first | default({}) | tojson }}`,
      },
    },
    {
      component: 'binary_sensor',
      key: `zone_${idPart(zone)}_occupancy`,
      config: {
        name: `${zone} occupancy`,
        state_topic: stateTopic,
        value_template: `{{ 'ON' if (${count}) > 0 else 'OFF' }}`,
        device_class: 'occupancy',
      },
    },
  ];
}

function lineEntities(line: string, stateTopic: string): Entity[] {
  return (['in', 'out'] as const).map((direction) => ({
    component: 'sensor',
    key: `line_${idPart(line)}_${direction}`,
    config: {
      name: `${line} ${direction}`,
      state_topic: stateTopic,
      value_template: `{{ value_json.lines | selectattr('line', 'eq', '${line}') | map(attribute='${direction}') | first | default(0) }}`,
      // A count that is reset begins again, which Home Assistant understands as that.
      state_class: 'total_increasing',
      icon: direction === 'in' ? 'mdi:location-enter' : 'mdi:location-exit',
    },
  }));
}

/** A name of `A-Z a-z 0-9 _ -` alone, as Home Assistant wants ids, which no other name has: the rest, `_` included, is `_` and its bytes. */
function idPart(name: string): string {
  return Array.from(name, (char) =>
    /^[A-Za-z0-9-]$/.test(char) ? char : Array.from(Buffer.from(char), (byte) => `_${byte.toString(16).padStart(2, '0')}`).join(''),
  ).join('');
}
