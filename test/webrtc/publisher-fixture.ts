/** A publisher over a network that only writes down. */
import assert from 'node:assert/strict';
import { lengthPrefixed } from '../../src/media/index.js';
import { packetize } from '../../src/media/packetizer.js';
import type { PublisherCommand } from '../../src/webrtc/index.js';
import { parseRtcp, type RtcpMessage } from '../../src/webrtc/rtp/rtcp.js';
import { negotiatePublish } from '../../src/webrtc/sdp/negotiate-publish.js';
import { Outages } from '../../src/webrtc/session/outages.js';
import { Publisher } from '../../src/webrtc/session/publisher.js';
import type { PacketTransport } from '../../src/webrtc/transport/packet-transport.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { FakeGateway } from './fake-gateway.js';
import { recordingLogger, type LogLine } from './rig.js';

const sps = Buffer.from('674d401feca02802dd80880000030008000003019078c18cb0', 'hex');
const pps = Buffer.from('68ebecb22c', 'hex');

export interface OfferParts {
  readonly video?: string;
  readonly audio?: string;
}

function publishOffer({ video = '', audio = '' }: OfferParts = {}): string {
  const transport = `a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\na=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AA').join(':')}\r\n`;
  const head = `v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE v a\r\n${transport}`;
  const videoSection = `m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n${video}`;
  const audioSection = `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\n${audio}`;
  return head + videoSection + audioSection;
}

export class PublisherFixture {
  readonly rtcp: RtcpMessage[] = [];
  readonly raw: Buffer[] = [];
  readonly steps: string[] = [];
  readonly lines: LogLine[] = [];
  readonly ends: string[] = [];
  readonly commands: PublisherCommand[] = [];
  readonly publisher: Publisher;
  readonly #sequenceNumbers = new Map<number, number>();

  constructor(
    parts?: OfferParts,
    readonly clock = new FakeClock(),
    outages = new Outages(clock),
    readonly gateway: FakeGateway = new FakeGateway({ clock }),
  ) {
    const transport: PacketTransport = {
      pendingBytes: 0,
      sendRtp: () => assert.fail('a publisher is sent no media'),
      repeatRtp: () => assert.fail('a publisher is sent no media'),
      sendRtcp: (compound) => {
        this.raw.push(compound);
        this.rtcp.push(...parseRtcp(compound));
      },
    };
    this.publisher = new Publisher(
      {
        plan: negotiatePublish(publishOffer(parts)),
        room: 'gate',
        takeover: false,
        gateway: this.gateway,
        clock: this.clock,
        outages,
        reconnectMaxAttempts: 0,
        onCommand: (command) => this.commands.push(command),
      },
      {
        clientId: 'camera',
        logger: recordingLogger(this.lines),
        sourceChanging: () => assert.fail(),
        sourceChanged: () => assert.fail(),
        qualityChanged: () => undefined,
        restartIce: () => assert.fail(),
        transport: () => transport,
        close: (reason) => this.ends.push(reason),
        fail: () => assert.fail(),
        step: (name) => this.steps.push(name),
      },
    );
    this.publisher.open();
    this.publisher.connected();
  }

  rtp(
    payloadType: number,
    ssrc: number,
    payload: Buffer,
    { timestamp = 0, marker = true, sequenceNumber = this.#nextSequenceNumber(ssrc), mid = '' } = {},
  ): void {
    const header = Buffer.alloc(12);
    header[0] = mid === '' ? 0x80 : 0x90;
    header[1] = (marker ? 0x80 : 0) | payloadType;
    header.writeUInt16BE(sequenceNumber & 0xffff, 2);
    header.writeUInt32BE(timestamp, 4);
    header.writeUInt32BE(ssrc, 8);
    const extension =
      mid === ''
        ? Buffer.alloc(0)
        : Buffer.concat([
            Buffer.from('bede0001', 'hex'),
            Buffer.from([0x40 | (mid.length - 1)]),
            Buffer.from(mid),
            Buffer.alloc(3 - mid.length),
          ]);
    this.publisher.receiveRtp(Buffer.concat([header, extension, payload]), 0);
  }

  frame(keyframe: boolean, { ssrc = 10, timestamp = 0, skip = -1, mid = '' } = {}): void {
    const slice = Buffer.alloc(2500, 0x88);
    slice[0] = keyframe ? 0x65 : 0x41;
    const payloads = packetize('h264', lengthPrefixed(keyframe ? [sps, pps, slice] : [slice]), 1000);
    payloads.forEach((payload, i) => {
      if (i === skip) this.#nextSequenceNumber(ssrc);
      else this.rtp(96, ssrc, payload, { timestamp, marker: i === payloads.length - 1, mid });
    });
  }

  #nextSequenceNumber(ssrc: number): number {
    const next = this.#sequenceNumbers.get(ssrc) ?? 0;
    this.#sequenceNumbers.set(ssrc, next + 1);
    return next;
  }

  get published(): string {
    return this.gateway.published.map(({ kind, frame }) => `${kind}${frame.keyframe && kind === 'video' ? '!' : ''}`).join(' ');
  }

  requests(): number {
    return this.rtcp.filter(({ type }) => type === 'keyframe-request').length;
  }

  close(): void {
    this.publisher.close('publisher-gone');
    assert.equal(this.clock.pendingTimers, 0);
  }
}

/** Every kind of feedback that is asked for here. */
export const FEEDBACK = 'a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 ccm fir\r\n';
