/** One question to the server of AUTH_URL, and what its answer means. Anything but a clear yes is none. */
import { fetchFailure } from '../base/fetch-failure.js';
import { answerText, MAX_ANSWER_BYTES, postJson, type JsonPost } from '../base/post-json.js';
import type { Right } from './action.js';

/** What is asked: the JSON that is posted. */
export interface Question {
  /** The right. */
  readonly action: Right;
  /** Name of a source; `*`: all that there are and will be; null: about no single one. */
  readonly source: string | null;
  /** Claim `sub` of a JSON Web Token that holds; null: the token is not known here. */
  readonly user: string | null;
  /** What was shown. */
  readonly token: string;
  /** Of the client; empty where its proxies do not tell it. */
  readonly ip: string;
  /** The door. */
  readonly protocol: Protocol;
  /** A session that goes on, by the hash that stands in the log; null: what is asked for begins. */
  readonly session: string | null;
}

/** The door by which somebody comes; `http` is all that carries no media. */
export type Protocol = 'offer' | 'whep' | 'whip' | 'ws' | 'http';

/** What was answered. */
export type Verdict =
  /** @param sources globs that it is good for; left out: the answer is about what was asked alone */
  | { readonly kind: 'allowed'; readonly sources?: readonly string[] }
  | { readonly kind: 'denied' }
  /** There was no answer that says yes or no, which counts as a no. */
  | { readonly kind: 'unknown'; readonly why: string };

const MAX_GLOBS = 1000;

/** Never rejects. */
export async function askServer(
  url: string,
  question: Question,
  asking: Pick<JsonPost, 'clock' | 'timeoutMs' | 'signal'>,
): Promise<Verdict> {
  try {
    const request = { ...asking, url, headers: { accept: 'application/json' }, body: JSON.stringify(question) };
    return await postJson(request, async (response) => verdictOf(response, await answerText(response)));
  } catch (error) {
    return { kind: 'unknown', why: fetchFailure(error) };
  }
}

function verdictOf({ ok, status }: Response, text: string | undefined): Verdict {
  if (text === undefined) return { kind: 'unknown', why: `its answer has more than ${MAX_ANSWER_BYTES} bytes` };
  if (ok) return { kind: 'allowed', ...globsOf(text) };
  if (status >= 300 && status < 400)
    return { kind: 'unknown', why: `it redirects (HTTP ${status}), which is not followed; name the target in AUTH_URL` };
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: 'denied' };
  return { kind: 'unknown', why: `HTTP ${status}` };
}

/** `{"sources":["gate-*"]}`; any other text says nothing beside the status. */
function globsOf(text: string): { readonly sources?: readonly string[] } {
  try {
    const sources = (JSON.parse(text) as { readonly sources?: unknown } | null)?.sources;
    const isList = Array.isArray(sources) && sources.length <= MAX_GLOBS && sources.every((glob) => typeof glob === 'string');
    return isList ? { sources } : {};
  } catch {
    return {}; // the status is the answer
  }
}
