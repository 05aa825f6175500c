/**
 * Runs inside a browser page: a viewer and a publisher over `/ws`, as docs/rooms.md tells to write them, and what they
 * see. Plain script, no imports: it is put into the page as it is.
 */
globalThis.sightlineRooms = (() => {
  const clients = [];

  /** Watches a room. Returns the client's number once it has joined. */
  function watch(room, { tracks } = {}) {
    const video = document.body.appendChild(
      Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true, width: 320, height: 180 }),
    );
    const client = { role: 'viewer', room, tracks, video, frames: 0, states: [], messages: [] };
    const presented = () => {
      client.frames++;
      video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
    return join(client);
  }

  /** Publishes camera and microphone to a room. */
  async function publish(room, { token } = {}) {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, frameRate: 30 }, audio: true });
    const client = { role: 'publisher', room, token, stream, states: [], messages: [] };
    const id = await join(client);
    client.pc = connection(client);
    for (const track of stream.getTracks()) client.pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    await offer(client);
    return id;
  }

  function connection(client) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers: client.iceServers });
    pc.onicecandidate = ({ candidate }) => send(client, { type: 'candidate', candidate });
    pc.onconnectionstatechange = () => client.states.push(pc.connectionState);
    pc.ontrack = ({ track, streams }) => {
      if (track.kind === 'video') client.video.srcObject = streams[0] ?? new MediaStream([track]);
    };
    return pc;
  }

  async function offer(client, options) {
    await client.pc.setLocalDescription(await client.pc.createOffer(options));
    send(client, { type: 'offer', sdp: client.pc.localDescription.sdp });
  }

  function send({ socket }, message) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  /** Joins, or resumes what was joined. */
  function join(client) {
    const id = clients.includes(client) ? clients.indexOf(client) : clients.push(client) - 1;
    const { room, role, token, tracks, clientId, resumeToken } = client;
    client.socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`);
    client.socket.onopen = () => send(client, { type: 'join', room, role, token, tracks, client_id: clientId, resume_token: resumeToken });
    return new Promise((resolve, reject) => {
      // One after the other: a candidate waits for the description before it.
      let done = Promise.resolve();
      client.socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        client.messages.push(message);
        if (message.type === 'joined') resolve(id);
        if (message.type === 'error') reject(new Error(data));
        done = done.then(() => handle(client, message)).catch((error) => client.messages.push({ type: 'trouble', message: String(error) }));
      };
    });
  }

  async function handle(client, message) {
    if (message.type === 'joined')
      Object.assign(client, { clientId: message.client_id, resumeToken: message.resume_token, iceServers: message.ice_servers });
    if (message.type === 'offer') {
      // Another connection of the server: what was there before has ended.
      const session = /^o=\S+ (\S+)/m.exec(message.sdp)[1];
      if (client.session !== session) {
        client.pc?.close();
        client.pc = connection(client);
        client.session = session;
      }
      await client.pc.setRemoteDescription(message);
      await client.pc.setLocalDescription();
      send(client, { type: 'answer', sdp: client.pc.localDescription.sdp });
    }
    if (message.type === 'answer') await client.pc.setRemoteDescription(message);
    if (message.type === 'candidate') await client.pc.addIceCandidate(message.candidate);
    if (message.type === 'restart') await offer(client, { iceRestart: true });
  }

  function state(id) {
    const { pc, frames, states, messages, clientId } = clients[id];
    return {
      connectionState: pc?.connectionState,
      iceUfrag: /^a=ice-ufrag:(.*)$/m.exec(pc?.remoteDescription?.sdp ?? '')?.[1],
      frames,
      states,
      messages,
      clientId,
    };
  }

  function say(id, message) {
    send(clients[id], message);
  }

  /** Loses the WebSocket, and resumes on another one after a while. */
  async function drop(id, ms) {
    const gone = new Promise((resolve) => (clients[id].socket.onclose = resolve));
    clients[id].socket.close();
    await gone;
    await new Promise((resolve) => setTimeout(resolve, ms));
    await join(clients[id]);
  }

  async function stats(id) {
    return [...(await clients[id].pc.getStats()).values()];
  }

  function close(id) {
    const { pc, stream, socket } = clients[id];
    socket.close();
    for (const track of stream?.getTracks() ?? []) track.stop();
    pc?.close();
  }

  return { watch, publish, state, say, drop, stats, close };
})();
