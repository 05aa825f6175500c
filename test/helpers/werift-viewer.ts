/**
 * A WebRTC viewer in this process: werift on 127.0.0.1, no STUN, that records the RTP it receives, can lose
 * packets before its receiver sees them, and sends NACKs and PLIs when a test says so.
 */
import {
  GenericNack,
  PictureLossIndication,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtcpPayloadSpecificFeedback,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  RtpPacket,
  useSdesMid,
  type RTCDataChannel,
  type RTCDtlsTransport,
  type RtcpPacket,
} from 'werift';
import { within } from './deadline.js';
import { passOverRepeatedHellos } from './patient-dtls.js';

export interface ViewerOptions {
  /** Recvonly video m-lines. Default 1. */
  readonly video?: number;
  readonly audio?: boolean;
  /** Label of a data channel to open. */
  readonly dataChannel?: string;
  readonly codec?: 'H264' | 'VP8';
  /** Offers retransmission (RFC 4588). Default false. */
  readonly rtx?: boolean;
  /** Answers losses by itself. Default false: a test sends its own NACKs. */
  readonly nack?: boolean;
  /** True for a packet that gets lost. Called with each RTP packet as it comes from the network, still encrypted. */
  readonly lose?: (packet: Buffer) => boolean;
}

/** The library's private fields that the helper reaches for. */
interface IcePrivate {
  stunServer: unknown;
  readonly onData: { execute(data: Buffer): void };
  readonly protocols: readonly { sendStun: (...message: never[]) => Promise<unknown> }[];
  send: () => Promise<unknown>;
  getCandidatePromises(addresses: string[], timeout?: number): Promise<unknown>[];
}

export class WeriftViewer {
  readonly pc: RTCPeerConnection;
  /** Decrypted RTP in the order of arrival, lost packets left out. */
  readonly packets: RtpPacket[] = [];
  readonly reports: RtcpSrPacket[] = [];
  readonly rtcp: RtcpPacket[] = [];
  readonly dataChannel: RTCDataChannel | undefined;
  /** The one transport: everything is bundled. */
  readonly dtls: RTCDtlsTransport;
  /** Set when a packet is received. */
  #waiters: (() => void)[] = [];
  readonly #closed = new AbortController();

  constructor(readonly options: ViewerOptions = {}) {
    const feedback = options.nack ? [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] : [{ type: 'ccm', parameter: 'fir' }];
    const h264 = options.codec !== 'VP8';
    this.pc = new RTCPeerConnection({
      iceServers: [],
      iceUseIpv6: false,
      iceInterfaceAddresses: { udp4: '127.0.0.1' },
      bundlePolicy: 'max-bundle',
      headerExtensions: { video: [useSdesMid()], audio: [useSdesMid()] },
      codecs: {
        video: [
          new RTCRtpCodecParameters({
            mimeType: h264 ? 'video/H264' : 'video/VP8',
            clockRate: 90_000,
            payloadType: 102,
            rtcpFeedback: feedback,
            ...(h264 ? { parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' } : {}),
          }),
          ...(options.rtx
            ? [new RTCRtpCodecParameters({ mimeType: 'video/rtx', clockRate: 90_000, payloadType: 103, parameters: 'apt=102' })]
            : []),
        ],
        audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: 111 })],
      },
    });
    for (let i = 0; i < (options.video ?? 1); i++) this.pc.addTransceiver('video', { direction: 'recvonly' });
    if (options.audio) this.pc.addTransceiver('audio', { direction: 'recvonly' });
    this.dataChannel = options.dataChannel === undefined ? undefined : this.pc.createDataChannel(options.dataChannel);
    this.dtls = this.pc.dtlsTransports[0] as RTCDtlsTransport;
    passOverRepeatedHellos(this.dtls);
    const ice = this.#ice();
    ice.stunServer = undefined;
    const gather = ice.getCandidatePromises.bind(ice);
    ice.getCandidatePromises = (_addresses, timeout) => gather(['127.0.0.1'], timeout);
    const deliver = ice.onData.execute.bind(ice.onData);
    ice.onData.execute = (data) => {
      const isRtp = (data[0] ?? 0) >> 6 === 2 && ((data[1] ?? 0) < 192 || (data[1] ?? 0) > 223);
      if (!isRtp || !options.lose?.(data)) deliver(data);
    };
    this.dtls.onRtp.subscribe((packet) => {
      this.packets.push(packet);
      for (const wake of this.#waiters.splice(0)) wake();
    });
    this.dtls.onRtcp.subscribe((packet) => {
      this.rtcp.push(packet);
      if (packet instanceof RtcpSrPacket) this.reports.push(packet);
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  /** The offer, with every candidate. */
  async offer(): Promise<string> {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    return this.pc.localDescription?.sdp ?? '';
  }

  async acceptAnswer(sdp: string): Promise<void> {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  /** Waits for the end of the handshake. */
  async connected(ms = 5000): Promise<void> {
    if (this.pc.connectionState === 'connected') return;
    await within(
      new Promise<void>((resolve) => {
        this.pc.connectionStateChange.subscribe((state) => {
          if (state === 'connected') resolve();
        });
      }),
      ms,
      'the viewer to connect',
      this.#closed.signal,
    );
  }

  /** Offers, hands the offer over, takes the answer and waits until connected. */
  async join<T extends { sdp: string }>(accept: (sdp: string) => Promise<T>, ms = 5000): Promise<T> {
    const accepted = await accept(await this.offer());
    await this.acceptAnswer(accepted.sdp);
    await this.connected(ms);
    return accepted;
  }

  /** Resolves once `condition` holds; asked after each RTP and RTCP packet. */
  async until(condition: () => boolean, ms: number, what: string): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    };
    await within(wait(), ms, what, this.#closed.signal);
  }

  /** The ssrcs that an answer announces for m-line `index`: the media's, then that of retransmissions. */
  static ssrcs(answer: string, index = 0): number[] {
    const section = answer.split(/^m=/m)[index + 1] ?? '';
    return [...new Set([...section.matchAll(/^a=ssrc:([0-9]+) /gm)].map((match) => Number(match[1])))];
  }

  async sendNack(mediaSourceSsrc: number, lost: number[]): Promise<void> {
    await this.dtls.sendRtcp([new RtcpTransportLayerFeedback({ feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc, lost }) })]);
  }

  async sendPli(mediaSsrc: number): Promise<void> {
    await this.dtls.sendRtcp([new RtcpPayloadSpecificFeedback({ feedback: new PictureLossIndication({ senderSsrc: 1, mediaSsrc }) })]);
  }

  /** Answers no check until the returned function is called. */
  fallSilent(): () => void {
    const { protocols } = this.#ice();
    const kept = protocols.map((protocol) => protocol.sendStun.bind(protocol));
    for (const protocol of protocols) protocol.sendStun = () => Promise.resolve();
    return () => protocols.forEach((protocol, index) => (protocol.sendStun = kept[index] ?? protocol.sendStun));
  }

  /** Leaves without a word: the sockets go, nothing is sent. */
  async vanish(): Promise<void> {
    this.#ice().send = () => Promise.resolve();
    this.fallSilent();
    await this.close();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.pc.close();
    // Ends the repetition of handshake flights, and a handshake that has not begun: both outlive the connection otherwise.
    const association = this.dtls.dtls as unknown as { connect: () => Promise<void>; dtls: { flight: number } } | undefined;
    if (!association) return;
    association.dtls.flight = Infinity;
    association.connect = () => Promise.resolve();
  }

  #ice(): IcePrivate {
    return this.dtls.iceTransport.connection as unknown as IcePrivate;
  }
}
