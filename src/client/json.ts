/** JSON of somebody else, read with care. */

/** The members of the object in a text; undefined where it holds none. */
export function parsedObject(text: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined; // the words of another protocol
  }
}
