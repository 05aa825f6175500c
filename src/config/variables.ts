/** Every variable of the configuration. The table of docs/configuration.md is tested against it. */
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { isAddressRange } from '../base/address-ranges.js';
import { eventTypes } from './event-types.js';
import { ladder } from './ladder.js';
import { logLevels } from './log-levels.js';
import { portRange, udpPort } from './ports.js';
import { eventRetention, recordMinFree, recordRetention } from './retention.js';
import { sourceModels, whipOut } from './sources.js';
import { anonymous, bearerToken, roomTokens } from './tokens.js';
import { flag, integer, list, text, type Variable } from './variable.js';

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

/** Names of all variables. */
export type VariableName = keyof typeof VARIABLES;
type ValueOf<V> = V extends Variable<infer T> ? T : never;

/** The frozen configuration, by variable name. */
export type Config = { readonly [Name in VariableName]: ValueOf<(typeof VARIABLES)[Name]> };
