/** Somebody who publishes a short clip to a room of a server by WHIP, over and over. */
import assert from 'node:assert/strict';
import type { VideoCodec } from '../../src/media/index.js';
import { encodedClip } from './publisher.js';
import { WeriftPublisher } from './werift-publisher.js';

/** Connects and begins. @param token of the room @param codec default h264 @returns ends it */
export async function publishClip(
  serverUrl: string,
  room: string,
  token?: string,
  codec: VideoCodec = 'h264',
): Promise<() => Promise<void>> {
  const publisher = new WeriftPublisher({ codec });
  await publisher.publish(async (sdp) => {
    const response = await fetch(`${serverUrl}/whip/${room}`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: sdp,
    });
    assert.equal(response.status, 201);
    return { sdp: await response.text() };
  });
  const clip = encodedClip({ codec, seconds: 1 });
  let sent = 0;
  const timer = setInterval(() => publisher.sendVideo((clip[sent % clip.length] ?? assert.fail()).data, 1000 + sent++ * 3000), 33);
  return async () => {
    clearInterval(timer);
    await publisher.close();
  };
}
