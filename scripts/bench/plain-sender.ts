/**
 * The fan-out bench's reference, in a process of its own: plain werift, one MediaStreamTrack per viewer, fed
 * over UDP with RTP packets and writing a copy of each to every viewer. Speaks just enough of the server's
 * HTTP for the same viewers: POST /offer and GET /health.
 */
import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpPacket, useSdesMid } from 'werift';

/** Sent to the parent once it listens. */
export interface PlainSenderReady {
  readonly httpPort: number;
  readonly rtpPort: number;
}

const viewers = new Set<MediaStreamTrack>();
const feed = createSocket('udp4');
feed.on('message', (data) => {
  const packet = RtpPacket.deSerialize(data);
  // The sender changes the packet it is given, so each viewer gets a header of its own over the shared payload.
  for (const viewer of viewers) viewer.writeRtp(packet.clone());
});

async function answer(offer: string): Promise<string> {
  const pc = new RTCPeerConnection({
    iceServers: [],
    iceUseIpv6: false,
    iceInterfaceAddresses: { udp4: '127.0.0.1' },
    bundlePolicy: 'max-bundle',
    headerExtensions: { video: [useSdesMid()], audio: [] },
    codecs: {
      audio: [],
      video: [
        new RTCRtpCodecParameters({
          mimeType: 'video/H264',
          clockRate: 90_000,
          payloadType: 102,
          rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
          parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
        }),
      ],
    },
  });
  const track = new MediaStreamTrack({ kind: 'video' });
  pc.addTransceiver(track, { direction: 'sendonly' });
  pc.connectionStateChange.subscribe((state) => {
    if (state === 'connected') viewers.add(track);
    else viewers.delete(track);
  });
  await pc.setRemoteDescription({ type: 'offer', sdp: offer });
  const ice = pc.dtlsTransports[0]?.iceTransport.connection as unknown as {
    stunServer: unknown;
    getCandidatePromises: (addresses: string[], timeout?: number) => Promise<unknown>[];
  };
  ice.stunServer = undefined;
  const gather = ice.getCandidatePromises.bind(ice);
  ice.getCandidatePromises = (_addresses, timeout) => gather(['127.0.0.1'], timeout);
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription?.sdp ?? '';
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function respond(request: IncomingMessage): Promise<object> {
  if (request.url === '/offer') return { type: 'answer', sdp: await answer((JSON.parse(await readBody(request)) as { sdp: string }).sdp) };
  const { user, system } = process.cpuUsage();
  return { process: { cpu_s: (user + system) / 1e6, rss_bytes: process.memoryUsage.rss() } };
}

const http = createServer((request, response) => {
  respond(request).then(
    (body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)),
    (error: unknown) => response.writeHead(500).end(JSON.stringify({ code: 'FAILED', message: String(error) })),
  );
});
feed.bind(0, '127.0.0.1', () => {
  http.listen(0, '127.0.0.1', () => {
    process.send?.({ httpPort: (http.address() as AddressInfo).port, rtpPort: feed.address().port } satisfies PlainSenderReady);
  });
});
process.on('disconnect', () => process.exit(0));
