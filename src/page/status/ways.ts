/** Connects over one way alone, to see whether it leads to the server. */
import { getJson, request } from '../api/request.js';
import { waysOf, type Way, type WayFacts } from './candidates.js';

/** What to connect to, over which way. */
export interface WayTest {
  /** The way. */
  readonly way: Way;
  /** A source that is live. */
  readonly source: string;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** What came of it. `absent`: the server offers no such way. */
export type WayResult =
  | 'absent'
  | (WayFacts & {
      /** From the answer to the connection, ms; undefined: it did not come about. */
      readonly connectedMs: number | undefined;
    });

interface OfferAnswer {
  readonly sdp: string;
  readonly session_url: string;
}

/** ICE gives up a pair after this. */
const PATIENCE_MS = 8_000;

/** @throws RequestError where the server refuses; an AbortError where it was given up */
export async function testWay({ way, source, signal }: WayTest): Promise<WayResult> {
  const iceServers = way === 'turn' ? await turnServers(signal) : [];
  if (way === 'turn' && iceServers.length === 0) return 'absent';
  const pc = new RTCPeerConnection({ iceServers: [...iceServers], iceTransportPolicy: way === 'turn' ? 'relay' : 'all' });
  let sessionUrl: string | undefined;
  try {
    pc.addTransceiver('video', { direction: 'recvonly' });
    await pc.setLocalDescription();
    // Without candidates: the server learns this side from the checks, which come over this way alone.
    const sdp = (pc.localDescription?.sdp ?? '').replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, '');
    const { body: answer } = await request<OfferAnswer>('/offer', { body: { sdp, type: 'offer', source, tracks: ['raw'] }, signal });
    sessionUrl = answer.session_url;
    const own = candidatesOf(answer.sdp, way);
    if (own.count === 0) return 'absent';
    const startedMs = performance.now();
    const connected = connection(pc, signal);
    await pc.setRemoteDescription({ type: 'answer', sdp: own.sdp });
    const isConnected = await connected;
    const facts = waysOf(await pc.getStats())[way];
    return { ...facts, works: isConnected, connectedMs: isConnected ? performance.now() - startedMs : undefined };
  } finally {
    // A connection that is closed first ends its session by itself, and there would be none any more to end.
    if (sessionUrl === undefined) pc.close();
    else
      void request(sessionUrl, { method: 'DELETE' }).then(
        () => pc.close(),
        () => pc.close(),
      );
  }
}

/** An answer with those candidates alone that a way goes by. */
export function candidatesOf(sdp: string, way: Way): { readonly sdp: string; readonly count: number } {
  let count = 0;
  const filtered = sdp.replace(/^a=candidate:\S+ \d+ (\S+) .*\r?\n/gim, (line, protocol: string) => {
    const isTcp = protocol.toLowerCase() === 'tcp';
    // A relay reaches the server by UDP.
    if (isTcp !== (way === 'tcp')) return '';
    count++;
    return line;
  });
  return { sdp: filtered, count };
}

async function turnServers(signal: AbortSignal): Promise<readonly RTCIceServer[]> {
  const { ice_servers: servers } = await getJson<{ readonly ice_servers: readonly RTCIceServer[] }>('/ice-servers', signal);
  return servers.filter(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
}

function connection(pc: RTCPeerConnection, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), PATIENCE_MS);
    const end = (): void => clearTimeout(timer);
    signal.addEventListener('abort', () => (end(), reject(new DOMException('given up', 'AbortError'))), { once: true });
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState !== 'connected' && pc.connectionState !== 'failed') return;
      end();
      resolve(pc.connectionState === 'connected');
    });
  });
}
