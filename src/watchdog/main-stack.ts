/** Where the main thread is, asked from another thread: the inspector interrupts JavaScript, whatever it is doing. */
import { Session } from 'node:inspector';
import type { Clock } from '../base/clock.js';

/** `held` by a debugger at a breakpoint; `native`: in code that cannot be interrupted, so there is no stack. */
export type MainStack = { readonly where: 'javascript'; readonly stack: string } | { readonly where: 'native' | 'held' };

/** The deepest frame is what counts, but who called it tells which request it was. */
const FRAMES = 30;
const EXPRESSION = `(() => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = ${FRAMES + 2};
  try { return new Error().stack; } finally { Error.stackTraceLimit = stackTraceLimit; }
})()`;

/** The main thread as its inspector shows it. */
export class MainThread {
  readonly #clock: Clock;
  #session: Session | undefined;
  #isHeld = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Where it is; waits for `deadlineMs` at most. */
  where(deadlineMs: number): Promise<MainStack> {
    const session = (this.#session ??= this.#connect());
    return new Promise((resolve) => {
      this.#isHeld = false;
      const finish = (found: MainStack): void => {
        timer.cancel();
        resolve(found);
      };
      const timer = this.#clock.after(deadlineMs, () => finish({ where: 'native' }));
      session.post('Debugger.enable', () => {
        if (this.#isHeld) return finish({ where: 'held' });
        session.post('Runtime.evaluate', { expression: EXPRESSION }, (error, answer) => {
          const stack: unknown = error ? undefined : answer.result.value;
          finish(typeof stack === 'string' ? { where: 'javascript', stack: framesOf(stack) } : { where: 'native' });
        });
      });
    });
  }

  /**
   * Ends the connection, which makes the main thread slower and keeps the process from its end. Only for a main thread that is
   * known to go on: this waits for it.
   */
  release(): void {
    this.#session?.disconnect();
    this.#session = undefined;
  }

  #connect(): Session {
    const session = new Session();
    session.connectToMainThread();
    // Comes before the answer to `Debugger.enable` where another debugger has stopped it already.
    session.on('Debugger.paused', () => (this.#isHeld = true));
    return session;
  }
}

/** Without the question itself. */
function framesOf(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !/at (.*\()?<anonymous>:\d+:\d+\)?$/.test(line));
  return frames
    .slice(0, FRAMES)
    .map((line) => line.trim().slice(0, 300))
    .join('\n');
}
