/**
 * A reporter of node:test inside a test file's process. It tells the runner what ran, one JSON line an event, and ends the
 * process where its tests are over and something keeps it alive: whatever was left open would hang the whole run.
 */
import { writeSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';

/** A test or suite that begins, and how it ended. */
export type Line =
  | { readonly kind: 'begun'; readonly title: string; readonly nesting: number }
  | {
      readonly kind: 'ended';
      readonly title: string;
      readonly nesting: number;
      readonly how: 'passed' | 'failed' | 'skipped' | 'suite';
      readonly reason?: string;
    };

/** Longer than what ends by itself takes, such as a timer of a peer that was closed. */
const LINGER_MS = 60_000;

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let running = 0;
  let lingering: NodeJS.Timeout | undefined;
  for await (const event of events) {
    if (event.type === 'test:dequeue') {
      const { name: title, nesting } = event.data;
      if (nesting === 0) running++;
      clearTimeout(lingering);
      yield toJson({ kind: 'begun', title, nesting });
    } else if (event.type === 'test:complete') {
      const { name: title, nesting, skip } = event.data;
      if (nesting === 0 && --running === 0) lingering = setTimeout(endProcess, LINGER_MS).unref();
      yield toJson({ kind: 'ended', title, nesting, how: howItEnded(event.data), ...(typeof skip === 'string' && { reason: skip }) });
    }
  }
}

function howItEnded({ details, skip }: Extract<TestEvent, { type: 'test:complete' }>['data']): 'passed' | 'failed' | 'skipped' | 'suite' {
  if (skip !== undefined && skip !== false) return 'skipped';
  if (details.passed) return details.type === 'suite' ? 'suite' : 'passed';
  // What failed in it is told by itself.
  return (details.error as { failureType?: string } | undefined)?.failureType === 'subtestsFailed' ? 'suite' : 'failed';
}

function toJson(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

/** Comes only where something else keeps the process alive: the timer itself does not. */
function endProcess(): void {
  const held = process.getActiveResourcesInfo().join(', ');
  writeSync(
    2,
    `\nThe tests of this file ended ${LINGER_MS / 1000} s ago, but its process goes on: something was not closed. Open: ${held || 'unknown'}.\n`,
  );
  process.exit(1);
}
