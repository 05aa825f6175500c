/**
 * An input that is connected on demand: a camera on the network, or a device of this machine. ffmpeg can open far more than
 * that (local files, pipes, lists of other inputs), and a playlist or a redirect may name any of it; so each
 * kind of input gets its own list of protocols and containers, and nothing else is ever opened.
 */
import type { FfmpegTools } from './deps.js';
import type { ProcessPort } from './fluent.js';
import type { Redact } from './redact.js';

/** Schemes of network inputs. */
export const LIVE_SCHEMES = ['rtsp', 'rtsps', 'http', 'https', 'rtmp', 'rtmps'] as const;
/** Scheme of a URL that is opened. */
export type LiveScheme = (typeof LIVE_SCHEMES)[number];

/** ffmpeg's names of device inputs. `lavfi` makes test pictures. */
export const DEVICE_FORMATS = ['v4l2', 'avfoundation', 'dshow', 'lavfi'] as const;
/** ffmpeg's input format of a device of this machine. */
export type DeviceFormat = (typeof DEVICE_FORMATS)[number];

/** What is connected. Its address and its options hold credentials: they go nowhere but to ffmpeg. */
export interface LiveInput {
  /** How it is opened. */
  readonly kind: LiveScheme | DeviceFormat;
  /** URL or device. */
  readonly address: string;
  /** ffmpeg's name of the container, where it need not be found out. */
  readonly format?: string | undefined;
  /** Of `liveOptionRules(kind)`, as ffmpeg takes them. */
  readonly options: Readonly<Record<string, string>>;
  /** Takes the credentials of this input out of a text. */
  readonly redact: Redact;
}

/**
 * ffmpeg's formats that may come over a network. Left out are lists of other inputs but HLS, devices, scripts, and what
 * needs to be told the size of its pictures.
 */
const DEMUXERS = [
  ...['mpjpeg', 'mjpeg', 'mjpeg_2000', 'smjpeg', 'image2pipe', 'jpeg_pipe', 'png_pipe', 'webp_pipe', 'mxg'],
  ...[
    'hls',
    'applehttp',
    'flv',
    'live_flv',
    'mpegts',
    'mov',
    'matroska',
    'ogg',
    'asf',
    'asf_o',
    'avi',
    'nut',
    'ivf',
    'rm',
    'dhav',
    'dv',
    'gxf',
    'mxf',
    'mpeg',
    'wtv',
    'nsv',
  ],
  ...['h264', 'hevc', 'vvc', 'av1', 'obu', 'vc1', 'm4v', 'mpegvideo', 'h261', 'h263', 'dirac'],
] as const;
/** Names that people use. */
const ALIASES: Readonly<Record<string, string>> = { ts: 'mpegts', mp4: 'mov', webm: 'matroska', mkv: 'matroska', jpeg: 'jpeg_pipe' };

/** Formats by the names that they may be given by. */
export const STREAM_FORMATS: Readonly<Record<string, string>> = { ...Object.fromEntries(DEMUXERS.map((name) => [name, name])), ...ALIASES };

/** What an option may be. */
export interface LiveOptionRule {
  /** What values have to match. */
  readonly pattern: RegExp;
  /** In words, for messages. */
  readonly allowed: string;
}

const TRANSPORT: LiveOptionRule = { pattern: /^(tcp|udp|udp_multicast|http)$/, allowed: 'one of tcp, udp, udp_multicast, http' };
const SIZE: LiveOptionRule = { pattern: /^[1-9]\d{0,4}x[1-9]\d{0,4}$/, allowed: 'a size such as 1280x720' };
const RATE: LiveOptionRule = { pattern: /^\d{1,5}(\.\d{1,3}|\/\d{1,5})?$/, allowed: 'frames a second, such as 30 or 30000/1001' };
const NAME: LiveOptionRule = { pattern: /^[a-z][a-z0-9_]{0,31}$/, allowed: "one of ffmpeg's names, such as mjpeg or yuyv422" };
const BYTES: LiveOptionRule = { pattern: /^\d{3,9}$/, allowed: 'a number of bytes' };
const HEADER_TEXT: LiveOptionRule = { pattern: /^[^\r\n\0]{1,1000}$/, allowed: 'one line of text' };
const ON_OFF: LiveOptionRule = { pattern: /^[01]$/, allowed: 'true or false' };
const FILE: LiveOptionRule = { pattern: /^[^\r\n\0]{1,1000}$/, allowed: 'the path of a file' };

const COMMON = { probesize: BYTES, analyzeduration: { pattern: /^\d{1,8}$/, allowed: 'microseconds, at most 99999999' } };
const RTSP = {
  ...COMMON,
  rtsp_transport: TRANSPORT,
  buffer_size: BYTES,
  reorder_queue_size: { pattern: /^\d{1,5}$/, allowed: 'a number of packets' },
  user_agent: HEADER_TEXT,
};
const HTTP = {
  ...COMMON,
  user_agent: HEADER_TEXT,
  referer: HEADER_TEXT,
  headers: { pattern: /^([\w-]+: [^\r\n\0]+\r\n)+$/, allowed: 'names and values, such as {X-Token: "abc"}' },
};
const CAMERA = { video_size: SIZE, framerate: RATE, pixel_format: NAME };

const RULES: Readonly<Record<LiveInput['kind'], Readonly<Record<string, LiveOptionRule>>>> = {
  rtsp: RTSP,
  rtsps: RTSP,
  http: HTTP,
  https: { ...HTTP, tls_verify: ON_OFF, ca_file: FILE },
  rtmp: COMMON,
  rtmps: COMMON,
  v4l2: { ...CAMERA, input_format: NAME },
  avfoundation: CAMERA,
  dshow: { ...CAMERA, video_codec: NAME, rtbufsize: BYTES },
  lavfi: {},
};

/** The options that may be given to an input of this kind, by name. */
export function liveOptionRules(kind: LiveInput['kind']): Readonly<Record<string, LiveOptionRule>> {
  return RULES[kind];
}

const HTTP_PROTOCOLS = ['http', 'https', 'httpproxy', 'tcp', 'tls'];
/** A device needs none; ffmpeg takes an empty list for no limit. */
const NO_PROTOCOL = 'none';
const PROTOCOLS: Readonly<Record<LiveInput['kind'], readonly string[]>> = {
  rtsp: ['rtsp', 'rtp', 'rtcp', 'srtp', 'udp', 'tcp', 'http', 'httpproxy'],
  rtsps: ['rtsps', 'rtsp', 'rtp', 'rtcp', 'srtp', 'udp', 'tcp', 'tls'],
  http: HTTP_PROTOCOLS,
  https: HTTP_PROTOCOLS,
  rtmp: ['rtmp', 'tcp'],
  rtmps: ['rtmps', 'tcp', 'tls'],
  v4l2: [NO_PROTOCOL],
  avfoundation: [NO_PROTOCOL],
  dshow: [NO_PROTOCOL],
  lavfi: [NO_PROTOCOL],
};
/** What is looked for where no format is given. Still pictures are left out. */
const CONTAINERS = [
  'rtsp',
  'rtp',
  'sdp',
  'hls',
  'applehttp',
  'mpjpeg',
  'mjpeg',
  'flv',
  'live_flv',
  'mpegts',
  'mov',
  'matroska',
  'ogg',
  'asf',
  'h264',
  'hevc',
  'aac',
  'mp3',
  'ac3',
  'webvtt',
];

/** Kinds of tracks that an RTSP camera is asked for; what is not named is not set up. */
type WantedMedia = 'video' | 'video+audio';

/** How a camera is connected. */
export interface CallOptions {
  /** How long one read or connection may take, in ms; less than the deadlines around it, so that ffmpeg says what happened. */
  readonly ioTimeoutMs: number;
  /** Which tracks are asked for. */
  readonly media: WantedMedia;
}

/** Options before `-i`, for either program. */
export function liveInputOptions(input: LiveInput, rtspTimeout: string, { ioTimeoutMs, media }: CallOptions): string[] {
  const { kind, format, options } = input;
  const isDevice = isDeviceFormat(kind);
  const given = Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]);
  const container = isDevice ? kind : format;
  return [
    ...['-protocol_whitelist', PROTOCOLS[kind].join(',')],
    ...(isDevice ? [] : ['-format_whitelist', [...CONTAINERS, ...(format === undefined ? [] : [format])].join(',')]),
    ...(container === undefined ? [] : ['-f', container]),
    ...(isDevice ? [] : [isRtsp(kind) ? rtspTimeout : '-rw_timeout', String(Math.round(ioTimeoutMs * 1000))]),
    ...(isRtsp(kind) ? ['-allowed_media_types', media] : []),
    ...(isRtsp(kind) && options['rtsp_transport'] === undefined ? ['-rtsp_transport', 'tcp'] : []),
    ...given,
  ];
}

/** The input of a process. @param more options that only ffmpeg takes. */
export function liveInputPort(input: LiveInput, tools: FfmpegTools, call: CallOptions, more: readonly string[] = []): ProcessPort {
  return { options: [...more, ...liveInputOptions(input, tools.rtspTimeout.ffmpeg, call)], address: input.address };
}

/** Whether it is read by RTSP, which announces each track before it comes. */
export function isRtsp(kind: LiveInput['kind']): boolean {
  return kind === 'rtsp' || kind === 'rtsps';
}

/** Whether an input of this kind is a device of this machine. */
export function isDeviceFormat(kind: string): kind is DeviceFormat {
  return DEVICE_FORMATS.some((format) => format === kind);
}
