/** Viewers that tell how their network is, over real DTLS and SRTP: each by what it offered. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { headerExtension } from '../../../src/webrtc/rtp/receive/rtp.js';
import { writeRemb } from '../../../src/webrtc/rtp/receive/feedback-packets.js';
import { TransportFeedback } from '../../../src/webrtc/rtp/receive/transport-feedback.js';
import { SEND_TIME_EXTENSION_URI, TRANSPORT_CC_EXTENSION_URI } from '../../../src/webrtc/sdp/extension-uris.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

const [NUMBER_ID, TIME_ID] = [5, 6];
const OFFERED = {
  'transport-cc': [`a=rtcp-fb:102 transport-cc`, `a=extmap:${NUMBER_ID} ${TRANSPORT_CC_EXTENSION_URI}`],
  'goog-remb': [`a=rtcp-fb:102 goog-remb`, `a=extmap:${TIME_ID} ${SEND_TIME_EXTENSION_URI}`],
} as const;

let rig: Rig;
let viewer: WeriftViewer;

/** Joins with lines in the offer that the library does not know. */
async function join(kind: keyof typeof OFFERED, options: { rtx?: boolean } = {}): Promise<string> {
  rig = new Rig();
  viewer = new WeriftViewer(options);
  let answer = '';
  const lines = OFFERED[kind];
  await viewer.join(async (sdp) => {
    const opened = await rig.accept({ renditions: ['raw'] })(
      sdp.replace(/^a=rtpmap:102 .*\r\n/m, (line) => `${line}${lines.join('\r\n')}\r\n`),
    );
    answer = opened.sdp;
    return { ...opened, sdp: lines.reduce((text, line) => text.replace(`${line}\r\n`, ''), opened.sdp) };
  });
  for (const line of lines) assert.ok(answer.includes(`${line}\r\n`), line);
  return answer;
}

const quality = () => rig.manager.snapshot()[0]?.quality;
const send = (compound: Buffer) => viewer.dtls.sendRtcp([{ serialize: () => compound } as never]);

/** The values of a header extension in what came, by the order of arrival. */
function values(id: number): Buffer[] {
  return viewer.packets.map((packet) => headerExtension(packet.serialize(), id)).filter((value) => value !== undefined);
}

afterEach(async () => {
  await viewer.close();
  await rig.close();
});

test('a viewer with transport-wide feedback gets numbers without a gap, and what it acknowledges becomes an estimate', async () => {
  await join('transport-cc');
  const feedback = new TransportFeedback(1);
  let told = 0;
  const acknowledge = async (): Promise<void> => {
    for (const value of values(NUMBER_ID).slice(told)) feedback.arrived(value.readUInt16BE(0), performance.now());
    told = values(NUMBER_ID).length;
    for (const packet of feedback.take(1)) await send(packet);
  };
  assert.equal(quality()?.estimateBps, undefined);
  const camera = setInterval(() => {
    rig.write(1);
    void acknowledge();
  }, 30);
  try {
    await eventually(() => quality()?.estimateBps !== undefined && viewer.packets.length > 20, 10_000, 'an estimate');
  } finally {
    clearInterval(camera);
  }
  const numbers = values(NUMBER_ID).map((value) => value.readUInt16BE(0));
  assert.equal(numbers.length, viewer.packets.length);
  assert.deepEqual(
    [...numbers].sort((a, b) => a - b),
    numbers.map((_number, i) => Math.min(...numbers) + i),
  );
});

test('a viewer with REMB alone gets the times at which packets left, and its estimate counts', async () => {
  const answer = await join('goog-remb');
  assert.doesNotMatch(answer, /transport-cc|transport-wide/);
  rig.write(3);
  await viewer.until(() => values(TIME_ID).length >= 3, 5000, 'times');
  const times = values(TIME_ID).map((value) => value.readUIntBE(0, 3));
  assert.ok(times.every((time, i) => i === 0 || ((time - (times[i - 1] ?? 0)) & 0xffffff) < 2 ** 23));
  await send(writeRemb(1, WeriftViewer.ssrcs(answer).slice(0, 1), 700_000));
  const estimate = await eventually(() => quality()?.estimateBps, 5000, 'the estimate');
  assert.ok(Math.abs(estimate - 700_000) < 10_000, String(estimate));
});

test('feedback that is malformed, or about packets that nobody sent, ends nothing and says nothing', async () => {
  await join('transport-cc', { rtx: true });
  const liar = new TransportFeedback(1);
  for (let i = 0; i < 5000; i++) liar.arrived((i * 7) & 0xffff, i * 0.01);
  for (const packet of liar.take(1)) {
    await send(packet);
    const broken = Buffer.from(packet);
    broken.writeUInt16BE(0xffff, 14);
    await send(broken);
  }
  const before = viewer.packets.length;
  rig.write(2);
  await viewer.until(() => viewer.packets.length > before, 5000, 'the picture to go on');
  assert.ok((quality()?.estimateBps ?? 0) < 1e9);
});
