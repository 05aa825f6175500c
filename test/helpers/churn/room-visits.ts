/** What publishers do by WHIP, and publishers and viewers on `/ws`. */
import { expectStatus, PATIENCE_MS, type Answered, type Break, type Guest } from './guest.js';
import { SDP } from './http-visits.js';
import { RoomSocket } from './room-socket.js';
import type { WeriftPublisher } from '../werift-publisher.js';
import type { WeriftViewer } from '../werift-viewer.js';

interface Publishing {
  readonly publisher: WeriftPublisher;
  readonly sessionUrl: string;
}

async function whip(guest: Guest): Promise<Publishing> {
  const publisher = guest.publisher();
  let sessionUrl = '';
  await publisher.publish(async (sdp) => {
    const answered = await postWhip(guest, sdp);
    expectStatus(answered, 201);
    sessionUrl = answered.location;
    return { sdp: answered.text };
  }, PATIENCE_MS);
  guest.send(publisher);
  return { publisher, sessionUrl };
}

const postWhip = (guest: Guest, sdp: string): Promise<Answered> =>
  guest.request('POST', `/whip/${guest.room}`, sdp, { 'content-type': SDP });

/** A WHEP viewer of the guest's own room. */
async function watchRoom(guest: Guest): Promise<WeriftViewer> {
  const viewer = guest.viewer();
  await viewer.join(async (sdp) => {
    const answered = await guest.request('POST', `/whep/${guest.room}`, sdp, { 'content-type': SDP });
    expectStatus(answered, 201);
    return { sdp: answered.text };
  }, PATIENCE_MS);
  await viewer.until(() => viewer.packets.length >= 5, PATIENCE_MS, 'packets of the room');
  return viewer;
}

export async function whipAndDelete(guest: Guest): Promise<void> {
  const { sessionUrl } = await whip(guest);
  await watchRoom(guest);
  expectStatus(await guest.request('DELETE', sessionUrl), 200);
}

export async function whipAndVanish(guest: Guest): Promise<void> {
  const { publisher } = await whip(guest);
  await watchRoom(guest);
  await publisher.vanish();
}

export async function whipAlone(guest: Guest): Promise<void> {
  expectStatus(await postWhip(guest, await guest.publisher().offer()), 201);
}

export async function whipTaken(guest: Guest): Promise<void> {
  const { sessionUrl } = await whip(guest);
  expectStatus(await postWhip(guest, await guest.publisher().offer()), 409);
  expectStatus(await guest.request('DELETE', sessionUrl), 200);
}

export const brokenWhip =
  (when: Break) =>
  async (guest: Guest): Promise<void> => {
    await guest.brokenRequest('POST', `/whip/${guest.room}`, await guest.publisher().offer(), SDP, when);
  };

async function enter(guest: Guest): Promise<{ socket: RoomSocket; viewer: WeriftViewer; resume: object }> {
  const socket = await RoomSocket.open(guest);
  const { client_id, resume_token } = await socket.join({ room: guest.source, role: 'viewer' });
  return { socket, viewer: guest.viewer(), resume: { room: guest.source, role: 'viewer', client_id, resume_token } };
}

export async function wsWatchAndLeave(guest: Guest): Promise<void> {
  const { socket, viewer } = await enter(guest);
  await socket.watch(viewer);
  socket.say({ type: 'restart' });
  await socket.next('offer');
  await socket.leave();
}

export async function wsWatchAndCut(guest: Guest): Promise<void> {
  const { socket, viewer } = await enter(guest);
  await socket.watch(viewer);
  socket.cut();
  if (guest.random() < 0.5) await viewer.vanish();
}

export async function wsResume(guest: Guest): Promise<void> {
  const { socket, viewer, resume } = await enter(guest);
  await socket.watch(viewer);
  socket.cut();
  const back = await RoomSocket.open(guest);
  const { resumed } = await back.join(resume);
  if (resumed !== true) throw new Error('the session was not given back');
  await back.leave();
}

/** Cut before the answer: at once, or with the offer read. */
export async function wsJoinAndCut(guest: Guest): Promise<void> {
  const socket = await RoomSocket.open(guest);
  socket.say({ type: 'join', room: guest.source, role: 'viewer' });
  if (guest.random() < 0.5) await socket.next('offer');
  socket.cut();
}

export async function wsBadMessages(guest: Guest): Promise<void> {
  const { socket, viewer } = await enter(guest);
  for (const message of [
    '{',
    '[]',
    { type: 'no-such' },
    { type: 'offer', sdp: 'v=0' },
    { type: 'candidate', candidate: 5 },
    { type: 'join', room: 'gate' },
  ]) {
    socket.say(message);
    await socket.error();
  }
  await socket.watch(viewer);
  socket.say({ type: 'candidate', candidate: { candidate: 'candidate:1 1 udp 1 nobody.invalid 9 typ host', sdpMid: '0' } });
  await socket.leave();
}

async function publish(guest: Guest): Promise<{ socket: RoomSocket; publisher: WeriftPublisher; resume: object }> {
  const socket = await RoomSocket.open(guest);
  const { client_id, resume_token } = await socket.join({ room: guest.room, role: 'publisher' });
  const publisher = guest.publisher();
  await socket.publish(publisher);
  guest.send(publisher);
  return { socket, publisher, resume: { room: guest.room, role: 'publisher', client_id, resume_token } };
}

export async function wsPublishAndLeave(guest: Guest): Promise<void> {
  const { socket } = await publish(guest);
  await watchRoom(guest);
  await socket.leave();
}

export async function wsPublishAndCut(guest: Guest): Promise<void> {
  const { socket, publisher } = await publish(guest);
  await watchRoom(guest);
  socket.cut();
  if (guest.random() < 0.5) await publisher.vanish();
}

export async function wsPublishAndResume(guest: Guest): Promise<void> {
  const { socket, resume } = await publish(guest);
  socket.cut();
  const back = await RoomSocket.open(guest);
  const { resumed } = await back.join(resume);
  if (resumed !== true) throw new Error('the room was not given back');
  await back.leave();
}

/** Cut while the server makes its answer. */
export async function wsOfferAndCut(guest: Guest): Promise<void> {
  const socket = await RoomSocket.open(guest);
  await socket.join({ room: guest.room, role: 'publisher' });
  socket.say({ type: 'offer', sdp: await guest.publisher().offer() });
  if (guest.random() < 0.5) await socket.next('answer');
  socket.cut();
}
