/** What keys do while a source is watched. Knows no DOM. */
import type { View } from './views.js';

/** What a key asks for. */
export type KeyAction = 'fullScreen' | 'mute' | 'pip' | 'snapshot' | 'back' | 'forward' | 'toggle' | 'live' | 'help' | View;

/** Every key, in the order of the help. */
export const KEYS: readonly (readonly [key: string, action: KeyAction])[] = [
  ['f', 'fullScreen'],
  ['m', 'mute'],
  ['p', 'pip'],
  ['s', 'snapshot'],
  ['1', 'raw'],
  ['2', 'processed'],
  ['3', 'overlay'],
  ['4', 'both'],
  ['ArrowLeft', 'back'],
  ['ArrowRight', 'forward'],
  [' ', 'toggle'],
  ['l', 'live'],
  ['?', 'help'],
];

/** What of a key press counts. */
export interface KeyPress {
  /** As `KeyboardEvent.key`. */
  readonly key: string;
  /** With Ctrl, Alt or Meta: it is the browser's. */
  readonly isChord: boolean;
  /** Element that has the focus, in lower case, with the type of an input: `input:range`, `button`. */
  readonly target: string;
}

const TYPED_INTO = ['textarea', 'input:text', 'input:search', 'input:password', 'input:number', 'input:datetime-local', 'select'];
/** Which keys an element needs itself. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  button: [' '],
  a: [],
  'input:range': ['ArrowLeft', 'ArrowRight'],
  'input:radio': ['ArrowLeft', 'ArrowRight', ' '],
  'input:checkbox': [' '],
};

/** Undefined where the key means nothing, or something to what has the focus. */
export function actionOf({ key, isChord, target }: KeyPress): KeyAction | undefined {
  if (isChord || TYPED_INTO.includes(target) || OWN[target]?.includes(key)) return undefined;
  const wanted = key.length === 1 ? key.toLowerCase() : key;
  return KEYS.find(([each]) => each === wanted)?.[1];
}
