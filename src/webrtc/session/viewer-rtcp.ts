/** What a viewer reports and asks for (RTCP): handed to the streams, and to what knows its networks. */
import type { Clock } from '../../base/clock.js';
import { parseRtcp, type RtcpMessage } from '../rtp/rtcp.js';
import { NetworkReports } from '../rtp/send/network-reports.js';
import type { Congestion, PacketTransport } from '../transport/packet-transport.js';
import type { ViewerStream } from './viewer-stream.js';

/** What RTCP is about. */
export interface ViewerRtcpInit {
  /** One for each m-line that sends. */
  readonly streams: readonly ViewerStream[];
  readonly clock: Clock;
  /** By its index; undefined before it is open. */
  readonly transport: (index: number) => PacketTransport | undefined;
}

/** Takes the RTCP of one viewer. */
export class ViewerRtcp {
  readonly #init: ViewerRtcpInit;
  /** By the index of the transport. */
  readonly #networks = new Map<number, NetworkReports>();

  constructor(init: ViewerRtcpInit) {
    this.#init = init;
  }

  /** @param index of the transport on which it came */
  receive(compound: Buffer, index: number): void {
    const messages = parseRtcp(compound);
    for (const message of messages) this.#handle(message);
    this.#networkOf(index)?.receive(messages, this.#init.clock.now());
  }

  #handle(message: RtcpMessage): void {
    switch (message.type) {
      case 'report':
        for (const report of message.reports) this.#streamOf(report.ssrc)?.receiveReport(report);
        break;
      case 'nack':
        this.#streamOf(message.ssrc)?.repair(message.sequenceNumbers);
        break;
      case 'keyframe-request':
        this.#streamOf(message.ssrc)?.requestKeyframe();
        break;
      case 'arrivals':
      case 'receiver-estimate':
        break; // They are about the transport.
      case 'sender-report':
      case 'bye':
        break; // A viewer sends no media; its leaving is told by DTLS and ICE.
    }
  }

  #networkOf(index: number): NetworkReports | undefined {
    const congestion = this.#init.transport(index)?.congestion;
    if (congestion && !this.#networks.has(index)) this.#networks.set(index, this.#networkReports(congestion, index));
    return this.#networks.get(index);
  }

  #networkReports(congestion: Congestion, index: number): NetworkReports {
    const streams = this.#init.streams.filter(({ transport }) => transport === index);
    return new NetworkReports(congestion, () => streams.map(({ reported }) => reported));
  }

  #streamOf(ssrc: number): ViewerStream | undefined {
    return this.#init.streams.find(({ local }) => local.ssrc === ssrc);
  }
}
