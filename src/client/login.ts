/** Logging in and out of a server (docs/security.md), and addresses for what sends no headers. */
import { browserEnvironment, type Environment } from './environment.js';
import { SightlineError } from './errors.js';
import { addressAt, authorization, serverAddress } from './server-address.js';
import { request } from './server-session.js';

/** Passwords are checked in turn, which may take seconds. */
const LOGIN_TIMEOUT_MS = 15_000;

/** Which server, and who asks. */
export interface ServerOptions {
  /** Address of the server. Default: where this module came from, else the page's origin. */
  readonly server?: string | URL;
  /** Bearer token. Default: the login of this browser, where there is one. */
  readonly token?: string;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** What somebody logs in with. */
export type Credentials =
  | {
      /** Name of a user. */
      readonly user: string;
      /** Theirs. */
      readonly password: string;
    }
  | {
      /** Of whoever logs in. */
      readonly token: string;
    };

/** Who has logged in. */
export interface LoggedIn {
  /** Name of the user, or of what the token stands for. */
  readonly user: string;
  /** Rights for one source at least: `watch`, `data`, and so on. */
  readonly actions: readonly string[];
  /** When the login ends at the latest, Unix seconds. */
  readonly expires_at: number;
}

/** Addresses that are signed. */
export interface SignedUrls {
  /** Absolute, in the order of the paths. */
  readonly urls: readonly string[];
  /** Until when they may be opened, Unix seconds. */
  readonly expires_at: number;
}

/**
 * Logs this browser in, for pages of the server itself: everything that they do counts as this user's from then on. Pages of other
 * origins hand a `token` to each call instead.
 * @throws SightlineError UNAUTHORIZED, TOO_MANY_REQUESTS and others of the server; UNREACHABLE, SERVER_SILENT
 */
export async function login(
  credentials: Credentials,
  options: Omit<ServerOptions, 'token'> = {},
  env: Environment = browserEnvironment,
): Promise<LoggedIn> {
  const answer: unknown = await (await post(env, 'login', { options, body: credentials })).json().catch(() => undefined);
  if (!isLoggedIn(answer)) throw new SightlineError('ANSWER_INVALID');
  return answer;
}

/** Ends the login of this browser, and what goes on by it; without one nothing happens. @throws SightlineError as `login` */
export async function logout(options: Omit<ServerOptions, 'token'> = {}, env: Environment = browserEnvironment): Promise<void> {
  await post(env, 'logout', { options });
}

/**
 * Addresses of snapshots, stills and event streams for `<img>` and `EventSource`, which send no headers: good for a minute. What was
 * opened in time goes on.
 * @param paths of the server, with their queries: `/snapshot/demo.jpg?width=480` @throws SightlineError as `login`
 */
export async function signedUrls(
  paths: readonly string[],
  options: ServerOptions = {},
  env: Environment = browserEnvironment,
): Promise<SignedUrls> {
  const answer = (await (await post(env, 'signed-urls', { options, body: { paths } })).json().catch(() => undefined)) as
    Partial<SignedUrls> | undefined;
  if (!Array.isArray(answer?.urls) || typeof answer.expires_at !== 'number') throw new SightlineError('ANSWER_INVALID');
  const server = serverAddress(options.server);
  return { urls: answer.urls.map((url) => addressAt(server, String(url))), expires_at: answer.expires_at };
}

function post(
  env: Environment,
  path: string,
  { options: { server, token, signal }, body }: { readonly options: ServerOptions; readonly body?: object },
): Promise<Response> {
  return request(env, new URL(path, serverAddress(server)).href, {
    method: 'POST',
    headers: { ...authorization(token), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
    timeoutMs: LOGIN_TIMEOUT_MS,
  });
}

function isLoggedIn(value: unknown): value is LoggedIn {
  const {
    user,
    actions,
    expires_at: until,
  } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  return typeof user === 'string' && Array.isArray(actions) && typeof until === 'number';
}
