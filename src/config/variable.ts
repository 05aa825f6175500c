/** What a variable of the configuration is: type, default, range and documentation at once; and those of the plain types. */

/** One documented variable. */
export interface Variable<T> {
  /** As the documentation shows it. */
  readonly shownDefault: string;
  /** For the documentation, in one sentence or two. */
  readonly description: string;
  /** What is allowed, in words. */
  readonly allowed: string;
  /** It is on or off. */
  readonly isFlag?: true;
  /** Where it is not set. */
  readonly defaultValue: T;
  /** The parsed value, or undefined when it is not allowed. */
  parse(text: string): T | undefined;
  /** What is wrong with a value that is not allowed, where that can be said. */
  explain?(text: string): string | undefined;
}

/** An integer of a range, ends included. */
export function integer(defaultValue: number, min: number, max: number, description: string): Variable<number> {
  return {
    shownDefault: String(defaultValue),
    description,
    allowed: `an integer in [${min}, ${max}]`,
    defaultValue,
    parse(text) {
      const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** Any text. */
export function text(defaultValue: string, shownDefault: string, description: string): Variable<string> {
  return { shownDefault, description, allowed: 'text', defaultValue, parse: (value) => value };
}

/** On or off. */
export function flag(defaultValue: boolean, description: string): Variable<boolean> {
  return {
    shownDefault: defaultValue ? 'on' : 'off',
    description,
    allowed: 'on or off',
    isFlag: true,
    defaultValue,
    parse: (value) => ({ on: true, off: false })[value],
  };
}

/** The items of a list, comma separated; empty ones are left out. */
export function itemsOf(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Texts, comma separated. */
export function list(
  defaultValue: readonly string[],
  shownDefault: string,
  isAllowed: (item: string) => boolean,
  allowed: string,
  description: string,
): Variable<readonly string[]> {
  return {
    shownDefault,
    description,
    allowed,
    defaultValue,
    parse(value) {
      const items = itemsOf(value);
      return items.every(isAllowed) ? items : undefined;
    },
  };
}
