/** The server's own CPU time and memory, as /health tells them. */

export interface ServerFigures {
  /** Mean use of one core in percent. Undefined when /health does not tell. */
  readonly cpuPercent: number | undefined;
  /** Largest resident size seen. */
  readonly maxRssBytes: number | undefined;
  /** `resources` of the last look. */
  readonly resources: Readonly<Record<string, number>> | undefined;
}

interface HealthBody {
  readonly resources?: Record<string, number>;
  readonly process?: { readonly cpu_s: number; readonly rss_bytes: number };
}

/** Looks once a second from its making until `stop`. */
export class ServerWatch {
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  #first: { cpuS: number; atMs: number } | undefined;
  #last: { cpuS: number; atMs: number } | undefined;
  #maxRssBytes: number | undefined;
  #resources: Record<string, number> | undefined;

  constructor(url: string) {
    this.#url = url;
    this.#timer = setInterval(() => void this.#look(), 1000);
    void this.#look();
  }

  async stop(): Promise<ServerFigures> {
    clearInterval(this.#timer);
    await this.#look();
    const spanMs = this.#first && this.#last ? this.#last.atMs - this.#first.atMs : 0;
    return {
      cpuPercent: this.#first && this.#last && spanMs > 0 ? ((this.#last.cpuS - this.#first.cpuS) / (spanMs / 1000)) * 100 : undefined,
      maxRssBytes: this.#maxRssBytes,
      resources: this.#resources,
    };
  }

  /** A look that fails is left out: the viewers tell when the server is gone. */
  async #look(): Promise<void> {
    const health = await readHealth(this.#url).catch(() => undefined);
    if (!health) return;
    this.#resources = health.resources ?? this.#resources;
    if (!health.process) return;
    this.#last = { cpuS: health.process.cpu_s, atMs: performance.now() };
    this.#first ??= this.#last;
    this.#maxRssBytes = Math.max(this.#maxRssBytes ?? 0, health.process.rss_bytes);
  }
}

/** @throws Error when there is no answer within 3 s */
export async function readHealth(url: string): Promise<HealthBody> {
  const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(3000) });
  return (await response.json()) as HealthBody;
}
