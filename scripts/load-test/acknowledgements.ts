/** Transport-wide feedback of a viewer that the library would not send: as Chromium does, from the headers alone, which are not encrypted. */
import type { RTCDtlsTransport } from 'werift';
import { headerExtension } from '../../src/webrtc/rtp/receive/rtp.js';
import { TransportFeedback } from '../../src/webrtc/rtp/receive/transport-feedback.js';
import { TRANSPORT_CC_EXTENSION_URI } from '../../src/webrtc/sdp/extension-uris.js';

const PERIOD_MS = 75;
const NUMBER_ID = 5;
const FEEDBACK = `a=rtcp-fb:102 transport-cc`;
const EXTENSION = `a=extmap:${NUMBER_ID} ${TRANSPORT_CC_EXTENSION_URI}`;

/** Of one viewer. */
export class Acknowledgements {
  readonly #feedback = new TransportFeedback(1);
  #timer: NodeJS.Timeout | undefined;

  /** The offer with what the library does not know. */
  offer(sdp: string): string {
    return sdp.replace(/^a=rtpmap:102 .*\r\n/m, (line) => `${line}${FEEDBACK}\r\n${EXTENSION}\r\n`);
  }

  /** The answer without it. */
  answer(sdp: string): string {
    return sdp.replace(`${FEEDBACK}\r\n`, '').replace(`${EXTENSION}\r\n`, '');
  }

  /** An RTP packet has come. */
  arrived(packet: Buffer): void {
    const number = headerExtension(packet, NUMBER_ID);
    if (number) this.#feedback.arrived(number.readUInt16BE(0), performance.now());
  }

  /** Sends what has come, from now on. */
  start(dtls: RTCDtlsTransport): void {
    this.#timer = setInterval(() => {
      for (const packet of this.#feedback.take(1)) void dtls.sendRtcp([{ serialize: () => packet } as never]);
    }, PERIOD_MS);
  }

  /** Sends no more. Idempotent. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
