/** What viewers do over HTTP: `POST /offer` and WHEP, with all the ways to leave or to be a nuisance. */
import dgram from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { expectStatus, PATIENCE_MS, type Answered, type Break, type Guest } from './guest.js';
import type { WeriftViewer } from '../werift-viewer.js';

export const SDP = 'application/sdp';
const JSON_TYPE = 'application/json';
const FRAGMENT = 'application/trickle-ice-sdpfrag';
const PACKETS = 5;

interface Watching {
  readonly viewer: WeriftViewer;
  readonly sessionUrl: string;
  readonly answer: string;
  readonly etag: string;
}

const offerBody = (guest: Guest, sdp: string): string => JSON.stringify({ sdp, type: 'offer', source: guest.source });

async function offer(guest: Guest): Promise<Watching> {
  const viewer = guest.viewer({ video: 1, audio: guest.random() < 0.5, ...(guest.random() < 0.5 && { dataChannel: 'commands' }) });
  const answered = await guest.request('POST', '/offer', offerBody(guest, await viewer.offer()), { 'content-type': JSON_TYPE });
  expectStatus(answered, 200);
  const { sdp, session_url: sessionUrl } = JSON.parse(answered.text) as { sdp: string; session_url: string };
  return { viewer, sessionUrl, answer: sdp, etag: '' };
}

async function whep(guest: Guest, change: (sdp: string) => string = (sdp) => sdp): Promise<Watching> {
  const viewer = guest.viewer();
  const answered = await guest.request('POST', `/whep/${guest.source}`, change(await viewer.offer()), { 'content-type': SDP });
  expectStatus(answered, 201);
  return { viewer, sessionUrl: answered.location, answer: answered.text, etag: answered.etag };
}

/** Until pictures come. */
async function connect({ viewer, answer }: Watching): Promise<void> {
  await viewer.acceptAnswer(answer);
  await viewer.connected(PATIENCE_MS);
  await morePackets(viewer);
}

async function morePackets(viewer: WeriftViewer): Promise<void> {
  const enough = viewer.packets.length + PACKETS;
  await viewer.until(() => viewer.packets.length >= enough, PATIENCE_MS, 'packets');
}

const remove = (guest: Guest, { sessionUrl }: Watching): Promise<Answered> => guest.request('DELETE', sessionUrl);
const patch = (guest: Guest, { sessionUrl }: Watching, body: string, headers: Readonly<Record<string, string>>): Promise<Answered> =>
  guest.request('PATCH', sessionUrl, body, { 'content-type': FRAGMENT, ...headers });

/** Credentials and m-line of a viewer's offer, and its candidates. */
function fragmentOf(viewer: WeriftViewer): { head: string[]; candidates: string[] } {
  const sdp = viewer.pc.localDescription?.sdp ?? '';
  const own = (pattern: RegExp): string => pattern.exec(sdp)?.[0] ?? '';
  return {
    head: ['m=video 9 UDP/TLS/RTP/SAVPF 0', own(/^a=mid:\S+/m), own(/^a=ice-ufrag:\S+/m), own(/^a=ice-pwd:\S+/m)],
    candidates: [...sdp.matchAll(/^a=candidate:.*$/gm)].map(([line]) => line.trim()),
  };
}

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n`;

export async function offerAndDelete(guest: Guest): Promise<void> {
  const watching = await offer(guest);
  await connect(watching);
  expectStatus(await remove(guest, watching), 200);
}

export async function offerAndClose(guest: Guest): Promise<void> {
  const watching = await offer(guest);
  await connect(watching);
}

export async function offerAndVanish(guest: Guest): Promise<void> {
  const watching = await offer(guest);
  await connect(watching);
  await watching.viewer.vanish();
}

export async function offerAlone(guest: Guest): Promise<void> {
  await offer(guest);
}

export async function offerAndDeleteAtOnce(guest: Guest): Promise<void> {
  const watching = await offer(guest);
  const connecting = connect(watching).catch(() => undefined);
  expectStatus(await remove(guest, watching), 200);
  await watching.viewer.close();
  await connecting;
}

export async function offerUnderGarbage(guest: Guest): Promise<void> {
  const watching = await offer(guest);
  const ports = [...watching.answer.matchAll(/^a=candidate:\S+ \d+ udp \d+ 127\.0\.0\.1 (\d+) typ host/gim)].map((match) =>
    Number(match[1]),
  );
  if (ports.length === 0) throw new Error('the answer has no candidate on 127.0.0.1');
  await sendGarbage(guest, ports);
  await connect(watching);
  await sendGarbage(guest, ports);
  await morePackets(watching.viewer);
  expectStatus(await remove(guest, watching), 200);
}

export const brokenOffer =
  (when: Break) =>
  async (guest: Guest): Promise<void> => {
    await guest.brokenRequest('POST', '/offer', offerBody(guest, await guest.viewer().offer()), JSON_TYPE, when);
  };

export const brokenWhep =
  (when: Break) =>
  async (guest: Guest): Promise<void> => {
    await guest.brokenRequest('POST', `/whep/${guest.source}`, await guest.viewer().offer(), SDP, when);
  };

export async function whepTrickle(guest: Guest): Promise<void> {
  const watching = await whep(guest, (sdp) => sdp.replace(/^a=candidate:.*\r\n/gm, ''));
  const { head, candidates } = fragmentOf(watching.viewer);
  expectStatus(await patch(guest, watching, lines(...head, ...candidates, 'a=end-of-candidates'), { 'if-match': watching.etag }), 204);
  await connect(watching);
  expectStatus(await remove(guest, watching), 200);
}

/** New credentials, twice; nobody comes with them, and the picture goes on by the path that there is. */
export async function whepRestart(guest: Guest): Promise<void> {
  const watching = await whep(guest);
  await connect(watching);
  const etags = [watching.etag];
  for (let i = 0; i < 2; i++) {
    const ufrag = randomBytes(6).toString('hex');
    const answered = await patch(
      guest,
      watching,
      lines(
        ...fragmentOf(watching.viewer).head.slice(0, 2),
        `a=ice-ufrag:${ufrag}`,
        `a=ice-pwd:${randomBytes(15).toString('hex')}`,
        'a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host',
      ),
      { 'if-match': '"*"' },
    );
    expectStatus(answered, 200);
    if (etags.includes(answered.etag)) throw new Error('the ETag is that of another generation');
    etags.push(answered.etag);
  }
  await morePackets(watching.viewer);
  if (guest.random() < 0.5) expectStatus(await remove(guest, watching), 200);
  else await watching.viewer.vanish();
}

export async function whepBadPatches(guest: Guest): Promise<void> {
  const watching = await whep(guest);
  const { head, candidates } = fragmentOf(watching.viewer);
  const match = { 'if-match': watching.etag };
  expectStatus(await patch(guest, watching, randomBytes(200).toString('latin1'), match), 400);
  // One line that cannot be read is passed over.
  expectStatus(await patch(guest, watching, lines(...head, 'a=candidate:nonsense'), match), 204);
  expectStatus(await patch(guest, watching, '', match), 400);
  expectStatus(await patch(guest, watching, lines(...head, ...candidates), { 'if-match': '"of-another"' }), 412);
  expectStatus(await patch(guest, watching, lines('a=x'.repeat(20_000)), match), 413);
  expectStatus(await patch(guest, watching, '{}', { ...match, 'content-type': JSON_TYPE }), 415);
  expectStatus(await patch(guest, watching, lines('a=mid:unknown', ...candidates), match), 204);
  expectStatus(
    await patch(guest, { ...watching, sessionUrl: `/sessions/${randomBytes(18).toString('base64url')}` }, lines(...head), match),
    404,
  );
  await guest.brokenRequest('PATCH', watching.sessionUrl, lines(...head, ...candidates), FRAGMENT, 'half');
  await connect(watching);
  expectStatus(await remove(guest, watching), 200);
}

export async function whepAllAtOnce(guest: Guest): Promise<void> {
  const watching = await whep(guest);
  const { head, candidates } = fragmentOf(watching.viewer);
  const answered = await Promise.all([
    remove(guest, watching),
    patch(guest, watching, lines(...head, ...candidates), { 'if-match': '*' }),
    remove(guest, watching),
  ]);
  for (const each of answered) expectStatus(each, 200, 204, 404, 422);
}

/** Datagrams that look like STUN, DTLS and RTP, and such that look like nothing. */
async function sendGarbage(guest: Guest, ports: readonly number[]): Promise<void> {
  const socket = dgram.createSocket('udp4');
  const firstBytes = [0x00, 0x01, 0x16, 0x17, 0x3f, 0x40, 0x80, 0x90, 0xff];
  for (let i = 0; i < 40; i++) {
    const datagram = randomBytes(Math.floor(guest.random() * 1400));
    if (datagram.length > 0) datagram[0] = firstBytes[i % firstBytes.length] ?? 0;
    // The magic cookie and a length that fits (RFC 8489 §5).
    if ((datagram[0] ?? 9) < 2 && datagram.length >= 20) {
      datagram.writeUInt16BE((datagram.length - 20) & ~3, 2);
      datagram.writeUInt32BE(0x2112a442, 4);
    }
    const port = ports[i % ports.length] ?? 0;
    await new Promise<void>((resolve) => socket.send(datagram, port, '127.0.0.1', () => resolve()));
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}
