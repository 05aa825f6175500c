/**
 * Runs inside a browser page: a WHEP player and a WHIP publisher with trickle ICE and ICE restarts by PATCH, and what
 * they see. Plain script, no imports: it is put into the page as it is.
 */
globalThis.sightlineWish = (() => {
  const clients = [];
  const SDP = { 'content-type': 'application/sdp' };

  /** Watches `url`; `audio` asks for sound, too. */
  async function watch(url, { audio = false, token } = {}) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const video = document.body.appendChild(
      Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true, width: 320, height: 180 }),
    );
    video.srcObject = new MediaStream();
    const client = { pc, video, frames: 0, streams: [] };
    pc.ontrack = ({ track, streams }) => {
      client.streams.push(...streams.map(({ id }) => id));
      video.srcObject.addTrack(track);
    };
    const presented = () => {
      client.frames++;
      video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
    pc.addTransceiver('video', { direction: 'recvonly' });
    if (audio) pc.addTransceiver('audio', { direction: 'recvonly' });
    return open(client, url, token);
  }

  /** Publishes camera and microphone to `url`. */
  async function publish(url, { token, codec } = {}) {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, frameRate: 30 }, audio: true });
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    for (const track of stream.getTracks()) {
      const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
      if (codec && track.kind === 'video')
        transceiver.setCodecPreferences(
          RTCRtpSender.getCapabilities('video').codecs.filter(({ mimeType }) => mimeType.toUpperCase() === `VIDEO/${codec}`),
        );
    }
    return open({ pc, stream, frames: 0, streams: [] }, url, token);
  }

  /** Offers at once, without candidates; those that are found meanwhile go in one PATCH, the later ones one by one. */
  async function open(client, url, token) {
    const { pc } = client;
    const id = clients.push(client) - 1;
    Object.assign(client, { authorization: token ? { authorization: `Bearer ${token}` } : {}, waiting: [], patches: [], states: [] });
    pc.onconnectionstatechange = () => client.states.push(pc.connectionState);
    pc.onicecandidate = ({ candidate }) => {
      client.waiting.push(candidate?.candidate ? `a=${candidate.candidate}` : 'a=end-of-candidates');
      void trickle(client);
    };
    await pc.setLocalDescription();
    const response = await fetch(url, { method: 'POST', headers: { ...SDP, ...client.authorization }, body: pc.localDescription.sdp });
    const headers = Object.fromEntries(
      ['location', 'etag', 'link', 'content-type', 'accept-patch', 'retry-after'].map((name) => [name, response.headers.get(name)]),
    );
    const answer = await response.text();
    if (!response.ok) return { id, status: response.status, headers, answer };
    await pc.setRemoteDescription({ type: 'answer', sdp: answer });
    Object.assign(client, { session: new URL(headers.location, response.url).href, etag: headers.etag });
    await trickle(client);
    return { id, status: response.status, headers, answer };
  }

  /** What a fragment says of the m-line that carries everything: RFC 8840 §9. */
  function head(sdp) {
    const line = (pattern) => pattern.exec(sdp)[0];
    return [/^a=group:BUNDLE .*$/m, /^m=.*$/m, /^a=mid:.*$/m, /^a=ice-ufrag:.*$/m, /^a=ice-pwd:.*$/m].map((pattern) =>
      line(pattern).trim(),
    );
  }

  function patch(client, ifMatch, lines) {
    return fetch(client.session, {
      method: 'PATCH',
      headers: { 'content-type': 'application/trickle-ice-sdpfrag', ...(ifMatch && { 'if-match': ifMatch }), ...client.authorization },
      body: `${lines.join('\r\n')}\r\n`,
    });
  }

  async function trickle(client) {
    if (!client.session || client.isRestarting || client.waiting.length === 0) return;
    const lines = client.waiting.splice(0);
    const response = await patch(client, client.etag, [...head(client.pc.localDescription.sdp), ...lines]);
    client.patches.push(response.status);
  }

  /** Restarts ICE (RFC 9725 §4.3.3); its status, and the entity tags before and after. */
  async function restart(id) {
    const client = clients[id];
    const { pc } = client;
    const before = client.etag;
    pc.restartIce();
    const offer = await pc.createOffer();
    client.isRestarting = true; // candidates wait for the tag of the ICE session that begins
    await pc.setLocalDescription(offer);
    const response = await patch(client, '"*"', head(pc.localDescription.sdp));
    const fragment = await response.text();
    client.isRestarting = false;
    if (response.status !== 200) return { status: response.status, body: fragment };
    client.etag = response.headers.get('etag');
    await pc.setRemoteDescription({ type: 'answer', sdp: restarted(pc.remoteDescription.sdp, fragment) });
    await trickle(client);
    return { status: response.status, before, after: client.etag, body: fragment };
  }

  /** The answer with the credentials and candidates of a fragment. */
  function restarted(answer, fragment) {
    const [ufrag] = /^a=ice-ufrag:.*$/m.exec(fragment);
    const [pwd] = /^a=ice-pwd:.*$/m.exec(fragment);
    const candidates = fragment.match(/^a=candidate:.*\r\n/gm) ?? [];
    const bare = answer
      .replace(/^a=candidate:.*\r\n/gm, '')
      .replace(/^a=ice-ufrag:.*$/gm, ufrag.trim())
      .replace(/^a=ice-pwd:.*$/gm, pwd.trim());
    return bare.replace(/^a=ice-pwd:.*\r\n/m, (line) => line + candidates.join(''));
  }

  function state(id) {
    const { pc, frames, patches, states, streams, session } = clients[id];
    return { connectionState: pc.connectionState, frames, patches, states, streams, session };
  }

  /** A number that differs where pictures differ. */
  function picture(id) {
    const { video } = clients[id];
    const canvas = new OffscreenCanvas(64, 36);
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, 64, 36);
    const { data } = context.getImageData(0, 0, 64, 36);
    return {
      width: video.videoWidth,
      height: video.videoHeight,
      hash: data.reduce((hash, byte) => (hash * 31 + byte) | 0, 7),
      bright: data.reduce((sum, byte, i) => sum + (i % 4 === 3 ? 0 : byte), 0),
    };
  }

  async function stats(id) {
    return [...(await clients[id].pc.getStats()).values()];
  }

  /** DELETE of the session; its status. */
  async function leave(id) {
    const { session, authorization, pc, stream } = clients[id];
    const { status } = await fetch(session, { method: 'DELETE', headers: authorization });
    for (const track of stream?.getTracks() ?? []) track.stop();
    pc.close();
    return status;
  }

  /** Ends the connection as a closed tab does. */
  function close(id) {
    const { pc, stream } = clients[id];
    for (const track of stream?.getTracks() ?? []) track.stop();
    pc.close();
  }

  return { watch, publish, restart, state, picture, stats, leave, close };
})();
