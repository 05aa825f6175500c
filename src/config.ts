/**
 * The configuration: read once from the environment and `.env`, all faults reported together, frozen and
 * handed down by argument. The table below is type, default, range and documentation at once; the
 * table of docs/configuration.md is tested against it. Nobody else reads `process.env`.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism, homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { isAddressRange } from './base/address-ranges.js';
import { MediaPeerError } from './base/errors.js';
import { EVENT_TYPES, SCENE_EVENT_TYPES, type EventType } from './base/event-types.js';
import { nearMiss } from './base/near-miss.js';

/** The folder of package.json: what comes with Sightline, the bundled model, demo, page and client library. Only read. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** The default of MODEL: absolute path of its JSON. */
export const bundledModel = path.join(packageRoot, 'models/sightline-demo.json');

/** The version in package.json. */
export function version(): string {
  const { version: found } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return found;
}

/** One documented variable. */
interface Variable<T> {
  /** As the documentation shows it. */
  readonly shownDefault: string;
  readonly description: string;
  /** What is allowed, in words. */
  readonly allowed: string;
  /** It is on or off. */
  readonly isFlag?: true;
  readonly defaultValue: T;
  /** The parsed value, or undefined when it is not allowed. */
  parse(text: string): T | undefined;
  /** What is wrong with a value that is not allowed, where that can be said. */
  explain?(text: string): string | undefined;
}

function integer(defaultValue: number, min: number, max: number, description: string): Variable<number> {
  return {
    shownDefault: String(defaultValue),
    description,
    allowed: `an integer in [${min}, ${max}]`,
    defaultValue,
    parse(text) {
      const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

function text(defaultValue: string, shownDefault: string, description: string): Variable<string> {
  return { shownDefault, description, allowed: 'text', defaultValue, parse: (value) => value };
}

function flag(defaultValue: boolean, description: string): Variable<boolean> {
  return {
    shownDefault: defaultValue ? 'on' : 'off',
    description,
    allowed: 'on or off',
    isFlag: true,
    defaultValue,
    parse: (value) => ({ on: true, off: false })[value],
  };
}

function list(
  defaultValue: readonly string[],
  shownDefault: string,
  isAllowed: (item: string) => boolean,
  allowed: string,
  description: string,
): Variable<readonly string[]> {
  return {
    shownDefault,
    description,
    allowed,
    defaultValue,
    parse(value) {
      const items = value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
      return items.every(isAllowed) ? items : undefined;
    },
  };
}

/** Log levels, least to most. */
const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
/** Levels of pino, the quietest first. */
type LogLevel = (typeof LOG_LEVELS)[number];
/** Parts of the server whose log level can be set on its own. */
const LOG_COMPONENTS = [
  'source',
  'ffmpeg',
  'pipeline',
  'detection',
  'scene',
  'webhooks',
  'mqtt',
  'events',
  'recording',
  'webrtc',
  'forward',
  'http',
  'ws',
] as const;
/** A part of the server that has a logger of its own. */
export type LogComponent = (typeof LOG_COMPONENTS)[number];
/** Names that LOG_LEVEL takes as well. */
const LOG_ALIASES: Readonly<Record<string, LogComponent>> = { peer: 'webrtc', signalling: 'http' };

/** Log level of the server and of single components. */
interface LogLevels {
  /** Of every component that has none of its own. Default `info`. */
  readonly level: LogLevel;
  /** Levels of single components. */
  readonly components: Readonly<Partial<Record<LogComponent, LogLevel>>>;
}

const logLevels: Variable<LogLevels> = {
  shownDefault: 'info',
  description: 'Log level, and after commas that of single components: `info,webrtc=debug`.',
  allowed: `one of ${LOG_LEVELS.join(', ')}; components: ${LOG_COMPONENTS.join(', ')}`,
  defaultValue: { level: 'info', components: {} },
  parse(value) {
    const isLevel = (level: string | undefined): level is LogLevel => LOG_LEVELS.some((known) => known === level);
    const componentOf = (name = ''): LogComponent | undefined => LOG_COMPONENTS.find((known) => known === name) ?? LOG_ALIASES[name];
    let level: LogLevel = 'info';
    const components: Partial<Record<LogComponent, LogLevel>> = {};
    for (const part of value.split(',').map((item) => item.trim())) {
      const [left, right] = part.split('=');
      const component = componentOf(left);
      if (right === undefined && isLevel(left)) level = left;
      else if (component !== undefined && isLevel(right)) components[component] = right;
      else return undefined;
    }
    // Rooms are one of the doors of HTTP.
    if (components.http !== undefined) components.ws ??= components.http;
    return { level, components };
  },
};

const portRange: Variable<readonly [number, number] | undefined> = {
  shownDefault: 'none',
  description: 'UDP ports for media, `first-last`: one for each client instead of one for all.',
  allowed: 'two ports in [1024, 65535], the first below the last',
  defaultValue: undefined,
  parse(value) {
    const match = /^(\d+)-(\d+)$/.exec(value);
    const first = Number(match?.[1]);
    const last = Number(match?.[2]);
    return first >= 1024 && last <= 65_535 && first < last ? [first, last] : undefined;
  },
};

/** Undefined: that of HTTP. */
const udpPort: Variable<number | 'any' | undefined> = {
  shownDefault: '`PORT`',
  description:
    'UDP port for media of all clients; `any`: ports for each client. Where `PORT` is 0, the number that HTTP got, if it is free.',
  allowed: 'an integer in [1, 65535], or any',
  defaultValue: undefined,
  parse(value) {
    const port = /^\d+$/.test(value) ? Number(value) : NaN;
    return value === 'any' ? value : port >= 1 && port <= 65_535 ? port : undefined;
  },
};

const sourceModels: Variable<ReadonlyMap<string, string>> = {
  shownDefault: '`MODEL` for all',
  description: 'Sources with a model of their own: `street=models/yolox_nano.json,gate=none`.',
  allowed: 'source=model pairs, comma separated',
  defaultValue: new Map(),
  parse(value) {
    const models = new Map<string, string>();
    for (const part of value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')) {
      const match = /^([A-Za-z0-9._-]{1,64})=(.+)$/.exec(part);
      if (!match?.[1] || !match[2] || models.has(match[1])) return undefined;
      models.set(match[1], match[2] === 'none' ? 'none' : path.resolve(match[2]));
    }
    return models;
  },
};

/** Shorter ones can be guessed. */
const MIN_TOKEN_CHARS = 16;
/** Others cannot be told in an HTTP header. */
const TOKEN = /^[!-~]{16,512}$/;

const roomTokens: Variable<ReadonlyMap<string, string>> = {
  shownDefault: 'none',
  description:
    'Bearer tokens of publishers by room, `*` for all others: `gate=EvTbEeyPfVxEdAyh,*=hw1Rc2BGlF1Rw8Zq`. Where anybody has a token, rooms without one are closed.',
  allowed: `room=token pairs, comma separated; tokens of ${MIN_TOKEN_CHARS} to 512 printable ASCII characters without blanks and commas`,
  defaultValue: new Map(),
  parse(value) {
    const tokens = new Map<string, string>();
    for (const part of value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')) {
      const match = /^([A-Za-z0-9._-]{1,64}|\*)=([!-~]{16,512})$/.exec(part);
      if (!match?.[1] || !match[2] || tokens.has(match[1])) return undefined;
      tokens.set(match[1], match[2]);
    }
    return tokens;
  },
};

/** A source on its way to a WHIP endpoint. */
interface WhipOut {
  /** What is sent. */
  readonly sourceId: string;
  /** As it comes, or with what was detected drawn in. */
  readonly rendition: 'raw' | 'processed';
  /** Address of the endpoint, with its token as the user name. */
  readonly url: string;
}

/** `street=https://...`, `street/processed=https://...` */
const WHIP_OUT_ITEM = /^([A-Za-z0-9._-]{1,64})(?:\/(raw|processed))?=(https?:\/\/\S+)$/i;

const whipOut: Variable<readonly WhipOut[]> = {
  shownDefault: 'none',
  description:
    'Sources that are sent to other servers by WHIP for as long as this one runs: `gate=https://TOKEN@media.example.com/whip/gate`; with boxes drawn in: `gate/processed=https://...`.',
  allowed: 'source=address pairs, comma separated; http or https addresses, each source and address once',
  defaultValue: [],
  parse(value) {
    // An address may hold commas: a pair ends where another one begins.
    const parts = value
      .split(/,(?=\s*[A-Za-z0-9._-]{1,64}(?:\/[a-z]+)?=https?:\/\/)|,\s*$/i)
      .map((item) => item.trim())
      .filter((item) => item !== '');
    const items = parts.map((part) => {
      const [, sourceId, rendition, url] = WHIP_OUT_ITEM.exec(part) ?? [];
      const isUsable = sourceId !== undefined && url !== undefined && URL.canParse(url);
      return isUsable ? { sourceId, rendition: rendition === 'processed' ? ('processed' as const) : ('raw' as const), url } : undefined;
    });
    const usable = items.filter((item) => item !== undefined);
    const places = new Set(usable.map(({ sourceId, url }) => `${sourceId} ${url}`));
    return usable.length === items.length && places.size === items.length ? usable : undefined;
  },
};

function bearerToken(description: string): Variable<string> {
  return {
    ...text('', 'none', description),
    allowed: `${MIN_TOKEN_CHARS} to 512 printable ASCII characters without blanks`,
    parse: (value) => (TOKEN.test(value) ? value : undefined),
  };
}

const anonymous: Variable<'off' | 'watch' | 'all'> = {
  shownDefault: 'off',
  description:
    'What everybody may do without a token: `watch` (with detections and ICE servers), or `all`, administration included, for networks where everybody is trusted.',
  allowed: 'off, watch or all',
  defaultValue: 'off',
  parse: (value) => (value === 'off' || value === 'watch' || value === 'all' ? value : undefined),
};

/** A lower quality: the shorter side of its frames in pixels, and bits a second. */
interface LadderItem {
  readonly shortSidePx: number;
  readonly bitrateBps: number;
}

const MAX_RUNGS = 16;

/** The rungs of a list, the best first, or what is wrong with it. */
function readLadder(value: string): readonly LadderItem[] | string {
  const items: LadderItem[] = [];
  for (const part of value.split(',').map((item) => item.trim())) {
    const [, height, kbps] = /^(\d{1,5})p:(\d{1,7})$/.exec(part) ?? [];
    const item = { shortSidePx: Number(height), bitrateBps: 1000 * Number(kbps) };
    if (height === undefined) return `'${part}' is not of that form`;
    if (item.shortSidePx % 2 !== 0) return `${height}p is odd`;
    if (item.shortSidePx < 16 || item.shortSidePx > 4320) return `${height}p is not in [16p, 4320p]`;
    if (item.bitrateBps < 10_000 || item.bitrateBps > 100_000_000) return `${kbps} kbit/s is not in [10, 100000]`;
    if (items.some(({ shortSidePx }) => shortSidePx === item.shortSidePx)) return `${height}p stands in it twice`;
    items.push(item);
  }
  if (items.length > MAX_RUNGS) return `it has ${items.length} rungs`;
  items.sort((a, b) => b.shortSidePx - a.shortSidePx);
  const rising = items.find(({ bitrateBps }, i) => i > 0 && bitrateBps >= (items[i - 1]?.bitrateBps ?? Infinity));
  return rising ? `${rising.shortSidePx}p takes no less than the next larger one` : items;
}

const ladder: Variable<'auto' | readonly LadderItem[]> = {
  shownDefault: 'auto',
  description:
    'Lower qualities for viewers on slow links, encoded while somebody needs one: the shorter side of the picture and kbit/s, such as `540p:1100,360p:550`. `auto`: of `720p:1800,540p:1100,360p:550,180p:180` those that are smaller than the source and take at most 0.7 of its bitrate. `off`: none.',
  allowed: `auto, off, or up to ${MAX_RUNGS} heights with kbit/s such as 540p:1100,360p:550, even, each once, the smaller with fewer`,
  defaultValue: 'auto',
  parse(value) {
    if (value === 'auto') return 'auto';
    const rungs = value === 'off' ? [] : readLadder(value);
    return typeof rungs === 'string' ? undefined : rungs;
  },
  explain(value) {
    const rungs = readLadder(value);
    return typeof rungs === 'string' ? rungs : undefined;
  },
};

/** How long something is kept, and how much of it. */
interface Retention {
  /** Infinity: however old. */
  readonly maxAgeMs: number;
  /** Infinity: however much. */
  readonly maxBytes: number;
}

const RETENTION_UNITS: Readonly<Record<string, { readonly of: keyof Retention; readonly factor: number }>> = {
  h: { of: 'maxAgeMs', factor: 3_600_000 },
  d: { of: 'maxAgeMs', factor: 86_400_000 },
  MB: { of: 'maxBytes', factor: 1e6 },
  GB: { of: 'maxBytes', factor: 1e9 },
};

/** An age, a size, or both; undefined where it is neither. */
function readRetention(value: string): Partial<Retention> | undefined {
  const found: Partial<Record<keyof Retention, number>> = {};
  for (const part of value.split(',').map((item) => item.trim())) {
    const [, count, name = ''] = /^([1-9]\d{0,5})(h|d|MB|GB)$/.exec(part) ?? [];
    const unit = RETENTION_UNITS[name];
    if (!unit || found[unit.of] !== undefined) return undefined;
    found[unit.of] = Number(count) * unit.factor;
  }
  return found;
}

/** A still takes about 10 kB. */
const DEFAULT_EVENT_BYTES = 2e9;

const eventRetention: Variable<Retention> = {
  shownDefault: '30d',
  description:
    'How long events are kept, how much of them, or both: `30d`, `12h`, `500MB`, `30d,2GB`. Without a size at most 2 GB; the oldest go first.',
  allowed: 'an age such as 30d or 12h, a size such as 500MB or 2GB, or both with a comma between them',
  defaultValue: { maxAgeMs: 30 * 86_400_000, maxBytes: DEFAULT_EVENT_BYTES },
  parse(value) {
    const retention = readRetention(value);
    return retention && { maxAgeMs: Infinity, maxBytes: DEFAULT_EVENT_BYTES, ...retention };
  },
};

const recordRetention: Variable<Retention> = {
  shownDefault: '72h',
  description:
    'How long recordings are kept, how much of them, or both: `72h`, `30d`, `20GB`, `72h,20GB`; the oldest go first. What is to be kept stays.',
  allowed: 'an age such as 72h or 30d, a size such as 500MB or 20GB, or both with a comma between them',
  defaultValue: { maxAgeMs: 72 * 3_600_000, maxBytes: Infinity },
  parse(value) {
    const retention = readRetention(value);
    return retention && { maxAgeMs: Infinity, maxBytes: Infinity, ...retention };
  },
};

const recordMinFree: Variable<number> = {
  shownDefault: '2GB',
  description:
    'Free space of the disk of `RECORD_DIR` that recordings leave to everything else: below it recording stops, and nothing else does. `0`: none.',
  allowed: '0, or a size such as 500MB or 2GB',
  defaultValue: 2e9,
  parse(value) {
    if (value === '0') return 0;
    const size = readRetention(value);
    return size?.maxAgeMs === undefined ? size?.maxBytes : undefined;
  },
};

const eventTypes: Variable<readonly EventType[]> = {
  shownDefault: SCENE_EVENT_TYPES.join(','),
  description: 'Which events the servers of `WEBHOOK_URL` receive ([events.md](events.md)).',
  allowed: `types of events, comma separated: ${EVENT_TYPES.join(', ')}`,
  defaultValue: SCENE_EVENT_TYPES,
  parse(value) {
    const names = value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    const types = names.flatMap((name) => EVENT_TYPES.find((type) => type === name) ?? []);
    return types.length > 0 && types.length === names.length ? types : undefined;
  },
};

/** Every variable, in the order of the documentation. */
export const VARIABLES = {
  HOST: text('127.0.0.1', '127.0.0.1', 'Address to listen on. `0.0.0.0` serves the network.'),
  PORT: integer(8001, 0, 65_535, 'TCP port of the HTTP server; 0 takes a free one.'),
  UPLOAD_DIR: text('upload', 'upload', 'Folder of the videos that are served.'),
  MAX_UPLOAD_BYTES: integer(10_000_000_000, 1, 1_000_000_000_000_000, 'Most bytes of a file that `PUT /uploads/:name` takes.'),
  DEFAULT_SOURCE: text('', 'first by name', 'Source of an offer that names none.'),
  MODEL: text(
    'models/sightline-demo.json',
    'models/sightline-demo.json',
    'Detector: an `.onnx` file, with or without a JSON beside it, or the JSON. `none` switches detection off.',
  ),
  SOURCE_MODELS: sourceModels,
  EXECUTION_PROVIDERS: list(
    ['cpu'],
    'cpu',
    (item) => /^[a-z]+$/.test(item),
    'names such as cuda,cpu',
    'Where models run, in order of preference; a provider that cannot be used is logged and skipped.',
  ),
  DETECT_FPS: integer(15, 1, 60, 'Most detections per second for each source. Boxes move at full frame rate in between.'),
  MOTION_GATE: flag(false, 'Skips inference while nothing moves: `on` suits static cameras.'),
  WEBHOOK_URL: list(
    [],
    'none',
    (item) => /^https?:\/\/[^\s/?#]+([/?#][^@\s]*)?$/.test(item) && URL.canParse(item),
    'http or https addresses, comma separated; / ? # @ in a password percent-encoded',
    'Servers that receive the events of zones and lines; every source with zones is analysed for them at all times.',
  ),
  WEBHOOK_EVENTS: eventTypes,
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    ...text('', 'none', 'OpenTelemetry collector (OTLP over HTTP, port 4318 as a rule) that gets a trace of every join.'),
    allowed: 'an http or https address without credentials',
    parse: (value: string) => (/^https?:\/\/[^\s@?#]+$/.test(value) && URL.canParse(value) ? value : undefined),
  },
  WEBHOOK_SECRET: text('', 'not signed', 'Signs webhooks (HMAC-SHA256).'),
  WEBHOOK_QUEUE_DIR: text('.sightline/webhooks', '.sightline/webhooks', 'Folder of the webhooks that are still to be delivered.'),
  MQTT_URL: {
    ...text(
      '',
      'none',
      'MQTT broker that is told of sources, events, counts and snapshots ([mqtt.md](mqtt.md)): `mqtt://user:password@host:1883`, or `mqtts://` for TLS. Every source with zones is analysed for it at all times.',
    ),
    allowed: 'an address such as mqtt://user:password@host:1883 or mqtts://host; / ? # @ in a password percent-encoded',
    parse: (value: string) => (/^mqtts?:\/\/([^\s/?#@]*@)?[^\s/?#@]+\/?$/.test(value) && URL.canParse(value) ? value : undefined),
  },
  MQTT_CA_FILE: text(
    '',
    'those that Node trusts',
    'PEM file with the certificates of the authorities that may sign that of the broker (`mqtts://`).',
  ),
  MQTT_PREFIX: {
    ...text('sightline', 'sightline', 'First levels of all topics; servers that share a broker have different ones.'),
    allowed: 'levels of 1 to 64 of A-Z a-z 0-9 . _ - with / between them',
    parse: (value: string) => (/^[\w.-]{1,64}(\/[\w.-]{1,64}){0,7}$/.test(value) ? value : undefined),
  },
  MQTT_DISCOVERY: {
    ...text(
      'homeassistant',
      'homeassistant',
      'Prefix of the discovery topics of Home Assistant, where sources appear by themselves with camera, counts and occupancy; `off`: it is told nothing.',
    ),
    allowed: 'off, or levels of 1 to 64 of A-Z a-z 0-9 . _ - with / between them',
    parse: (value: string) => (/^[\w.-]{1,64}(\/[\w.-]{1,64}){0,7}$/.test(value) ? value : undefined),
  },
  MQTT_DETECTIONS: list(
    [],
    'none',
    (item) => /^[\w.*?-]{1,64}$/.test(item),
    'names of sources, comma separated; * is any text, ? any character',
    'Sources whose detections go to the broker, several messages a second; they are analysed at all times. `*`: all.',
  ),
  STATE_DIR: text(
    '.sightline',
    '.sightline',
    'Folder of what outlives a restart: events, and what zones and lines have counted. No other server may use it.',
  ),
  EVENT_RETENTION: eventRetention,
  RECORD: list(
    [],
    'none',
    (item) => /^[\w.*?-]{1,64}$/.test(item),
    'names of sources, comma separated; * is any text, ? any character',
    'Sources that are recorded while they are live ([recording.md](recording.md)): cameras and rooms; a file only where it is named without `*` and `?`.',
  ),
  RECORD_DIR: text('recordings', 'recordings', 'Folder of recordings. No other server may use it.'),
  RECORD_RETENTION: recordRetention,
  RECORD_MIN_FREE: recordMinFree,
  MAX_CONNECTIONS: integer(10, 1, 10_000, 'Viewers that may be connected at once; the next one gets 503.'),
  MAX_PUBLISHERS: integer(10, 1, 10_000, 'Publishers that may be connected at once, beside the viewers; the next one gets 503.'),
  MAX_RUNNING_SOURCES: {
    ...integer(
      8 * availableParallelism(),
      1,
      10_000,
      'Sources that may run at once for viewers and readers; the next one gets 503. Sources that are always on, recorded, or have zones count, but are never refused.',
    ),
    shownDefault: '8 per core',
  },
  MAX_PLAYBACK_ENCODES: {
    ...integer(
      Math.max(1, availableParallelism() - 1),
      1,
      1000,
      'Encodes of recordings at once: processed playbacks, and clips that are exact, annotated or not of H.264; the next one gets 503.',
    ),
    shownDefault: 'cores − 1',
  },
  LADDER: ladder,
  CONNECTION_TIMEOUT: integer(30_000, 1000, 600_000, 'Milliseconds that a client may take from its offer to a connection.'),
  DISCONNECT_GRACE: integer(30_000, 0, 600_000, 'Milliseconds that a connection may be `disconnected` before it is closed.'),
  IDLE_GRACE: integer(5000, 0, 3_600_000, 'Milliseconds that a source keeps running after its last viewer has left.'),
  ICE_ADDRESSES: list(
    [],
    'every address of the machine',
    (item) => isIP(item) !== 0,
    'IP addresses, comma separated',
    'Local addresses for media.',
  ),
  ICE_UDP_PORT: udpPort,
  ICE_PORT_RANGE: portRange,
  STUN_URLS: list(
    [],
    'none',
    (item) => /^stun:(\[[0-9a-fA-F:]+\]|[^\s:?[\]/@#]+)(:[0-9]{1,5})?$/.test(item),
    'stun: URIs, comma separated',
    'STUN servers to learn public addresses from. None: only the peer is contacted.',
  ),
  PUBLIC_IPS: list(
    [],
    'none',
    (item) => isIP(item) !== 0,
    'IP addresses, comma separated',
    'Public addresses of a 1:1 NAT in front of this machine; media is offered at them as well.',
  ),
  ICE_TCP_PORT: integer(0, 0, 65_535, 'TCP port for clients whose network blocks UDP (RFC 6544, passive); 0 is none.'),
  TURN_URLS: list(
    [],
    'none',
    (item) => /^turns?:(\[[0-9a-fA-F:]+\]|[^\s:?[\]/@#]+)(:[0-9]{1,5})?(\?transport=(udp|tcp))?$/.test(item),
    'turn: or turns: URIs, comma separated',
    'TURN servers for clients, and for relays of the server itself.',
  ),
  TURN_USERNAME: text('', 'none', 'User name at the TURN servers, if they have no shared secret.'),
  TURN_CREDENTIAL: text('', 'none', 'Password of `TURN_USERNAME`.'),
  TURN_SECRET: text(
    '',
    'none',
    'Secret shared with the TURN servers (coturn: `static-auth-secret`): each client gets credentials that expire.',
  ),
  TURN_TTL: integer(3600, 60, 604_800, 'Seconds that such credentials are valid for.'),
  ICE_SERVER_HOSTS: list(
    [],
    'none',
    (item) => /^[^\s/:]+$/.test(item),
    'host names or addresses, comma separated',
    'Hosts that `POST /ice-servers` may name. None: every such request is refused.',
  ),
  SOURCES_FILE: text('', 'none', 'JSON or YAML file that names IP cameras and other inputs (rtsp, http, rtmp, devices).'),
  ADMIN_TOKEN: bearerToken('Bearer token that may do everything. `openssl rand -hex 32` makes one.'),
  AUTH_FILE: text(
    '',
    'none',
    'YAML file of users: their hashed tokens, rights, sources and addresses ([security.md](security.md)). Read again when it changes.',
  ),
  JWT_SECRET: {
    ...text('', 'none', 'Secret by which JSON Web Tokens are signed (HS256).'),
    allowed: '32 characters or more',
    parse: (value: string) => (value.length >= 32 ? value : undefined),
  },
  JWT_JWKS_URL: {
    ...text('', 'none', 'Address of the public keys by which JSON Web Tokens are signed (RS, PS, ES); only that host is asked.'),
    allowed: 'an http or https address',
    parse: (value: string) => (/^https?:\/\/[^\s@]+$/.test(value) && URL.canParse(value) ? value : undefined),
  },
  JWT_AUDIENCE: text('', 'any', 'What the claim `aud` of a token must name.'),
  JWT_ISSUER: text('', 'any', 'What the claim `iss` of a token must be.'),
  AUTH_URL: {
    ...text(
      '',
      'none',
      'Address of a server of your own that says who may do what, for tokens that none of the variables above knows ([security.md](security.md)); only that host is asked.',
    ),
    allowed: 'an http or https address without credentials',
    parse: (value: string) => (/^https?:\/\/[^\s@#]+$/.test(value) && URL.canParse(value) ? value : undefined),
  },
  PUBLISH_TOKENS: roomTokens,
  PUBLISH_TAKEOVER: flag(false, 'Lets a second publisher with the token of the room take it over; otherwise it is refused.'),
  PUBLISH_GRACE: integer(30_000, 0, 3_600_000, 'Milliseconds that viewers of a room wait for a publisher that was lost.'),
  VIEWER_TOKEN: bearerToken('Bearer token of viewers: may watch every source, with detections and ICE servers.'),
  LOGIN_SECRET: {
    ...text(
      '',
      'a random one, kept in `STATE_DIR`',
      'Secret by which the logins of browsers are sealed. Servers that share it take the logins of each other.',
    ),
    allowed: '32 characters or more',
    parse: (value: string) => (value.length >= 32 ? value : undefined),
  },
  LOGIN_TTL: integer(604_800, 60, 31_536_000, 'Seconds that a login of a browser lasts.'),
  ALLOW_ANONYMOUS: anonymous,
  SERVER_NAMES: list(
    [],
    'none',
    (item) => /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(item),
    'host names, comma separated',
    'Names by which browsers on this machine reach the server, beside addresses and `localhost`. Where no token is set, requests to other names have no rights (DNS rebinding).',
  ),
  WHIP_OUT: whipOut,
  MAX_FORWARDS: integer(32, 0, 1000, 'Forwards to other servers by WHIP at once, of all sources together.'),
  TLS_CERT: text(
    '',
    'none',
    'Certificate with its chain (PEM; certbot: `fullchain.pem`): HTTPS and WSS are served on `PORT`. Read again when it is renewed.',
  ),
  TLS_KEY: text('', 'none', 'Private key of `TLS_CERT` (PEM, without a passphrase; certbot: `privkey.pem`).'),
  WHIP_STRICT: flag(
    false,
    'Refuses a `PATCH` without `If-Match`, and a `PATCH` or `DELETE` without the token of its session, as RFC 9725 asks; many clients send neither.',
  ),
  RECONNECT_MAX_ATTEMPTS: integer(0, 0, 1000, 'How often a publisher without frames is asked to reconnect; 0 is no limit.'),
  CORS_ORIGINS: list(
    ['*'],
    '*',
    (item) => /^(\*|https?:\/\/[^\s/]+)$/.test(item),
    '`*` or origins such as https://app.example.com, comma separated',
    'Web origins that may use the API from a browser. Empty: only the origin of the server.',
  ),
  TRUST_PROXY: list(
    [],
    'none',
    isAddressRange,
    'IP addresses and CIDRs such as 10.0.0.0/8, comma separated',
    'Proxies in front of this server, whose `X-Forwarded-For` and `Forwarded` are trusted. A proxy that is not named counts as one client, with the limits of one client for everybody behind it.',
  ),
  RATE_LIMIT: integer(
    600,
    0,
    1_000_000,
    'Offers per minute and address, and as many `PATCH`es and `DELETE`s; 0 is no limit. Whoever shows a token that holds is counted apart.',
  ),
  FFMPEG_PATH: text('', '`ffmpeg` on PATH, else the bundled one', 'ffmpeg executable.'),
  FFPROBE_PATH: text('', '`ffprobe` on PATH, else the bundled one', 'ffprobe executable.'),
  WATCHDOG_S: integer(10, 0, 3600, 'Seconds that the event loop may hang before the process is ended, to be restarted; 0 never ends it.'),
  LOG_LEVEL: logLevels,
} as const;

type VariableName = keyof typeof VARIABLES;
type ValueOf<V> = V extends Variable<infer T> ? T : never;

/** The frozen configuration, by variable name. */
export type Config = { readonly [Name in VariableName]: ValueOf<(typeof VARIABLES)[Name]> };

/** Never shown, not even when they are wrong. */
const SECRETS: ReadonlySet<string> = new Set([
  'LOGIN_SECRET',
  'JWT_SECRET',
  'TURN_CREDENTIAL',
  'TURN_SECRET',
  'ADMIN_TOKEN',
  'PUBLISH_TOKENS',
  'VIEWER_TOKEN',
  'WEBHOOK_SECRET',
  'WHIP_OUT',
]);

/** Variables with this prefix are meant for us, so an unknown one is a mistake. */
const PREFIX = 'SIGHTLINE_';

/**
 * Parses the configuration from variables. Empty text counts as not set. `ownNames` are those of a file that is written for
 * this server: a name there that is nearly one of ours is a fault. `typed` says how a variable was set on the command line (`--port`).
 * @throws MediaPeerError CONFIG_INVALID naming every fault at once.
 */
export function parseConfig(
  variables: Readonly<Record<string, string | undefined>>,
  ownNames: readonly string[] = [],
  typed: ReadonlyMap<string, string> = new Map(),
): Config {
  const faults: string[] = nearMisses(ownNames).map(({ name, meant }) => `unknown ${name} in .env: did you mean ${meant}?`);
  const config: Partial<Record<VariableName, unknown>> = {};
  for (const [name, variable] of Object.entries(VARIABLES) as [VariableName, Variable<unknown>][]) {
    const value = variables[name];
    const parsed = value === undefined || (value === '' && name !== 'CORS_ORIGINS') ? variable.defaultValue : variable.parse(value);
    if (value !== undefined && value !== '' && parsed === undefined) {
      const shown = SECRETS.has(name) ? 'what it holds' : `'${withoutCredentials(value)}'`;
      const why = SECRETS.has(name) ? undefined : variable.explain?.(withoutCredentials(value));
      faults.push(`invalid ${typed.get(name) ?? name}: ${shown} is not ${variable.allowed}${why === undefined ? '' : ` (${why})`}`);
    }
    config[name] = parsed;
  }
  if (faults.length === 0)
    faults.push(
      ...portFaults(config as Config),
      ...turnFaults(config as Config),
      ...tlsFaults(config as Config),
      ...jwtFaults(config as Config),
      ...tokenFaults(config as Config),
      ...mqttFaults(config as Config),
    );
  for (const name of Object.keys(variables).filter((key) => key.startsWith(PREFIX))) {
    const known = name.slice(PREFIX.length);
    faults.push(
      `unknown ${name}${known in VARIABLES ? `: did you mean ${known}?` : `; known variables: ${Object.keys(VARIABLES).join(', ')}`}`,
    );
  }
  if (faults.length > 0) throw new MediaPeerError('CONFIG_INVALID', faults.join('\n'));
  return Object.freeze(config) as Config;
}

/** Ports that exclude each other. */
function portFaults({ PORT, ICE_UDP_PORT, ICE_PORT_RANGE, ICE_TCP_PORT }: Config): string[] {
  const faults: string[] = [];
  if (ICE_UDP_PORT !== undefined && ICE_PORT_RANGE)
    faults.push(
      'ICE_UDP_PORT and ICE_PORT_RANGE exclude each other: set the first for one port for all clients, the second for one for each',
    );
  if (ICE_TCP_PORT !== 0 && ICE_TCP_PORT === PORT)
    faults.push(`ICE_TCP_PORT ${ICE_TCP_PORT} is PORT, on which HTTP is served: choose another one (that of ICE_UDP_PORT may be the same)`);
  return faults;
}

/** TURN servers without credentials would be left out without a word: browsers refuse them. */
function turnFaults({ TURN_URLS, TURN_USERNAME, TURN_CREDENTIAL, TURN_SECRET }: Config): string[] {
  const faults: string[] = [];
  if ((TURN_USERNAME === '') !== (TURN_CREDENTIAL === '')) faults.push('TURN_USERNAME and TURN_CREDENTIAL go together: set both or none');
  const hasCredentials = TURN_SECRET !== '' || TURN_USERNAME !== '' || TURN_CREDENTIAL !== '';
  if (TURN_URLS.length > 0 && !hasCredentials) faults.push('TURN_URLS needs TURN_SECRET, or TURN_USERNAME and TURN_CREDENTIAL');
  if (TURN_URLS.length === 0 && hasCredentials)
    faults.push(`${TURN_SECRET !== '' ? 'TURN_SECRET is' : 'TURN_USERNAME and TURN_CREDENTIAL are'} set, but TURN_URLS names no server`);
  return faults;
}

/** One without the other would serve everybody in the clear. */
function tlsFaults({ TLS_CERT, TLS_KEY }: Config): string[] {
  if ((TLS_CERT === '') === (TLS_KEY === '')) return [];
  return [`TLS_CERT and TLS_KEY go together: set ${TLS_CERT === '' ? 'TLS_CERT' : 'TLS_KEY'}, too, or none`];
}

/** What narrows tokens down says nothing where none are taken. */
function jwtFaults({ JWT_SECRET, JWT_JWKS_URL, JWT_AUDIENCE, JWT_ISSUER }: Config): string[] {
  if (JWT_SECRET !== '' || JWT_JWKS_URL !== '' || (JWT_AUDIENCE === '' && JWT_ISSUER === '')) return [];
  return [`${JWT_AUDIENCE === '' ? 'JWT_ISSUER' : 'JWT_AUDIENCE'} needs JWT_SECRET or JWT_JWKS_URL`];
}

/** What is for the broker does nothing without one. */
function mqttFaults({ MQTT_URL, MQTT_CA_FILE, MQTT_DETECTIONS }: Config): string[] {
  if (MQTT_URL === '') {
    const names = [...(MQTT_CA_FILE === '' ? [] : ['MQTT_CA_FILE']), ...(MQTT_DETECTIONS.length === 0 ? [] : ['MQTT_DETECTIONS'])];
    return names.map((name) => `${name} needs MQTT_URL`);
  }
  return MQTT_CA_FILE !== '' && !MQTT_URL.startsWith('mqtts:') ? ['MQTT_CA_FILE is for TLS: MQTT_URL has to begin with mqtts://'] : [];
}

/** Who has the token of others must not administer by it. */
function tokenFaults({ ADMIN_TOKEN, VIEWER_TOKEN, PUBLISH_TOKENS }: Config): string[] {
  if (ADMIN_TOKEN === '') return [];
  const same = [
    ...(VIEWER_TOKEN === ADMIN_TOKEN ? ['VIEWER_TOKEN'] : []),
    ...([...PUBLISH_TOKENS.values()].includes(ADMIN_TOKEN) ? ['PUBLISH_TOKENS'] : []),
  ];
  return same.map((name) => `ADMIN_TOKEN stands in ${name}, too, which would let its holders administer this server: set another one`);
}

/** What stands before an @ in an address may be a password. */
function withoutCredentials(value: string): string {
  return value.replace(/[^\s,/]*@/g, '***@');
}

/**
 * A server that others can reach serves those who are named, or everybody where somebody says so.
 * @throws MediaPeerError CONFIG_INVALID
 */
export function throwIfOpen(config: Config): void {
  const { HOST, TRUST_PROXY, PUBLISH_TOKENS, ALLOW_ANONYMOUS } = config;
  const isLocal = HOST === 'localhost' || HOST === '::1' || (isIP(HOST) === 4 && HOST.startsWith('127.'));
  const { ADMIN_TOKEN, VIEWER_TOKEN, AUTH_FILE, JWT_SECRET, JWT_JWKS_URL, AUTH_URL } = config;
  const named = [ADMIN_TOKEN, VIEWER_TOKEN, AUTH_FILE, JWT_SECRET, JWT_JWKS_URL, AUTH_URL];
  const hasPrincipals = PUBLISH_TOKENS.size > 0 || named.some((value) => value !== '');
  if (hasPrincipals || ALLOW_ANONYMOUS !== 'off' || (isLocal && TRUST_PROXY.length === 0)) return;
  const why = isLocal ? 'TRUST_PROXY is set, so others reach this server' : `HOST ${HOST} lets others reach this server`;
  throw new MediaPeerError(
    'CONFIG_INVALID',
    `${why}, and nobody is named who may use it: set ADMIN_TOKEN to ${MIN_TOKEN_CHARS} characters or more (openssl rand -hex 32), or ALLOW_ANONYMOUS=watch or ALLOW_ANONYMOUS=all to let everybody in`,
  );
}

/** Names that are nearly those of our variables, with the ones that were perhaps meant. Those of other programs are no near misses. */
export function nearMisses(names: readonly string[]): { readonly name: string; readonly meant: string }[] {
  const known = Object.keys(VARIABLES);
  return names.flatMap((name) => {
    if (known.includes(name) || name.startsWith(PREFIX)) return [];
    const meant = nearMiss(name, known);
    return meant === undefined ? [] : [{ name, meant }];
  });
}

/** The variables of this process: the environment, and beneath it a `.env` file in the working directory. @throws MediaPeerError CONFIG_INVALID */
export function environment(): Readonly<Record<string, string | undefined>> {
  return { ...envFile(), ...process.env };
}

function envFile(): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new MediaPeerError('CONFIG_INVALID', `.env cannot be read: ${String(error)}`, { cause: error });
  }
}

/** What was set on the command line. */
export interface TypedOptions {
  /** Values by the name of their variable. */
  readonly values: Readonly<Record<string, string>>;
  /** How each was typed, `--port`. */
  readonly flags: ReadonlyMap<string, string>;
}

/** The configuration of this process; what was typed counts before the environment, and that before `.env`. @throws MediaPeerError CONFIG_INVALID */
export function loadConfig(typed?: TypedOptions): Config {
  return parseConfig({ ...environment(), ...typed?.values }, Object.keys(envFile()), typed?.flags);
}

/** The npm script that runs this process, and the folder in which npm was called; undefined where it is none. */
export function npmScript(): { readonly name: string; readonly calledFrom: string } | undefined {
  const { npm_lifecycle_event: name, INIT_CWD: calledFrom } = process.env;
  return name === undefined || calledFrom === undefined ? undefined : { name, calledFrom };
}

/** Near misses in the environment, which holds variables of other programs, too: to be told, and no more. */
export function doubtfulVariables(): { readonly name: string; readonly meant: string }[] {
  const inFile = envFile();
  return nearMisses(Object.keys(process.env).filter((name) => !(name in inFile)));
}

/**
 * An absolute path of a configured one: `~/` is the home folder, relative paths start at the working directory. The default of MODEL
 * comes with Sightline.
 */
export function configuredPath(
  config: Config,
  name:
    | 'UPLOAD_DIR'
    | 'MODEL'
    | 'WEBHOOK_QUEUE_DIR'
    | 'SOURCES_FILE'
    | 'AUTH_FILE'
    | 'STATE_DIR'
    | 'RECORD_DIR'
    | 'MQTT_CA_FILE'
    | 'TLS_CERT'
    | 'TLS_KEY',
): string {
  const value = config[name].replace(/^~(?=[/\\]|$)/, homedir());
  return name === 'MODEL' && value === VARIABLES.MODEL.defaultValue ? bundledModel : path.resolve(value);
}
