/** What one check found. */
export interface Finding {
  /** `failed`: the server would not start, or nobody could watch. `warning`: something that was asked for is missing. */
  readonly state: 'ok' | 'warning' | 'failed';
  /** What was looked at, in a word. */
  readonly what: string;
  /** What is there, or what is wrong and what to do. */
  readonly text: string;
}
