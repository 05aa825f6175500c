/** Connections that only remember what the doors asked of them. */
import { MediaPeerError } from '../../src/base/errors.js';
import type { EndReason } from '../../src/media/index.js';
import type {
  AcceptRequest,
  IceDescription,
  OpenedSession,
  OpenedViewing,
  PublishRequest,
  Sessions,
  TrickledCandidate,
} from '../../src/webrtc/index.js';

/** An answer of two bundled m-lines, as the server writes them. */
const ANSWER = [
  'v=0',
  'o=- 1 1 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=ice-options:trickle ice2',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=ice-ufrag:serv',
  'a=ice-pwd:serverserverserverserver',
  'a=sendonly',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:1',
  'a=sendonly',
  '',
].join('\r\n');

/** What a restart answers with, with the generation in its ufrag. */
const CANDIDATE = 'candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host';

interface Entry {
  generation: number;
  readonly sourceId: string;
  readonly end: (reason: EndReason) => void;
}

type Asked = Pick<Sessions, 'accept' | 'publish' | 'addCandidates' | 'restart' | 'iceTag' | 'close'>;

export class FakeSessions implements Asked {
  readonly accepted: AcceptRequest[] = [];
  readonly published: PublishRequest[] = [];
  readonly candidates: { readonly sessionId: string; readonly candidates: readonly TrickledCandidate[] }[] = [];
  readonly restarts: { readonly sessionId: string; readonly remote: IceDescription }[] = [];
  readonly closed: { readonly sessionId: string; readonly reason: EndReason }[] = [];
  /** What the next opening, restart or candidate meets. */
  refusal: Error | undefined;
  /** Openings wait for it. */
  opening: Promise<void> = Promise.resolve();
  /** Restarts wait for it. */
  restarting: Promise<void> = Promise.resolve();
  readonly #open = new Map<string, Entry>();

  accept(request: AcceptRequest): Promise<OpenedViewing> {
    this.accepted.push(request);
    return this.opening.then(() => ({
      ...this.#begin(request.clientId, request.sourceId),
      renditions: request.renditions ?? ['processed'],
    }));
  }

  publish(request: PublishRequest): Promise<OpenedSession> {
    this.published.push(request);
    return this.opening.then(() => this.#begin(request.clientId, request.room));
  }

  addCandidates(sessionId: string, candidates: readonly TrickledCandidate[]): void {
    this.#throwRefusal();
    this.candidates.push({ sessionId, candidates });
  }

  async restart(sessionId: string, remote: IceDescription): Promise<IceDescription> {
    this.restarts.push({ sessionId, remote });
    this.#throwRefusal();
    await this.restarting;
    const entry = this.#get(sessionId);
    entry.generation++;
    return { iceUfrag: `serv${entry.generation}`, icePassword: 'restartrestartrestartrest', candidates: [CANDIDATE] };
  }

  iceTag(sessionId: string): string {
    return `${sessionId}-${this.#get(sessionId).generation}`;
  }

  allSourcesOf(sessionId: string): string[] {
    const entry = this.#open.get(sessionId);
    return entry ? [entry.sourceId] : [];
  }

  close(sessionId: string, reason: EndReason): Promise<boolean> {
    const entry = this.#open.get(sessionId);
    this.closed.push({ sessionId, reason });
    this.#open.delete(sessionId);
    entry?.end(reason);
    return Promise.resolve(entry !== undefined);
  }

  #begin(clientId: string | undefined, sourceId: string): OpenedSession {
    this.#throwRefusal();
    const sessionId = `session${this.accepted.length + this.published.length}`;
    let end: Entry['end'] = () => undefined;
    const ended = new Promise<EndReason>((resolve) => (end = resolve));
    this.#open.set(sessionId, { generation: 0, sourceId, end });
    return { sdp: ANSWER, clientId: clientId ?? 'generated', sourceId, sessionId, ended };
  }

  #throwRefusal(): void {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal) throw refusal;
  }

  #get(sessionId: string): Entry {
    const entry = this.#open.get(sessionId);
    if (!entry) throw new MediaPeerError('SESSION_NOT_FOUND', 'there is no such session');
    return entry;
  }
}
