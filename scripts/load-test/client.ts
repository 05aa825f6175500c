/** One viewer of the load test: a werift peer that joins through POST /offer and measures what it gets. */
import { RTCPeerConnection, RTCRtpCodecParameters, useSdesMid } from 'werift';
import { Acknowledgements } from './acknowledgements.js';
import { isH264Keyframe, isVp8Keyframe } from './decodable.js';
import { RtpMeter, type RtpFigures } from './rtp-meter.js';

/** What one viewer does. */
export interface ClientJob {
  readonly index: number;
  readonly url: string;
  readonly source: string | undefined;
  /** One receiving video m-line each. Empty: the server chooses for one m-line. */
  readonly tracks: readonly ('raw' | 'processed')[];
  readonly codec: 'h264' | 'vp8';
  readonly audio: boolean;
  /** Milliseconds to wait before the offer. */
  readonly delayMs: number;
  /** Milliseconds from the offer to a connection. */
  readonly connectTimeoutMs: number;
  /** Counts RTP packets and does not decrypt them, so that many viewers fit into one process. */
  readonly countOnly: boolean;
  /** Asks for the numbers of transport-wide feedback, and with `sent` gives it several times a second. Default: none. */
  readonly feedback?: 'asked' | 'sent' | undefined;
}

/** Why a viewer did not get what it came for. */
export interface ClientFailure {
  readonly stage: 'refused' | 'unreachable' | 'not-connected' | 'lost' | 'no-picture';
  readonly message: string;
  /** HTTP status and error code of a refusal. */
  readonly status?: number;
  readonly code?: string;
}

/** One m-line's figures; the moments are ms since the offer was sent. */
interface LineResult extends Omit<RtpFigures, 'firstPacketAtMs' | 'firstFrameAtMs'> {
  /** Rendition, or `audio`. */
  readonly line: string;
  readonly firstPacketMs: number | undefined;
  readonly firstFrameMs: number | undefined;
}

export interface ClientResult {
  readonly index: number;
  readonly connectMs: number | undefined;
  readonly lines: readonly LineResult[];
  readonly failure: ClientFailure | undefined;
  /** RTP packets that came in; the only count of a viewer with `countOnly`. */
  readonly rtpPackets: number;
}

/** The library's private fields that are reached for; `iceServers: []` alone still asks a public STUN server. */
interface IcePrivate {
  stunServer: unknown;
  readonly onData: { execute: (data: Buffer) => void };
  getCandidatePromises(addresses: string[], timeout?: number): Promise<unknown>[];
  readonly protocols: readonly { readonly transport?: { readonly socket?: { setRecvBufferSize?: (bytes: number) => void } } }[];
}

/** A replay comes as one burst of a whole GOP; the system caps this at `net.core.rmem_max`. */
const RECEIVE_BUFFER_BYTES = 4 * 2 ** 20;

export class LoadClient {
  readonly #job: ClientJob;
  readonly #pc: RTCPeerConnection;
  readonly #onVideoRtp: ((packet: Buffer) => void) | undefined;
  readonly #meters: { readonly line: string; readonly meter: RtpMeter }[] = [];
  readonly #acknowledgements: Acknowledgements | undefined;
  #postedAtMs = 0;
  #connectedAtMs: number | undefined;
  #failure: ClientFailure | undefined;
  #sessionUrl: string | undefined;
  #rtpPackets = 0;
  #isClosing = false;

  /** @param onVideoRtp gets every decrypted video packet, serialized */
  constructor(job: ClientJob, onVideoRtp?: (packet: Buffer) => void) {
    this.#job = job;
    this.#onVideoRtp = onVideoRtp;
    this.#acknowledgements = job.feedback && new Acknowledgements();
    const isLoopback = ['127.0.0.1', 'localhost'].includes(new URL(job.url).hostname);
    this.#pc = new RTCPeerConnection({
      iceServers: [],
      iceUseIpv6: false,
      ...(isLoopback && { iceInterfaceAddresses: { udp4: '127.0.0.1' } }),
      bundlePolicy: 'max-bundle',
      headerExtensions: { video: [useSdesMid()], audio: [useSdesMid()] },
      codecs: {
        video: [
          new RTCRtpCodecParameters({
            mimeType: job.codec === 'h264' ? 'video/H264' : 'video/VP8',
            clockRate: 90_000,
            payloadType: 102,
            rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
            ...(job.codec === 'h264' && { parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' }),
          }),
        ],
        audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: 111 })],
      },
    });
    const isKeyframe = job.codec === 'h264' ? isH264Keyframe : isVp8Keyframe;
    for (const line of job.tracks.length > 0 ? job.tracks : ['video'])
      this.#receive('video', line, new RtpMeter({ clockRateHz: 90_000, isKeyframe }));
    if (job.audio) this.#receive('audio', 'audio', new RtpMeter({ clockRateHz: 48_000 }));
    const ice = this.#ice();
    ice.stunServer = undefined;
    if (isLoopback) {
      const gather = ice.getCandidatePromises.bind(ice);
      ice.getCandidatePromises = (_addresses, timeout) => gather(['127.0.0.1'], timeout);
    }
    const deliver = ice.onData.execute;
    ice.onData.execute = (data) => {
      const isRtp = (data[0] ?? 0) >> 6 === 2 && ((data[1] ?? 0) < 192 || (data[1] ?? 0) > 223);
      if (isRtp) this.#rtpPackets++;
      if (isRtp && job.feedback === 'sent') this.#acknowledgements?.arrived(data);
      if (!isRtp || !job.countOnly) deliver(data);
    };
  }

  /** Joins; resolves when connected. Never rejects: what went wrong is in the result. */
  async join(): Promise<void> {
    const lost = this.#watchConnection();
    try {
      await this.#pc.setLocalDescription(await this.#pc.createOffer());
      for (const { transport } of this.#ice().protocols) transport?.socket?.setRecvBufferSize?.(RECEIVE_BUFFER_BYTES);
      this.#postedAtMs = performance.now();
      const offer = this.#pc.localDescription?.sdp ?? '';
      const sdp = await this.#offer(this.#acknowledgements?.offer(offer) ?? offer);
      if (sdp === undefined) return;
      await this.#pc.setRemoteDescription({ type: 'answer', sdp: this.#acknowledgements?.answer(sdp) ?? sdp });
      await lost;
      const [dtls] = this.#pc.dtlsTransports;
      if (dtls && this.#job.feedback === 'sent') this.#acknowledgements?.start(dtls);
    } catch (error) {
      this.#failure ??= { stage: 'not-connected', message: String(error) };
    }
  }

  get failure(): ClientFailure | undefined {
    return this.#failure;
  }

  /** RTP packets that came in so far. */
  get rtpPackets(): number {
    return this.#rtpPackets;
  }

  async close(): Promise<ClientResult> {
    this.#isClosing = true;
    this.#acknowledgements?.stop();
    await this.#leave();
    await this.#pc.close();
    const sincePost = (atMs: number | undefined): number | undefined => (atMs === undefined ? undefined : atMs - this.#postedAtMs);
    const lines = this.#meters.map(({ line, meter }): LineResult => {
      const { firstPacketAtMs, firstFrameAtMs, ...figures } = meter.figures();
      return { line, ...figures, firstPacketMs: sincePost(firstPacketAtMs), firstFrameMs: sincePost(firstFrameAtMs) };
    });
    const blind = this.#job.countOnly ? undefined : lines.find(({ line, firstFrameMs }) => line !== 'audio' && firstFrameMs === undefined);
    if (blind) this.#failure ??= { stage: 'no-picture', message: `no decodable keyframe on ${blind.line} (${blind.packets} packets)` };
    return {
      index: this.#job.index,
      connectMs: sincePost(this.#connectedAtMs),
      lines,
      failure: this.#failure,
      rtpPackets: this.#rtpPackets,
    };
  }

  #ice(): IcePrivate {
    return this.#pc.dtlsTransports[0]?.iceTransport.connection as unknown as IcePrivate;
  }

  #receive(kind: 'audio' | 'video', line: string, meter: RtpMeter): void {
    this.#meters.push({ line, meter });
    const transceiver = this.#pc.addTransceiver(kind, { direction: 'recvonly' });
    transceiver.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => {
        const { sequenceNumber, timestamp, marker } = packet.header;
        meter.arrived({ sequenceNumber, timestamp, marker, payload: packet.payload }, performance.now());
        if (kind === 'video') this.#onVideoRtp?.(packet.serialize());
      });
    });
  }

  /** The answer's SDP; undefined when the server refused or cannot be reached. */
  async #offer(sdp: string): Promise<string | undefined> {
    const { url, source, tracks } = this.#job;
    try {
      const response = await fetch(new URL('/offer', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sdp, type: 'offer', ...(source !== undefined && { source }), ...(tracks.length > 0 && { tracks }) }),
        signal: AbortSignal.timeout(this.#job.connectTimeoutMs),
      });
      const body = (await response.json()) as { sdp?: string; session_url?: string; code?: string; message?: string };
      this.#sessionUrl = body.session_url;
      if (response.ok && body.sdp !== undefined) return body.sdp;
      this.#failure = {
        stage: 'refused',
        status: response.status,
        code: body.code ?? 'UNKNOWN',
        message: body.message ?? `HTTP status ${response.status}`,
      };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      this.#failure = { stage: 'unreachable', message: `${String(error)}${cause}` };
    }
    return undefined;
  }

  /** Ends the session at the server: werift says nothing when it closes, and the place would be taken for half a minute. */
  async #leave(): Promise<void> {
    if (this.#sessionUrl === undefined) return;
    // A server that is gone has no session to end.
    await fetch(new URL(this.#sessionUrl, this.#job.url), { method: 'DELETE', signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  }

  /** Resolves when connected, rejects when that fails or takes too long; a later loss becomes the failure. */
  #watchConnection(): Promise<void> {
    const connected = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not connected within ${this.#job.connectTimeoutMs} ms`)),
        this.#job.connectTimeoutMs,
      );
      this.#pc.connectionStateChange.subscribe((state) => {
        if (state === 'connected') {
          this.#connectedAtMs ??= performance.now();
          clearTimeout(timer);
          resolve();
        } else if (['disconnected', 'failed', 'closed'].includes(state) && !this.#isClosing) {
          clearTimeout(timer);
          if (this.#connectedAtMs !== undefined) this.#failure ??= { stage: 'lost', message: `the connection became ${state}` };
          reject(new Error(`the connection became ${state}`));
        }
      });
    });
    // A refused offer leaves nobody waiting for it.
    connected.catch(() => undefined);
    return connected;
  }
}
