/** The last of what a process says, a line at a time, so that a secret is never cut in two before it is seen. */
import type { Redact } from './redact.js';

const TAIL_CHARS = 4_000;
/** A longer line is not a message. */
const MAX_LINE_CHARS = 16_384;

/** Keeps the last lines. */
export class StderrTail {
  readonly #redact: Redact | undefined;
  #done = '';
  #line = '';
  #isTooLong = false;

  /** @param redact applied to each line. Default: nothing is taken out. */
  constructor(redact?: Redact) {
    this.#redact = redact;
  }

  /** Takes what came; it may end in the middle of a line. */
  push(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#end(line);
    if (this.#line.length <= MAX_LINE_CHARS) return;
    this.#line = '';
    this.#isTooLong = true;
  }

  /** At most the last 4000 characters. Where there are secrets, a line shows once it is complete: half of one would not be recognised. */
  get text(): string {
    return (this.#done + (this.#isTooLong || this.#redact ? '' : this.#line)).slice(-TAIL_CHARS);
  }

  #end(line: string): void {
    const said = this.#isTooLong || line.length > MAX_LINE_CHARS ? '(a line that is too long)' : (this.#redact?.(line) ?? line);
    this.#isTooLong = false;
    this.#done = `${this.#done}${said}\n`.slice(-TAIL_CHARS);
  }
}
