/** What the server says of itself. */
import type { Environment } from './environment.js';
import { request } from './server-session.js';

/** Until then a server that was started again may not know all its videos yet, and cameras are still coming back. */
const JUST_STARTED_S = 30;

/** True where the server was started a moment ago. Never fails. @param headers what the server wants to be shown */
export async function hasJustStarted(env: Environment, server: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    const response = await request(env, new URL('health', server).href, { headers, cache: 'no-store', timeoutMs: 2_000 });
    const { uptime_s: uptimeS } = (await response.json()) as { uptime_s?: unknown };
    return typeof uptimeS === 'number' && uptimeS < JUST_STARTED_S;
  } catch {
    return false;
  }
}
