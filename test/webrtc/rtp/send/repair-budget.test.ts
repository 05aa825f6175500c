import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RepairBudget } from '../../../../src/webrtc/rtp/send/repair-budget.js';

/** Packets of 1000 bytes that it gives in one second. */
function taken(budget: RepairBudget, nowMs: number, networkBps?: number): number {
  let count = 0;
  while (count < 1000 && budget.take(1000, nowMs, networkBps)) count++;
  return count;
}

test('repairs take half of what a stream sends, and 128 KiB a second in any case', () => {
  const budget = new RepairBudget();
  assert.equal(taken(budget, 0), 131);
  budget.count(800_000, 1_000);
  assert.equal(taken(budget, 1_500), 400);
});

test('where the network carries less, half of that', () => {
  const budget = new RepairBudget();
  assert.equal(taken(budget, 0, 400_000), 25);
  assert.equal(taken(budget, 1_000, 40_000_000), 131);
});
