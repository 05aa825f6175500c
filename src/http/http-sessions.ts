/**
 * The sessions that were opened over HTTP, and what their session URL does: candidates that come later, ICE restarts and
 * the end (RFC 9725 §4.3, §4.2). The tag of a session names its ICE generation, so that a candidate that was overtaken by
 * a restart meets 412.
 */
import { MediaPeerError } from '../base/errors.js';
import { sessionNotFound } from '../base/refusals.js';
import {
  parseFragment,
  writeFragment,
  type Door,
  type IceDescription,
  type OpenedSession,
  type SdpFragment,
  type Sessions,
} from '../webrtc/index.js';
import { entityTag, matchTag } from './entity-tags.js';
import type { HeldRights, Right } from '../access/index.js';
import type { RequestAccess } from './gate.js';

/** What session URLs act on. */
export interface HttpSessionsDeps {
  /** Where the sessions live. */
  readonly sessions: Pick<Sessions, 'addCandidates' | 'restart' | 'iceTag' | 'close'> & {
    /** All that a session may be sent something of now, or the room that it publishes to; empty where there is none of that id. */
    allSourcesOf(sessionId: string): readonly string[];
  };
  /** Refuses what RFC 9725 forbids but many clients do: a PATCH without `If-Match`, or without the token of its session. */
  readonly isStrict: boolean;
}

/** Who asks for what a session URL does. */
export type Asking = Pick<RequestAccess, 'hasCredentials' | 'demand' | 'approach'>;

/** How a client opened its session. */
export interface Opening {
  /** The endpoint at which the session was opened; its session URL is below it. */
  readonly door: Door;
  /** The client's offer. */
  readonly offer: string;
  /** The right by which it was opened. */
  readonly action: Right;
  /** The rights that it goes on with. */
  readonly rights: HeldRights;
}

/** A PATCH of a session URL (RFC 9725 §4.3). */
export interface PatchRequest {
  /** The body: an SDP fragment (RFC 8840). */
  readonly fragment: string;
  /** The header `If-Match`; undefined where it is absent. */
  readonly ifMatch: string | undefined;
  /** Who asks. */
  readonly access: Asking;
}

/** The server's half of an ICE restart, and the tag of the generation that begins. */
interface Restarted {
  readonly fragment: string;
  readonly etag: string;
}

/** What a PATCH brought about; `restarted` undefined: candidates were taken. */
export interface PatchResult {
  /** What an ICE restart is answered with; undefined where candidates were added. */
  readonly restarted: Restarted | undefined;
  /** True for the first PATCH of a session that lacked `If-Match`. */
  readonly isLenient: boolean;
  /** Whose session it is, for the log. */
  readonly clientId: string;
}

interface HttpSession {
  readonly clientId: string;
  /** The source that is watched, or the room. */
  readonly sourceId: string;
  readonly door: Door;
  readonly action: Right;
  readonly rights: HeldRights;
  /** What fragments repeat the head of. */
  readonly answer: string;
  /** The client's, the newest last; those of former ICE generations tell a late candidate from a restart. */
  readonly ufrags: string[];
  /** The latest restart: the same request again gets the same answer, for the first one may have been lost. */
  restart: { readonly ufrag: string; readonly answer: Promise<Restarted> } | undefined;
  wasLenient: boolean;
}

/** Former ICE generations that are remembered for each session. */
const MAX_UFRAGS = 16;

/** Sessions that were opened over HTTP, by the id in their session URL. */
export class HttpSessions {
  readonly #deps: HttpSessionsDeps;
  readonly #open = new Map<string, HttpSession>();

  constructor(deps: HttpSessionsDeps) {
    this.#deps = deps;
  }

  /** Remembers a session until it ends; what goes into `Location` and `ETag`. */
  opened(
    { sessionId, clientId, sourceId, sdp, ended }: OpenedSession,
    { door, offer, action, rights }: Opening,
  ): { readonly location: string; readonly etag: string } {
    const ufrags = [...new Set([...offer.matchAll(/^a=ice-ufrag:(\S+)\s*$/gm)].map((match) => match[1] ?? ''))].slice(0, MAX_UFRAGS);
    this.#open.set(sessionId, { clientId, sourceId, door, action, rights, answer: sdp, ufrags, restart: undefined, wasLenient: false });
    const release = rights.guard({
      action,
      sources: () => this.#deps.sessions.allSourcesOf(sessionId),
      session: () => sessionId,
      onLost: () => void this.#deps.sessions.close(sessionId, 'access-ended'),
    });
    const forget = (): void => {
      release();
      this.#open.delete(sessionId);
    };
    void ended.then(forget, forget);
    return { location: `/sessions/${sessionId}`, etag: this.#etag(sessionId) };
  }

  /** Whether that session publishes to that room. */
  publishes(sessionId: string, room: string): boolean {
    const session = this.#open.get(sessionId);
    return session?.door === 'whip' && session.sourceId === room;
  }

  /** @throws MediaPeerError SESSION_NOT_FOUND */
  find(sessionId: string): void {
    this.#get(sessionId);
  }

  /**
   * @throws MediaPeerError SESSION_NOT_FOUND, UNAUTHORIZED, FORBIDDEN, CANDIDATE_INVALID, PRECONDITION_REQUIRED, PRECONDITION_FAILED,
   *   ICE_RESTART_REFUSED; the session continues in any case.
   */
  async patch(sessionId: string, request: PatchRequest): Promise<PatchResult> {
    const session = this.#get(sessionId);
    await this.#authorize(session, request.access);
    const fragment = parseFragment(request.fragment);
    const tag = matchTag(request.ifMatch, this.#deps.sessions.iceTag(sessionId));
    const isLenient = tag === 'absent' && !session.wasLenient;
    if (tag === 'absent') {
      if (this.#deps.isStrict && session.door !== 'offer')
        throw new MediaPeerError(
          'PRECONDITION_REQUIRED',
          'the header If-Match is needed: the ETag of the session for candidates, "*" for an ICE restart',
        );
      session.wasLenient = true;
    }
    if (tag === 'other')
      throw new MediaPeerError(
        'PRECONDITION_FAILED',
        'If-Match is not the ETag of this ICE session; it is in the answer to the offer, and in the one to the last ICE restart',
      );
    const restart = this.#restartOf(sessionId, session, fragment, tag === 'any');
    if (restart === undefined) {
      await this.#addCandidates(sessionId, session, fragment);
      return { restarted: undefined, isLenient, clientId: session.clientId };
    }
    return { restarted: await restart, isLenient, clientId: session.clientId };
  }

  /** Ends a session, whichever door it came by. @throws MediaPeerError SESSION_NOT_FOUND, UNAUTHORIZED, FORBIDDEN */
  async close(sessionId: string, access: Asking): Promise<void> {
    const session = this.#open.get(sessionId);
    if (session) await this.#authorize(session, access);
    if (!(await this.#deps.sessions.close(sessionId, session?.door === 'whip' ? 'publisher-left' : 'viewer-left'))) throw sessionNotFound();
  }

  /** Ends a session whose client was gone before it heard of it; a publisher may come back. */
  async abandon(sessionId: string): Promise<void> {
    await this.#deps.sessions.close(sessionId, this.#open.get(sessionId)?.door === 'whip' ? 'publisher-gone' : 'viewer-left');
  }

  /** The URL cannot be guessed, so it is proof enough where a client sends its token to the endpoint alone. */
  async #authorize({ action, sourceId: source, rights }: HttpSession, access: Asking): Promise<void> {
    if (access.hasCredentials || this.#deps.isStrict) await access.demand(action, { source });
    // What is shown here counts from now on: the token that it was opened with may expire.
    if (access.approach.token !== undefined) await rights.renew(access.approach.token);
  }

  /**
   * A fragment with credentials that the session has not seen restarts ICE. So does its repetition with `*`; with
   * anything else, credentials that are known announce candidates.
   */
  #restartOf(
    sessionId: string,
    session: HttpSession,
    { iceUfrag, icePassword, candidates }: SdpFragment,
    isAny: boolean,
  ): Promise<Restarted> | undefined {
    if (iceUfrag === undefined) return undefined;
    if (isAny && session.restart?.ufrag === iceUfrag) return session.restart.answer;
    if (session.ufrags.includes(iceUfrag) || session.restart?.ufrag === iceUfrag) return undefined;
    if (icePassword === undefined) {
      if (isAny)
        throw new MediaPeerError('CANDIDATE_INVALID', 'the SDP fragment is not usable: an ICE restart needs a=ice-ufrag and a=ice-pwd');
      return undefined;
    }
    const remote: IceDescription = {
      iceUfrag,
      icePassword,
      candidates: candidates.flatMap(({ candidate }) => (candidate === '' ? [] : [candidate])),
    };
    const previous = session.restart;
    const restart = { ufrag: iceUfrag, answer: this.#restart(sessionId, session, remote, previous?.answer) };
    session.restart = restart;
    restart.answer.then(
      () => {
        session.ufrags.push(iceUfrag);
        if (session.ufrags.length > MAX_UFRAGS) session.ufrags.shift();
      },
      () => {
        if (session.restart === restart) session.restart = previous;
      },
    );
    return restart.answer;
  }

  /** One after the other, so that each answer goes with its own tag. */
  async #restart(
    sessionId: string,
    session: HttpSession,
    remote: IceDescription,
    previous: Promise<unknown> | undefined,
  ): Promise<Restarted> {
    await previous?.catch(() => undefined);
    const local = await this.#deps.sessions.restart(sessionId, remote);
    return { fragment: writeFragment(session.answer, local), etag: this.#etag(sessionId) };
  }

  /** Those that come while ICE restarts wait for it. */
  async #addCandidates(sessionId: string, session: HttpSession, { iceUfrag, candidates }: SdpFragment): Promise<void> {
    if (iceUfrag !== undefined && session.restart?.ufrag === iceUfrag) await session.restart.answer;
    if (candidates.length > 0) this.#deps.sessions.addCandidates(sessionId, candidates);
  }

  #etag(sessionId: string): string {
    return entityTag(this.#deps.sessions.iceTag(sessionId));
  }

  #get(sessionId: string): HttpSession {
    const session = this.#open.get(sessionId);
    if (!session) throw sessionNotFound();
    return session;
  }
}
