/**
 * Changes of descriptions: JSON merge patches (RFC 7396). Null removes a member, objects are merged, anything else replaces what was
 * there. An option is one value: whoever sends headers sends all of them, as nobody is told those that there are.
 */
import { isRecord } from './entry-schema.js';

/** Objects within each other that are merged: a description, and its options. */
const MERGED_LEVELS = 2;

/** The target with a patch applied; neither is changed. */
export function mergePatch(target: unknown, patch: unknown, levels = MERGED_LEVELS): unknown {
  if (!isRecord(patch) || levels === 0) return patch;
  const merged = new Map(isRecord(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value, levels - 1));
  }
  return Object.fromEntries(merged);
}

/** The patch that makes of the target what two patches make of it one after the other. */
export function joinPatches(target: unknown, first: unknown, second: unknown, levels = MERGED_LEVELS): unknown {
  if (!isRecord(second) || levels === 0) return second;
  const before = new Map(isRecord(target) ? Object.entries(target) : []);
  // What the first one removed as a whole does not come back with what the second one adds.
  const removed = first === undefined ? [] : [...before.keys()].map((name) => [name, null] as const);
  const joined = new Map<string, unknown>(isRecord(first) ? Object.entries(first) : removed);
  for (const [name, value] of Object.entries(second)) joined.set(name, joinPatches(before.get(name), joined.get(name), value, levels - 1));
  return Object.fromEntries(joined);
}
