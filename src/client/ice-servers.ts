/**
 * Which STUN and TURN servers to use: those the caller names; else those the server names in `Link` headers; else those
 * of `GET /ice-servers`, which is asked only when a connection does not come about by itself or was lost: most need none.
 */
import type { Environment } from './environment.js';
import { request } from './server-session.js';

/** The STUN and TURN servers of one server. */
export class IceServers {
  readonly #env: Environment;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isGiven: boolean;
  #list: readonly RTCIceServer[];
  #goodUntilMs = -Infinity;

  /** @param given undefined: the server is asked when they are needed */
  constructor(env: Environment, server: string, headers: Readonly<Record<string, string>>, given: readonly RTCIceServer[] | undefined) {
    this.#env = env;
    this.#url = new URL('ice-servers', server).href;
    this.#headers = headers;
    this.#isGiven = given !== undefined;
    this.#list = given ?? [];
  }

  /** What is known without asking. */
  get configuration(): RTCConfiguration {
    return { bundlePolicy: 'max-bundle', iceServers: [...this.#list] };
  }

  /** Those of an answer's Link headers. */
  learn(servers: readonly RTCIceServer[]): void {
    if (!this.#isGiven && servers.length > 0) this.#list = servers;
  }

  /** Asks the server where that can help. True when there are others than before. Never fails. */
  async refresh(signal: AbortSignal): Promise<boolean> {
    if (this.#isGiven || this.#env.clock.now() < this.#goodUntilMs) return false;
    try {
      const response = await request(this.#env, this.#url, { headers: { ...this.#headers }, signal, timeoutMs: 2_000 });
      const { ice_servers: servers, ttl_s: ttlS } = (await response.json()) as { ice_servers?: RTCIceServer[]; ttl_s?: number };
      if (!Array.isArray(servers)) return false;
      // Credentials that end during a call still carry it; they must only be good when it begins.
      this.#goodUntilMs = this.#env.clock.now() + (ttlS ?? 3600) * 500;
      const isOther = JSON.stringify(servers) !== JSON.stringify(this.#list);
      this.#list = servers;
      return isOther;
    } catch {
      return false; // a server without this door has no ICE servers to offer
    }
  }
}
