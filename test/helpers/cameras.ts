/** Cameras that tests call: over HTTP by ffmpeg behind Node's server, over RTSP by GStreamer's server where Debian has it. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

const PICTURES = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '25'];

/** What a camera may send, as arguments of ffmpeg that end with the format. */
const STREAMS = {
  /** Can be copied, with sound. */
  flv: [...PICTURES, ...SOUND, ...H264, '-c:a', 'aac', '-f', 'flv'],
  /** The second stream of such a camera: smaller, in another profile. */
  low: [
    ...['-re', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25', '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'],
    ...['-pix_fmt', 'yuv420p', '-g', '25', '-profile:v', 'high', '-coder', '1', '-8x8dct', '1', '-f', 'flv'],
  ],
  ts: [...PICTURES, ...H264, '-f', 'mpegts'],
  bFrames: [
    ...PICTURES,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-g',
    '25',
    '-bf',
    '2',
    '-b_strategy',
    '0',
    '-f',
    'mpegts',
  ],
  hevc: [
    ...PICTURES,
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:keyint=25:bframes=0',
    '-pix_fmt',
    'yuv420p',
    '-f',
    'mpegts',
  ],
  mjpeg: [...PICTURES, '-c:v', 'mjpeg', '-q:v', '5', '-f', 'mpjpeg'],
  rareKeyframes: [
    ...PICTURES,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-pix_fmt',
    'yuv420p',
    '-g',
    '1000',
    '-f',
    'flv',
  ],
} as const satisfies Record<string, readonly string[]>;
export type StreamName = keyof typeof STREAMS;

/** Rewrites the times in FLV: a tag's header holds it in bytes 4 to 7, the highest byte last. */
function restampFlv(restamp: (stampMs: number) => number): Transform {
  let rest = Buffer.alloc(0);
  let at = 13;
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= at + 11 && rest.length >= at + 15 + rest.readUIntBE(at + 1, 3)) {
        const stampMs = restamp(rest.readUIntBE(at + 4, 3) + rest.readUInt8(at + 7) * 2 ** 24);
        rest.writeUIntBE(stampMs % 2 ** 24, at + 4, 3);
        rest.writeUInt8(Math.floor(stampMs / 2 ** 24), at + 7);
        at += 15 + rest.readUIntBE(at + 1, 3);
      }
      const whole = rest.subarray(0, at);
      rest = Buffer.from(rest.subarray(at));
      at = 0;
      done(null, Buffer.from(whole));
    },
  });
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  flv: 'video/x-flv',
  mpegts: 'video/mp2t',
  mpjpeg: 'multipart/x-mixed-replace;boundary=ffmpeg',
};

export class HttpCamera {
  stream: StreamName;
  /** Of FLV: what becomes of the times in it. */
  restamp: ((stampMs: number) => number) | undefined;
  /** Calls that were answered, and refused. */
  calls = 0;
  refusals = 0;
  /** Refused calls that showed credentials. */
  wrongLogins = 0;
  readonly #server: http.Server;
  readonly #children = new Map<ChildProcess, ServerResponse>();
  /** What gets in; see `start`. */
  credentials: string | undefined;
  #port = 0;

  /** @param credentials `user:password` for Basic authentication, or `?query` that the address must end with. */
  static async start(stream: StreamName, credentials?: string): Promise<HttpCamera> {
    const camera = new HttpCamera(stream, credentials);
    await camera.switchOn();
    return camera;
  }

  private constructor(stream: StreamName, credentials: string | undefined) {
    this.stream = stream;
    this.credentials = credentials;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
  }

  /** Without credentials. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/live`;
  }

  async switchOn(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Hangs up, and does not listen any more. */
  async switchOff(): Promise<void> {
    this.hangUp();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  hangUp(): void {
    for (const [child, response] of this.#children) {
      child.kill('SIGKILL');
      response.destroy();
    }
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#children.size;
  }

  /** Connected, but nothing comes. */
  freeze(): void {
    for (const child of this.#children.keys()) child.kill('SIGSTOP');
  }

  #answer(request: http.IncomingMessage, response: ServerResponse): void {
    if (!this.#isAllowed(request)) {
      this.refusals++;
      if (request.headers.authorization !== undefined) this.wrongLogins++;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
      return;
    }
    this.calls++;
    const args = STREAMS[this.stream];
    response.writeHead(200, { 'content-type': CONTENT_TYPES[args.at(-1) as string] });
    const child = spawn('ffmpeg', ['-nostdin', '-v', 'error', ...args, '-flush_packets', '1', 'pipe:1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#children.set(child, response);
    if (this.restamp) child.stdout.pipe(restampFlv(this.restamp)).pipe(response);
    else child.stdout.pipe(response);
    child.stdout.on('error', () => undefined);
    child.once('exit', () => this.#children.delete(child));
    response.once('close', () => child.kill('SIGKILL'));
  }

  #isAllowed({ headers, url }: http.IncomingMessage): boolean {
    if (this.credentials === undefined) return true;
    if (this.credentials.startsWith('?')) return url?.endsWith(this.credentials) === true;
    return headers.authorization === `Basic ${Buffer.from(this.credentials).toString('base64')}`;
  }
}

const RTSP_SERVER = `
import sys, gi
gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0')
from gi.repository import Gst, GstRtspServer, GLib
Gst.init(None)
launch, user, password = sys.argv[1:4]
server = GstRtspServer.RTSPServer(); server.set_address('127.0.0.1'); server.set_service('0')
factory = GstRtspServer.RTSPMediaFactory(); factory.set_launch(launch); factory.set_shared(True)
auth = GstRtspServer.RTSPAuth(); token = GstRtspServer.RTSPToken(); token.set_string('media.factory.role', 'user')
auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token); server.set_auth(auth)
factory.add_role_from_structure(Gst.Structure.from_string('user, media.factory.access=true, media.factory.construct=true')[0])
server.get_mount_points().add_factory('/cam', factory)
server.attach(None); print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
`;
const NEEDED = ['rtspsrc', 'x264enc', 'rtph264pay'];

/** Why there is no RTSP server on this machine; undefined where there is one. */
export function whyNoRtspServer(): string | undefined {
  try {
    execFileSync(
      '/usr/bin/python3',
      [
        '-c',
        `import gi\ngi.require_version('Gst','1.0'); gi.require_version('GstRtspServer','1.0')\nfrom gi.repository import Gst, GstRtspServer\nGst.init(None)\nassert all(Gst.ElementFactory.find(n) for n in ${JSON.stringify(NEEDED)})`,
      ],
      { stdio: 'ignore' },
    );
    return undefined;
  } catch {
    return 'no GStreamer RTSP server: apt install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly';
  }
}

/** A real RTSP server with a password. */
const RTSP_ENCODERS = {
  h264: 'x264enc tune=zerolatency key-int-max=25 speed-preset=ultrafast ! rtph264pay',
  h265: 'videoconvert ! video/x-raw,format=I420 ! x265enc tune=zerolatency key-int-max=25 speed-preset=ultrafast ! rtph265pay config-interval=-1',
} as const;

export class RtspCamera {
  readonly #child: ChildProcess;
  readonly url: string;

  /** @param size of its pictures. Default `320x180` */
  static async start(user: string, password: string, size = '320x180', codec: keyof typeof RTSP_ENCODERS = 'h264'): Promise<RtspCamera> {
    const [width, height] = size.split('x');
    const launch = [
      `( videotestsrc is-live=true pattern=ball ! video/x-raw,width=${width},height=${height},framerate=25/1`,
      `! ${RTSP_ENCODERS[codec]} name=pay0 pt=96`,
      'audiotestsrc is-live=true ! audioconvert ! alawenc ! rtppcmapay name=pay1 pt=97 )',
    ].join(' ');
    const child = spawn('/usr/bin/python3', ['-c', RTSP_SERVER, launch, user, password], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return new RtspCamera(child, Number(line.toString()));
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `rtsp://127.0.0.1:${port}/cam`;
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
