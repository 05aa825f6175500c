/** What a server still holds, as it tells itself. */
import { setTimeout as wait } from 'node:timers/promises';

interface Health {
  readonly active_clients: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly process: { readonly cpu_s: number; readonly rss_bytes: number };
}

/** Sockets, sessions, processes, timers, WebSockets and running sources. */
export type Holdings = Readonly<Record<string, number>>;

export interface Standing {
  readonly holdings: Holdings;
  readonly cpuS: number;
  readonly rssBytes: number;
}

async function get<T>(url: string, path: string): Promise<T> {
  const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(10_000) });
  return (await response.json()) as T;
}

export async function readStanding(url: string): Promise<Standing> {
  const health = await get<Health>(url, '/health');
  const { websocket_connections } = await get<{ websocket_connections: number }>(url, '/connection-stats');
  const { sources } = await get<{ sources: readonly unknown[] }>(url, '/active-streams');
  return {
    holdings: { ...health.resources, sessions: health.active_clients, websockets: websocket_connections, sources: sources.length },
    cpuS: health.process.cpu_s,
    rssBytes: health.process.rss_bytes,
  };
}

/** What is held beyond what was held before. */
export function beyond(before: Holdings, now: Holdings): Holdings {
  return Object.fromEntries(
    Object.entries(now)
      .map(([kind, count]) => [kind, count - (before[kind] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

/** Waits until nothing is held beyond `before`, or `ms` have passed; how it stands then. */
export async function settled(url: string, before: Holdings, ms: number): Promise<Standing> {
  const end = performance.now() + ms;
  for (;;) {
    const standing = await readStanding(url);
    if (Object.keys(beyond(before, standing.holdings)).length === 0 || performance.now() > end) return standing;
    await wait(250);
  }
}
