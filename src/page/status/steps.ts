/** The steps of the connection test, what each found, and the whole of it as text for a support mail. Pure. */
import type { Words } from '../strings/index.js';

/** In the order in which they are made. */
export const STEPS = ['server', 'browser', 'udp', 'tcp', 'turn', 'picture', 'bandwidth'] as const;

/** A step. */
export type Step = (typeof STEPS)[number];

/** `skipped`: there is nothing to test. */
export type Outcome = 'waiting' | 'running' | 'ok' | 'warning' | 'failed' | 'skipped';

/** What a step has found. */
export interface StepResult {
  /** How it ended. */
  readonly outcome: Outcome;
  /** In words; empty before it has ended. */
  readonly text: string;
}

/** All steps. */
export type Results = Readonly<Record<Step, StepResult>>;

/** Nothing has been tested. */
export const UNTESTED: Results = Object.fromEntries(STEPS.map((step) => [step, { outcome: 'waiting', text: '' }])) as unknown as Results;

/** What is beside the steps in a report. */
export interface ReportFacts {
  /** Of the page. */
  readonly page: string;
  /** Of the browser. */
  readonly userAgent: string;
  /** When it was made. */
  readonly date: Date;
  /** Of the server; undefined: it did not say. */
  readonly version: string | undefined;
}

/** As text, for people who help: no addresses of candidates, no credentials. */
export function reportText(results: Results, { page, userAgent, date, version }: ReportFacts, words: Words['status']['test']): string {
  const line = (step: Step): string => {
    const { outcome, text } = results[step];
    return `[${words.outcomes[outcome]}] ${words.steps[step]}${text === '' ? '' : `: ${text}`}`;
  };
  const facts = [`Sightline ${version ?? '?'}`, page.replace(/[?#].*$/, ''), date.toISOString(), userAgent];
  return `${[words.report, ...facts, '', ...STEPS.map(line)].join('\n')}\n`;
}

/** What all steps together say; undefined while one of them has not ended. */
export function verdictOf(results: Results): 'ok' | 'warning' | 'failed' | undefined {
  const outcomes = STEPS.map((step) => results[step].outcome);
  if (outcomes.some((outcome) => outcome === 'waiting' || outcome === 'running')) return undefined;
  if ([results.server, results.browser, results.picture].some(({ outcome }) => outcome === 'failed')) return 'failed';
  return outcomes.some((outcome) => outcome === 'failed' || outcome === 'warning') ? 'warning' : 'ok';
}
