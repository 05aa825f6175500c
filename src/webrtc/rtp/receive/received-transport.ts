/** What comes on one transport of a publisher, and what is told about the transport as a whole. */
import { extensionId, SEND_TIME_EXTENSION_URI, TRANSPORT_CC_EXTENSION_URI } from '../../sdp/extension-uris.js';
import { writeSourceDescription } from '../rtcp.js';
import { BitrateEstimate } from './bitrate-estimate.js';
import { Demultiplexer } from './demultiplexer.js';
import { writeReceiverReport, writeRemb, type ReportBlock } from './feedback-packets.js';
import type { ReceivedTrack } from './received-track.js';
import { headerExtension, parseRtp, type ReceivedPacket } from './rtp.js';
import { SendTimes } from './send-time.js';
import { TransportFeedback } from './transport-feedback.js';

/** What is received on the transport, and how it is answered. */
export interface ReceivedTransportInit {
  /** Those of this transport. */
  readonly tracks: readonly ReceivedTrack[];
  /** Of this side's RTCP. */
  readonly senderSsrc: number;
  /** This side's name in RTCP (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** Sends one compound RTCP packet. */
  readonly send: (compound: Buffer) => void;
}

/** What a publisher sends on one transport. */
export class ReceivedTransport {
  /** One for each m-line that is received, in the order of the offer. */
  readonly tracks: readonly ReceivedTrack[];
  readonly #init: ReceivedTransportInit;
  readonly #demultiplexer: Demultiplexer<ReceivedTrack>;
  readonly #sourceDescription: Buffer;
  /** Of the header extension that numbers the transport's packets; undefined where it was not negotiated. */
  readonly #numberId: number | undefined;
  readonly #feedback: TransportFeedback;
  readonly #estimate: BitrateEstimate | undefined;
  readonly #sendTimes: SendTimes;
  /** Feedback may stand alone (RFC 5506). */
  readonly #isReducedSize: boolean;
  #bytesBefore = 0;
  #newestSsrc = 0;
  #packetsUnknown = 0;

  constructor(init: ReceivedTransportInit) {
    const { tracks, senderSsrc, cname } = init;
    this.tracks = tracks;
    this.#init = init;
    this.#demultiplexer = new Demultiplexer(tracks);
    this.#sourceDescription = writeSourceDescription(senderSsrc, cname);
    this.#numberId = tracks
      .filter(({ plan }) => plan.codec.feedback.includes('transport-cc'))
      .map(({ plan }) => extensionId(plan.section, TRANSPORT_CC_EXTENSION_URI))
      .find((id) => id !== undefined);
    this.#feedback = new TransportFeedback(senderSsrc);
    this.#estimate = tracks.some(({ plan }) => plan.codec.feedback.includes('goog-remb')) ? new BitrateEstimate() : undefined;
    this.#sendTimes = new SendTimes(
      tracks.map(({ plan }) => extensionId(plan.section, SEND_TIME_EXTENSION_URI)).find((id) => id !== undefined),
      ({ payloadType }) => tracks.some(({ kind, plan }) => kind === 'video' && plan.codec.offered.payloadType === payloadType),
    );
    this.#isReducedSize = tracks.every(({ plan }) => plan.section.attributes.has('rtcp-rsize'));
  }

  /** Packets that belong to no m-line, or are malformed. */
  get packetsUnknown(): number {
    return this.#packetsUnknown;
  }

  /** The track whose m-line the packet belongs to; undefined where it belongs to none. */
  receive(bytes: Buffer, nowMs: number): ReceivedTrack | undefined {
    const packet = parseRtp(bytes);
    if (packet) {
      this.#noteArrival(packet, bytes, nowMs);
      this.#estimate?.arrived(bytes.length, this.#sendTimes.of(packet, bytes), nowMs);
      const track = this.#demultiplexer.find(packet, bytes);
      if (track?.receive(packet, nowMs, bytes)) return track;
    }
    this.#packetsUnknown++;
    return undefined;
  }

  /** The track of an ssrc that was seen. */
  trackOf(ssrc: number): ReceivedTrack | undefined {
    return this.#demultiplexer.trackOf(ssrc);
  }

  /** About ten times a second: what came, and when; and where the sender is to send less. */
  sendFeedback(nowMs: number): void {
    for (const packet of this.#feedback.take(this.#newestSsrc)) this.sendRtcp(packet);
    if (this.#estimate?.look(nowMs)) this.sendRtcp(this.#writeRemb(this.#estimate));
  }

  /** Once a second. */
  sendReports(nowMs: number): void {
    const blocks = this.tracks.flatMap((track) => track.report(nowMs) ?? []);
    if (blocks.length === 0) return;
    const packets = [writeReceiverReport(this.#init.senderSsrc, blocks), this.#sourceDescription];
    if (this.#estimate) {
      this.#updateEstimate(this.#estimate, blocks, nowMs);
      packets.push(this.#writeRemb(this.#estimate));
    }
    this.#init.send(Buffer.concat(packets));
  }

  /** Feedback; where the offer has no `a=rtcp-rsize` it is made a compound packet (RFC 3550 §6.1). */
  sendRtcp(packet: Buffer): void {
    const { senderSsrc, send } = this.#init;
    send(this.#isReducedSize ? packet : Buffer.concat([writeReceiverReport(senderSsrc, []), this.#sourceDescription, packet]));
  }

  #noteArrival(packet: ReceivedPacket, bytes: Buffer, nowMs: number): void {
    if (this.#numberId === undefined) return;
    const value = headerExtension(bytes, this.#numberId);
    if (value?.length !== 2) return;
    this.#newestSsrc = packet.ssrc;
    this.#feedback.arrived(value.readUInt16BE(0), nowMs);
  }

  #updateEstimate(estimate: BitrateEstimate, blocks: readonly ReportBlock[], nowMs: number): void {
    const bytes = this.tracks.reduce((sum, { stats }) => sum + stats.bytesReceived, 0);
    estimate.update(Math.max(...blocks.map(({ fractionLost }) => fractionLost)), (bytes - this.#bytesBefore) * 8, nowMs);
    this.#bytesBefore = bytes;
  }

  /** For all that is received together. */
  #writeRemb({ bps }: BitrateEstimate): Buffer {
    const ssrcs = this.tracks.flatMap(({ ssrc }) => ssrc ?? []);
    return writeRemb(this.#init.senderSsrc, ssrcs, bps);
  }
}
