/** Figures of the status view, written for a person. Pure. */
import type { ConnectedClient, RunningSource } from '../api/status.js';
import type { Words } from '../strings/index.js';
import { bitrate } from '../shared/stats.js';

/** Such as `210 MB`. */
export function bytesText(bytes: number, language: string): string {
  const [unit, value] = bytes >= 1e9 ? (['gigabyte', bytes / 1e9] as const) : (['megabyte', bytes / 1e6] as const);
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: bytes >= 1e9 ? 1 : 0 }).format(value);
}

/** Such as `3 days 4 hr`: the two largest units. */
export function durationText(seconds: number, language: string): string {
  const parts = [
    ['day', Math.floor(seconds / 86_400)],
    ['hour', Math.floor(seconds / 3600) % 24],
    ['minute', Math.floor(seconds / 60) % 60],
    ['second', Math.floor(seconds) % 60],
  ] as const;
  const first = parts.findIndex(([, value]) => value > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2).filter(([, value]) => value > 0);
  return shown
    .map(([unit, value]) => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value))
    .join(' ');
}

/** How a client is connected: direct, by TCP, or over a TURN server. */
export function pathText({ ice_path: path, ice_troubles: troubles }: ConnectedClient, { paths }: Words['status']): string {
  if (path === null) return troubles[0] ?? paths.none;
  if (path.includes('relay')) return paths.relay;
  return path.includes('tcp') ? paths.tcp : paths.udp;
}

/** Why a viewer has less than the source; undefined where it has it all, or is no viewer. */
export function whyLess(
  { role, quality, switch_reason: reason, estimate_kbps: estimate }: ConnectedClient,
  text: Words['status'],
): string | undefined {
  if (role !== 'viewer' || quality === undefined || quality === null || quality === 'source') return undefined;
  const carried = estimate === undefined || estimate === null ? undefined : bitrate(estimate * 1000);
  return text.reasons[reason ?? '']?.(carried) ?? reason ?? undefined;
}

/** What it watches: of a wall all its sources. */
export function watchedText({ source, m_lines: mLines }: ConnectedClient): string {
  const shown = [...new Set(mLines.flatMap((line) => line.source ?? []))];
  return (shown.length === 0 ? [source] : shown).join(', ');
}

/** Bits a second and viewers of all that is sent of a source. */
export function sentOf({ renditions }: RunningSource): { readonly viewers: number; readonly bitrateBps: number; readonly encoded: number } {
  const pictures = renditions.filter(({ rendition }) => rendition !== 'audio');
  return {
    viewers: pictures.reduce((sum, { viewers }) => sum + viewers, 0),
    bitrateBps: pictures.reduce((most, { bitrate_bps: bps }) => Math.max(most, bps), 0),
    encoded: pictures.filter(({ origin }) => origin === 'encoded').length,
  };
}
