/** What is wrong with the description of a source: for programs by place and kind, for people in words. Nothing of it is quoted: it holds credentials. */

/** Kinds of faults. Public: pages word them in their own language. */
export type EntryFaultCode =
  /** It has to be there. */
  | 'required'
  /** There is no such field or option. */
  | 'unknown'
  /** It is not of the documented form. */
  | 'invalid'
  /** Two that cannot stand together, or none of those of which one is needed. */
  | 'conflict'
  /** It cannot be told where the host of an address is. */
  | 'ambiguous_host'
  /** More characters than are taken. */
  | 'too_long'
  /** A variable of the environment is not set, or cannot be used. */
  | 'variable'
  /** It is well in SOURCES_FILE, and not taken from a request. */
  | 'not_allowed'
  /** It has to be given anew, because what it goes with has changed. */
  | 'required_again'
  /** There is no model of that name. */
  | 'not_found'
  /** Another source has it. */
  | 'taken';

/** One fault. */
export interface EntryFault {
  /** Where, as a JSON pointer (RFC 6901) into the description: `/options/headers`; empty: the whole of it. */
  readonly path: string;
  /** What kind of fault. */
  readonly code: EntryFaultCode;
  /** What was expected, in words. */
  readonly text: string;
}

/** A fault of a field. @param field with dots where it lies deeper: `options.headers` */
export function fieldFault(field: string, code: EntryFaultCode, text: string): EntryFault {
  return { path: pointerTo(...field.split('.')), code, text: `field '${field}': ${text}` };
}

/** A fault of an option. */
export function optionFault(name: string, code: EntryFaultCode, text: string): EntryFault {
  return { path: pointerTo('options', name), code, text };
}

/** A JSON pointer of its parts, each cut to what a name may have. */
export function pointerTo(...parts: readonly string[]): string {
  return parts.map((part) => `/${part.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
