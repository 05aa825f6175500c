/** An RTSP camera over TCP with the habits of cheap ones: tracks that nobody can set up, sound that never comes, one picture in seconds. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const CLIP = [
  '-f',
  'lavfi',
  '-i',
  'testsrc2=size=160x90:rate=25',
  '-t',
  '2',
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-tune',
  'zerolatency',
  '-pix_fmt',
  'yuv420p',
  '-g',
  '1',
  '-x264-params',
  'aud=1:repeat-headers=1',
];
const [AUD, SEI, SPS, PPS] = [9, 6, 7, 8];
const START = Buffer.from([0, 0, 1]);
const MAX_PAYLOAD = 1200;

let pictures: readonly (readonly Buffer[])[] | undefined;

/** Pictures of 160x90, each a keyframe, as NAL units. */
function clip(): readonly (readonly Buffer[])[] {
  if (pictures) return pictures;
  const bytes = execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...CLIP, '-f', 'h264', 'pipe:1']);
  const units: Buffer[] = [];
  for (let at = bytes.indexOf(START); at >= 0;) {
    const next = bytes.indexOf(START, at + 3);
    units.push(trimmed(bytes.subarray(at + 3, next < 0 ? bytes.length : next)));
    at = next;
  }
  const made: Buffer[][] = [];
  for (const unit of units) {
    if (typeOf(unit) === AUD) made.push([]);
    else if (typeOf(unit) !== SEI) made.at(-1)?.push(unit);
  }
  return (pictures = made);
}

function trimmed(unit: Buffer): Buffer {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end--;
  return unit.subarray(0, end);
}

const typeOf = (unit: Buffer): number => (unit[0] as number) & 31;

/** One track of an announcement. */
export interface CameraTrack {
  readonly sdp: readonly string[];
  /** What SETUP of it is answered; default 200. `0`: nothing. */
  readonly setup?: number;
  readonly sends?: 'pictures' | 'pcmu';
}

const parameterSet = (type: number): string => (clip()[0] ?? []).find((unit) => typeOf(unit) === type)?.toString('base64') ?? '';
export const picture = (): CameraTrack => ({
  sdp: [
    'm=video 0 RTP/AVP 96',
    'a=rtpmap:96 H264/90000',
    `a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${parameterSet(SPS)},${parameterSet(PPS)}`,
  ],
  sends: 'pictures',
});
export const sound: CameraTrack = { sdp: ['m=audio 0 RTP/AVP 0'], sends: 'pcmu' };
export const silentSound: CameraTrack = { sdp: ['m=audio 0 RTP/AVP 0'] };
export const talkBack: CameraTrack = { sdp: ['m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', 'a=sendonly'] };
export const metadata: CameraTrack = { sdp: ['m=application 0 RTP/AVP 107', 'a=rtpmap:107 vnd.onvif.metadata/90000'] };

export interface RtspCameraOptions {
  readonly tracks: readonly CameraTrack[];
  /** Pictures a second; default 25. */
  readonly fps?: number;
}

export class OddRtspCamera {
  /** Requests, as `SETUP /cam/1`. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #options: Required<RtspCameraOptions>;
  /** It is connected, and sends nothing any more. */
  isFrozen = false;

  static async start(options: RtspCameraOptions): Promise<OddRtspCamera> {
    const camera = new OddRtspCamera(options);
    camera.#server.listen(0, '127.0.0.1');
    await once(camera.#server, 'listening');
    return camera;
  }

  private constructor(options: RtspCameraOptions) {
    this.#options = { fps: 25, ...options };
    this.#server = createServer((socket) => this.#serve(socket));
  }

  get url(): string {
    return `rtsp://127.0.0.1:${(this.#server.address() as AddressInfo).port}/cam`;
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async switchOff(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.hangUp();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const over = new AbortController();
    const channels = new Map<number, number>();
    let bytes = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      over.abort();
      this.#sockets.delete(socket);
    });
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let size = unitSize(bytes); size !== undefined; size = unitSize(bytes)) {
        const unit = bytes.subarray(0, size);
        bytes = bytes.subarray(size);
        if (unit[0] !== 0x24) this.#answer(unit.toString(), socket, channels, over.signal);
      }
    });
  }

  #answer(request: string, socket: Socket, channels: Map<number, number>, signal: AbortSignal): void {
    const [method = '', url = ''] = request.split(' ');
    const cseq = /cseq: *(\d+)/i.exec(request)?.[1] ?? '0';
    const at = Number(/\/(\d+)$/.exec(url)?.[1] ?? -1);
    this.requests.push(`${method} ${url.replace(/^rtsp:\/\/[^/]*/, '')}`);
    const reply = (code: number, headers: readonly string[] = [], body = ''): void =>
      void socket.write(
        [
          `RTSP/1.0 ${code} ${code === 200 ? 'OK' : 'Trouble'}`,
          `CSeq: ${cseq}`,
          'Session: 7',
          ...headers,
          ...(body ? [`Content-Length: ${body.length}`] : []),
          '',
          body,
        ].join('\r\n'),
      );
    if (method === 'OPTIONS') return reply(200, ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']);
    if (method === 'DESCRIBE') return reply(200, [`Content-Base: ${this.url}/`, 'Content-Type: application/sdp'], this.#sdp());
    if (method === 'SETUP') {
      const code = this.#options.tracks[at]?.setup ?? 200;
      const transport = /transport: *(.*)/i.exec(request)?.[1] ?? '';
      channels.set(at, Number(/interleaved=(\d+)/.exec(transport)?.[1] ?? 0));
      if (code !== 0) reply(code, code === 200 ? [`Transport: ${transport}`] : []);
      return;
    }
    reply(200);
    if (method === 'PLAY') this.#play(socket, channels, signal);
  }

  #sdp(): string {
    const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=cam', 'c=IN IP4 0.0.0.0', 't=0 0', 'a=control:*'];
    return [...head, ...this.#options.tracks.flatMap(({ sdp }, i) => [...sdp, `a=control:${i}`]), ''].join('\r\n');
  }

  #play(socket: Socket, channels: ReadonlyMap<number, number>, signal: AbortSignal): void {
    for (const [at, channel] of channels) {
      const { sends } = this.#options.tracks[at] ?? {};
      const send = (packets: readonly Buffer[]): void => {
        if (!this.isFrozen) for (const packet of packets) socket.write(framed(channel, packet));
      };
      if (sends === 'pictures') void everyMs(1000 / this.#options.fps, signal, (n) => send(picturePackets(n, this.#options.fps)));
      if (sends === 'pcmu')
        void everyMs(20, signal, (n) =>
          send([rtp({ payloadType: 0, sequence: n, timestamp: n * 160, marker: false }, Buffer.alloc(160, n % 2 ? 0x20 : 0xa0))]),
        );
    }
  }
}

/** Of what comes first: a whole request or a block of RTP; undefined while it is not whole. */
function unitSize(bytes: Buffer): number | undefined {
  if (bytes[0] === 0x24) return bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt16BE(2) ? 4 + bytes.readUInt16BE(2) : undefined;
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? undefined : end + 4;
}

/** From now on, in step with the clock, until the signal is aborted. */
async function everyMs(periodMs: number, signal: AbortSignal, act: (n: number) => void): Promise<void> {
  const startedMs = performance.now();
  for (let n = 0; !signal.aborted; n++) {
    act(n);
    await wait(Math.max(0, startedMs + (n + 1) * periodMs - performance.now()), undefined, { signal }).catch(() => undefined);
  }
}

let sequence = 0;

function picturePackets(n: number, fps: number): Buffer[] {
  const units = clip()[n % clip().length] ?? [];
  const payloads = units.flatMap(payloadsOf);
  return payloads.map((payload, i) =>
    rtp({ payloadType: 96, sequence: sequence++, timestamp: Math.round((n * 90_000) / fps), marker: i === payloads.length - 1 }, payload),
  );
}

/** Single NAL units and FU-A, RFC 6184 §5.6 and §5.8. */
function payloadsOf(unit: Buffer): Buffer[] {
  if (unit.length <= MAX_PAYLOAD) return [unit];
  const parts: Buffer[] = [];
  for (let at = 1; at < unit.length; at += MAX_PAYLOAD) {
    const flags = (at === 1 ? 0x80 : 0) | (at + MAX_PAYLOAD >= unit.length ? 0x40 : 0);
    parts.push(
      Buffer.concat([Buffer.from([((unit[0] as number) & 0xe0) | 28, flags | typeOf(unit)]), unit.subarray(at, at + MAX_PAYLOAD)]),
    );
  }
  return parts;
}

function rtp(
  { payloadType, sequence: number, timestamp, marker }: { payloadType: number; sequence: number; timestamp: number; marker: boolean },
  payload: Buffer,
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8((marker ? 0x80 : 0) | payloadType, 1);
  header.writeUInt16BE(number & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(payloadType + 1, 8);
  return Buffer.concat([header, payload]);
}

function framed(channel: number, packet: Buffer): Buffer {
  const head = Buffer.from([0x24, channel, 0, 0]);
  head.writeUInt16BE(packet.length, 2);
  return Buffer.concat([head, packet]);
}
