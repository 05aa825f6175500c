/** Why an attempt came to nothing, in words, and whether it may be otherwise next time. */

/** An attempt came to nothing. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  /** True: a person has to mend it, so that it is tried less often. */
  readonly needsPerson: boolean;
  /** As the other side asks for it, in ms. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { readonly needsPerson?: boolean; readonly retryAfterMs?: number; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.needsPerson = options.needsPerson ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}
