/**
 * A WebRTC publisher in this process: werift on 127.0.0.1, no STUN, that sends the frames a test gives it, can lose
 * packets on their way, answers NACKs by itself and counts the keyframes it is asked for.
 */
import {
  MediaStreamTrack,
  PictureLossIndication,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpTransportLayerFeedback,
  RtpHeader,
  RtpPacket,
  TransportWideCC,
  useSdesMid,
  useTransportWideCC,
  type RTCDataChannel,
  type RTCDtlsTransport,
} from 'werift';
import { packetize } from '../../src/media/packetizer.js';
import type { VideoCodec } from '../../src/media/index.js';
import { within } from './deadline.js';
import { passOverRepeatedHellos } from './patient-dtls.js';

export interface PublisherOptions {
  /** Default h264; null: sound alone. */
  readonly codec?: VideoCodec | null;
  readonly audio?: boolean;
  /** Label of a data channel to open. */
  readonly dataChannel?: string;
  /** Offers retransmission (RFC 4588). Default false. */
  readonly rtx?: boolean;
  /** Offers transport-wide congestion control. Default false. */
  readonly transportCc?: boolean;
  /** True for an RTP packet that gets lost on its way. Called with each as it would leave, encrypted. */
  readonly lose?: (packet: Buffer) => boolean;
}

/** The library's private fields that the helper reaches for. */
interface IcePrivate {
  stunServer: unknown;
  send(data: Buffer): Promise<void>;
  getCandidatePromises(addresses: string[], timeout?: number): Promise<unknown>[];
}

export class WeriftPublisher {
  readonly pc: RTCPeerConnection;
  readonly dataChannel: RTCDataChannel | undefined;
  readonly dtls: RTCDtlsTransport;
  readonly reports: RtcpRrPacket[] = [];
  readonly transportFeedback: TransportWideCC[] = [];
  keyframesAsked = 0;
  /** RTP packets that left and were not lost; repairs included. */
  packetsSent = 0;
  readonly #video: MediaStreamTrack | undefined;
  readonly #audio: MediaStreamTrack | undefined;
  readonly #codec: VideoCodec;
  #sequenceNumbers = { video: 65_500, audio: 7 };
  readonly #closed = new AbortController();

  constructor(readonly options: PublisherOptions = {}) {
    this.#codec = options.codec ?? 'h264';
    this.pc = new RTCPeerConnection({
      iceServers: [],
      iceUseIpv6: false,
      iceInterfaceAddresses: { udp4: '127.0.0.1' },
      bundlePolicy: 'max-bundle',
      headerExtensions: { video: [useSdesMid(), ...(options.transportCc ? [useTransportWideCC()] : [])], audio: [useSdesMid()] },
      codecs: {
        video: this.#videoCodecs(),
        audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: 111 })],
      },
    });
    if (options.codec !== null) {
      this.#video = new MediaStreamTrack({ kind: 'video' });
      this.pc.addTransceiver(this.#video, { direction: 'sendonly' });
    }
    if (options.audio) {
      this.#audio = new MediaStreamTrack({ kind: 'audio' });
      this.pc.addTransceiver(this.#audio, { direction: 'sendonly' });
    }
    this.dataChannel = options.dataChannel === undefined ? undefined : this.pc.createDataChannel(options.dataChannel);
    this.dtls = this.pc.dtlsTransports[0] as RTCDtlsTransport;
    passOverRepeatedHellos(this.dtls);
    const ice = this.dtls.iceTransport.connection as unknown as IcePrivate;
    ice.stunServer = undefined;
    const gather = ice.getCandidatePromises.bind(ice);
    ice.getCandidatePromises = (_addresses, timeout) => gather(['127.0.0.1'], timeout);
    const send = ice.send.bind(ice);
    ice.send = async (data) => {
      const isRtp = (data[0] ?? 0) >> 6 === 2 && ((data[1] ?? 0) < 192 || (data[1] ?? 0) > 223);
      if (isRtp && options.lose?.(data)) return;
      if (isRtp) this.packetsSent++;
      await send(data);
    };
    this.dtls.onRtcp.subscribe((packet) => {
      if (packet instanceof RtcpRrPacket) this.reports.push(packet);
      if (packet instanceof RtcpPayloadSpecificFeedback && packet.feedback instanceof PictureLossIndication) this.keyframesAsked++;
      if (packet instanceof RtcpTransportLayerFeedback && packet.feedback instanceof TransportWideCC)
        this.transportFeedback.push(packet.feedback);
    });
  }

  async offer(): Promise<string> {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    return this.pc.localDescription?.sdp ?? '';
  }

  /** Offers, hands the offer over, takes the answer and waits until connected. */
  async publish<T extends { sdp: string }>(accept: (sdp: string) => Promise<T>, ms = 5000): Promise<T> {
    const accepted = await accept(await this.offer());
    await this.pc.setRemoteDescription({ type: 'answer', sdp: accepted.sdp });
    if (this.pc.connectionState !== 'connected') {
      const connected = new Promise<void>((resolve) => {
        this.pc.connectionStateChange.subscribe((state) => {
          if (state === 'connected') resolve();
        });
      });
      await within(connected, ms, 'the publisher to connect', this.#closed.signal);
    }
    return accepted;
  }

  /** Sends a frame in the form of `EncodedFrame`. @param timestamp of RTP, in ticks. */
  sendVideo(data: Buffer, timestamp: number): void {
    const payloads = packetize(this.#codec, data, 1000);
    payloads.forEach((payload, i) => this.#send('video', this.#video, payload, timestamp, i === payloads.length - 1));
  }

  sendAudio(data: Buffer, timestamp: number): void {
    this.#send('audio', this.#audio, data, timestamp, false);
  }

  /** Leaves without a word: the sockets go, nothing is sent. */
  async vanish(): Promise<void> {
    const ice = this.dtls.iceTransport.connection as unknown as {
      send: () => Promise<void>;
      protocols: { sendStun: () => Promise<void> }[];
    };
    ice.send = () => Promise.resolve();
    for (const protocol of ice.protocols) protocol.sendStun = () => Promise.resolve();
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

  #send(kind: 'video' | 'audio', track: MediaStreamTrack | undefined, payload: Buffer, timestamp: number, marker: boolean): void {
    const sequenceNumber = this.#sequenceNumbers[kind]++ & 0xffff;
    const header = new RtpHeader({
      sequenceNumber,
      timestamp: timestamp >>> 0,
      marker,
      payloadType: kind === 'video' ? 102 : 111,
      ssrc: 1,
    });
    track?.writeRtp(new RtpPacket(header, payload));
  }

  #videoCodecs(): RTCRtpCodecParameters[] {
    const feedback = [
      { type: 'nack' },
      { type: 'nack', parameter: 'pli' },
      ...(this.options.transportCc ? [{ type: 'transport-cc' }] : []),
    ];
    const h264 = this.#codec === 'h264';
    const video = new RTCRtpCodecParameters({
      mimeType: h264 ? 'video/H264' : 'video/VP8',
      clockRate: 90_000,
      payloadType: 102,
      rtcpFeedback: feedback,
      ...(h264 ? { parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' } : {}),
    });
    return this.options.rtx
      ? [video, new RTCRtpCodecParameters({ mimeType: 'video/rtx', clockRate: 90_000, payloadType: 103, parameters: 'apt=102' })]
      : [video];
  }
}
