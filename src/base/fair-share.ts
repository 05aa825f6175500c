/**
 * Who gives way where all WebSockets, memberships or readers are taken. One address may have them all while nobody else
 * asks, since everybody behind a proxy that TRUST_PROXY does not name has one; but whoever has most gives way to
 * those who have less. The newest goes first: those who were there before a flood are not part of it.
 */

/** Somebody who takes up room. */
export interface Seated {
  /** Whose requests count together: an IPv4 address, or a /64 of IPv6. */
  readonly address: string;
}

/**
 * Who gives way to a newcomer of an address: one of the address that has most, as long as it still has as many as the newcomer's
 * afterwards. Undefined where there is none.
 * @param seated in the order of their coming
 * @param rank the higher go first; undefined: never goes
 */
export function whoGivesWay<T extends Seated>(
  seated: readonly T[],
  newcomer: string,
  rank: (seat: T) => number | undefined,
): T | undefined {
  const counts = new Map<string, number>();
  for (const { address } of seated) counts.set(address, (counts.get(address) ?? 0) + 1);
  const least = (counts.get(newcomer) ?? 0) + 2;
  let leaving: { readonly seat: T; readonly count: number; readonly rank: number } | undefined;
  for (const seat of seated) {
    const count = counts.get(seat.address) ?? 0;
    const ranked = count >= least ? rank(seat) : undefined;
    if (ranked === undefined || (leaving && (count < leaving.count || (count === leaving.count && ranked < leaving.rank)))) continue;
    leaving = { seat, count, rank: ranked };
  }
  return leaving?.seat;
}
