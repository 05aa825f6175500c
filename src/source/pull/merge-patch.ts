/** JSON merge patches (RFC 7396): null removes a member, objects are merged, anything else replaces what was there. */
import { isRecord } from './entry-schema.js';

/** The target with a patch applied; neither is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged = new Map(isRecord(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/** The patch that does what two patches do one after the other. */
export function joinPatches(first: unknown, second: unknown): unknown {
  if (!isRecord(first) || !isRecord(second)) return second;
  const joined = new Map(Object.entries(first));
  for (const [name, value] of Object.entries(second)) joined.set(name, joinPatches(joined.get(name), value));
  return Object.fromEntries(joined);
}
