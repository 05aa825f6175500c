/** A browser and a server in miniature, on fake time: as much of both as the client library touches. */
import { FakeClock } from '../helpers/fake-clock.js';
import type { Environment, PageEvent } from '../../src/client/index.js';

export const SERVER = 'http://sightline.test/';

/** SDP as browsers write it, as far as trickle and restarts look. */
export function sdpOf(ufrag: string, ...lines: readonly string[]): string {
  return `${['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', 'm=video 9 UDP/TLS/RTP/SAVPF 96', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${'p'.repeat(20)}${ufrag}`, 'a=ice-options:trickle', ...lines, 'a=mid:0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${'p'.repeat(20)}${ufrag}`, 'a=mid:1'].join('\r\n')}\r\n`;
}

/** What a restart is answered with. */
export function fragmentOf(ufrag: string): string {
  return `a=group:BUNDLE 0 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=ice-ufrag:${ufrag}\r\na=ice-pwd:${'q'.repeat(22)}\r\na=candidate:1 1 udp 1 127.0.0.1 4000 typ host\r\na=end-of-candidates\r\n`;
}

export class FakeChannel extends EventTarget {
  binaryType = 'blob';
  readyState = 'connecting';
  readonly sent: unknown[] = [];
  readonly label: string;

  constructor(label: string) {
    super();
    this.label = label;
  }

  send(data: unknown): void {
    this.sent.push(typeof data === 'string' ? JSON.parse(data) : new TextDecoder().decode(data as Uint8Array));
  }

  become(state: 'open' | 'closed'): void {
    if (this.readyState === state) return;
    this.readyState = state;
    this.dispatchEvent(new Event(state === 'open' ? 'open' : 'close'));
  }

  close(): void {
    this.become('closed');
  }

  receive(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}

class FakeTrack extends EventTarget {
  readonly kind: string;
  muted = true;

  constructor(kind: string) {
    super();
    this.kind = kind;
  }
}

export class FakeStream {
  readonly tracks: FakeTrack[] = [];

  constructor(...kinds: readonly string[]) {
    this.tracks.push(...kinds.map((kind) => new FakeTrack(kind)));
  }

  getTracks(): FakeTrack[] {
    return [...this.tracks];
  }

  getVideoTracks(): FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === 'video');
  }

  getAudioTracks(): FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === 'audio');
  }

  addTrack(track: FakeTrack): void {
    if (!this.tracks.includes(track)) this.tracks.push(track);
  }

  removeTrack(track: FakeTrack): void {
    this.tracks.splice(this.tracks.indexOf(track), 1);
  }
}

class FakeDtls {
  state = 'connected';
  onstatechange: (() => void) | null = null;
}

let generations = 0;

export class FakePeerConnection extends EventTarget {
  connectionState = 'new';
  signalingState = 'stable';
  localDescription: { sdp: string } | null = null;
  remoteDescription: { sdp: string } | null = null;
  configuration: unknown;
  readonly channels: FakeChannel[] = [];
  readonly dtls = new FakeDtls();
  readonly senders: { track: unknown; transport: FakeDtls; replaceTrack(track: unknown): Promise<void> }[] = [];
  readonly receivers: { track: FakeTrack; transport: FakeDtls }[] = [];
  /** Decoded, or sent. */
  frames = 0;
  /** Of its candidate pair; undefined: this browser does not tell. */
  bytesReceived: number | undefined;
  closed = false;
  /** Connects by itself as soon as it has an answer. */
  readonly #connects: () => boolean;

  constructor(configuration: unknown, connects: () => boolean) {
    super();
    this.configuration = configuration;
    this.#connects = connects;
  }

  createDataChannel(label: string): FakeChannel {
    const channel = new FakeChannel(label);
    this.channels.push(channel);
    if (this.connectionState === 'connected') queueMicrotask(() => channel.become('open'));
    return channel;
  }

  /** What each transceiver was added with. */
  readonly encodings: (readonly RTCRtpEncodingParameters[])[] = [];

  addTransceiver(trackOrKind: FakeTrack | string, { sendEncodings = [] }: RTCRtpTransceiverInit = {}): unknown {
    this.encodings.push(sendEncodings);
    const sender = {
      track: trackOrKind as unknown,
      transport: this.dtls,
      replaceTrack: (track: unknown) => Promise.resolve(void (sender.track = track)),
    };
    const receiver = { track: new FakeTrack(typeof trackOrKind === 'string' ? trackOrKind : trackOrKind.kind), transport: this.dtls };
    this.senders.push(sender);
    this.receivers.push(receiver);
    return { sender, receiver, currentDirection: 'recvonly', mid: String(this.receivers.length - 1) };
  }

  getSenders(): unknown[] {
    return this.senders;
  }

  getReceivers(): unknown[] {
    return this.receivers;
  }

  createOffer(): Promise<{ type: string; sdp: string }> {
    return Promise.resolve({ type: 'offer', sdp: sdpOf(`mine${++generations}`) });
  }

  setLocalDescription(description: { sdp: string }): Promise<void> {
    this.localDescription = description;
    return Promise.resolve();
  }

  setRemoteDescription(description: { sdp: string }): Promise<void> {
    this.remoteDescription = description;
    if (this.#connects()) queueMicrotask(() => this.become('connected'));
    return Promise.resolve();
  }

  setConfiguration(configuration: unknown): void {
    this.configuration = configuration;
  }

  getStats(): Promise<Map<string, unknown>> {
    return Promise.resolve(
      new Map<string, unknown>([
        ['I', { type: 'inbound-rtp', kind: 'video', framesDecoded: this.frames }],
        ...(this.bytesReceived === undefined ? [] : ([['P', { type: 'candidate-pair', bytesReceived: this.bytesReceived }]] as const)),
        ['O', { type: 'outbound-rtp', kind: 'video', framesSent: this.frames }],
      ]),
    );
  }

  become(state: string): void {
    if (this.closed || this.connectionState === state) return;
    this.connectionState = state;
    if (state === 'connected') for (const channel of this.channels) channel.become('open');
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  find(candidate: string | null): void {
    this.dispatchEvent(
      Object.assign(new Event('icecandidate'), { candidate: candidate === null ? null : { candidate, sdpMid: '0', sdpMLineIndex: 0 } }),
    );
  }

  close(): void {
    this.closed = true;
    this.signalingState = 'closed';
    this.connectionState = 'closed';
    for (const channel of this.channels) channel.close();
  }
}

/** A request as it came. */
export interface SeenRequest {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly keepalive: boolean;
  /** What would end it. */
  readonly signal: AbortSignal | undefined;
}

type Handler = (request: SeenRequest) => Response | Promise<Response> | undefined;

/** The page and its server. */
export class FakeWorld {
  readonly clock = new FakeClock();
  readonly requests: SeenRequest[] = [];
  readonly connections: FakePeerConnection[] = [];
  /** Answers before the server does. */
  handler: Handler = () => undefined;
  isReachable = true;
  connects = true;
  visible = true;
  online = true;
  #listeners = new Set<(event: PageEvent) => void>();
  #sessions = 0;

  get env(): Environment {
    return {
      clock: this.clock,
      fetch: (url, init) => this.#fetch(url, init),
      createPeerConnection: (configuration) => {
        const pc = new FakePeerConnection(configuration, () => this.connects);
        this.connections.push(pc);
        return pc as unknown as RTCPeerConnection;
      },
      createStream: () => new FakeStream() as unknown as MediaStream,
      isVisible: () => this.visible,
      isOnline: () => this.online,
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    };
  }

  /** The newest connection. */
  get pc(): FakePeerConnection {
    const pc = this.connections.at(-1);
    if (!pc) throw new Error('there is no connection yet');
    return pc;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  tell(event: PageEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** The newest connection changes its state. */
  async change(state: string): Promise<void> {
    this.pc.become(state);
    await this.clock.advance(0);
  }

  /** Moments, in seconds, of the requests with that method. */
  times(method: string): number[] {
    return this.of(method).map(({ atMs }) => Math.round(atMs / 10) / 100);
  }

  of(method: string): SeenRequest[] {
    return this.requests.filter((request) => request.method === method && !/ready|health|ice-servers/.test(request.path));
  }

  /** Moves time on while every connection that is connected gets 10 frames a second. */
  async play(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      for (const pc of this.connections) {
        if (pc.connectionState !== 'connected') continue;
        pc.frames++;
        if (pc.bytesReceived !== undefined) pc.bytesReceived += 1000;
      }
      await this.clock.advance(100);
    }
  }

  async #fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const request: SeenRequest = {
      atMs: this.clock.now(),
      method: init.method ?? 'GET',
      path: new URL(url).pathname,
      headers: (init.headers ?? {}) as Record<string, string>,
      body: typeof init.body === 'string' ? init.body : '',
      keepalive: init.keepalive ?? false,
      signal: init.signal ?? undefined,
    };
    this.requests.push(request);
    if (!this.isReachable) throw new TypeError('Failed to fetch');
    return (await this.handler(request)) ?? this.#answer(request);
  }

  #answer({ method, path }: SeenRequest): Response {
    const session = `/sessions/s${this.#sessions + 1}`;
    if (method === 'POST' && path === '/offer') {
      this.#sessions++;
      return Response.json(
        { sdp: sdpOf('theirs'), type: 'answer', client_id: 'me', source: 'demo', tracks: ['raw'], session_url: session },
        { headers: { etag: '"1"' } },
      );
    }
    if (method === 'POST') {
      this.#sessions++;
      return new Response(sdpOf('theirs'), { status: 201, headers: { location: session, etag: '"1"' } });
    }
    if (method === 'PATCH') return new Response(null, { status: 204 });
    if (path === '/ice-servers') return Response.json({ ice_servers: [], ttl_s: 3600 });
    return Response.json({});
  }
}

/** A refusal as the server writes it. */
export function refusal(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ statusCode: status, code, error: code, message: `${code} in words` }, { status, headers });
}

/** Answers an ICE restart. */
export function restarted(ufrag = 'fresh'): Response {
  return new Response(fragmentOf(ufrag), { status: 200, headers: { etag: '"2"', 'content-type': 'application/trickle-ice-sdpfrag' } });
}

/** Never answers, as a network that is cut. */
export function silence(): Promise<Response> {
  return new Promise<Response>(() => undefined);
}
