/** Figures in a definition list, updated in place. */
import { make, setText } from './dom.js';

/** A name and its value; undefined is written as a dash. */
export type Row = readonly [name: string, value: string | undefined];

/** Writes names and values into a list whose names stay the same from one time to the next. */
export function writeList(list: HTMLDListElement, rows: readonly Row[]): void {
  if (list.children.length !== rows.length) list.replaceChildren(...rows.map(([name]) => rowNamed(name)));
  list.querySelectorAll('dd').forEach((value, index) => setText(value, rows[index]?.[1] ?? '–'));
}

function rowNamed(name: string): HTMLElement {
  const row = make('div');
  row.append(make('dt', { textContent: name }), make('dd'));
  return row;
}
