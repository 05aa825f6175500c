/**
 * Who gives way where all WebSockets, memberships or readers are taken. One address may have them all while nobody else
 * asks, since everybody behind a proxy that TRUST_PROXY does not name has one; but whoever has more than half gives way
 * to others. The newest goes first: those who were there before a flood are not part of it.
 */

/** Somebody who takes up room. */
export interface Seated {
  /** Whose requests count together: an IPv4 address, or a /64 of IPv6. */
  readonly address: string;
}

/**
 * Who gives way to a newcomer of an address: one of the address that has more than half of `max`, undefined where there is
 * none, or where the newcomer is of that address.
 * @param seated in the order of their coming
 * @param rank the higher go first; undefined: never goes
 */
export function whoGivesWay<T extends Seated>(
  seated: readonly T[],
  max: number,
  newcomer: string,
  rank: (seat: T) => number | undefined,
): T | undefined {
  const counts = new Map<string, number>();
  for (const { address } of seated) counts.set(address, (counts.get(address) ?? 0) + 1);
  const [greedy] = [...counts].find(([address, count]) => count * 2 > max && address !== newcomer) ?? [];
  let leaving: { readonly seat: T; readonly rank: number } | undefined;
  for (const seat of seated) {
    const ranked = seat.address === greedy ? rank(seat) : undefined;
    if (ranked !== undefined && ranked >= (leaving?.rank ?? -Infinity)) leaving = { seat, rank: ranked };
  }
  return leaving?.seat;
}
