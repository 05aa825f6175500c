/** Pictures with events, and a sender for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import type { FrameDetections } from '../../src/media/index.js';
import { WebhookSender, type WebhookSenderInit } from '../../src/webhooks/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

export const SECRET = 'correct horse';

/** A picture in which one object crosses a line. */
export function picture(frame: number, sourceId = 'street'): FrameDetections {
  return {
    sourceId,
    frame,
    mediaTimeMs: frame * 40,
    widthPx: 640,
    heightPx: 360,
    inferenceMs: 5,
    objects: [],
    scene: {
      zones: [],
      lines: [],
      events: [
        { type: 'cross', id: 'road', direction: 'in', objectId: frame, label: 'car', classId: 2, score: 0.91234, position: [320.004, 200] },
      ],
    },
  };
}

export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-webhooks-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A sender on a fake clock, with the waits of real ones and no jitter; without a timeout, because the clock runs while real sockets answer. */
export async function open(
  t: TestContext,
  init: Partial<WebhookSenderInit> & { readonly urls: readonly string[] },
): Promise<{ sender: WebhookSender; clock: FakeClock; queueDir: string }> {
  const clock = (init.clock as FakeClock | undefined) ?? new FakeClock();
  const queueDir = init.queueDir ?? makeFolder(t);
  const sender = await WebhookSender.open({
    secret: SECRET,
    logger: silentLogger,
    ...init,
    retry: { random: () => 1, timeoutMs: 1e9, ...init.retry },
    clock,
    queueDir,
  });
  t.after(() => sender.close());
  return { sender, clock, queueDir };
}
