import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CongestionController, type ReceptionSummary } from '../../../../src/webrtc/congestion/index.js';
import { NetworkReports, type ReportedStream } from '../../../../src/webrtc/rtp/send/network-reports.js';
import type { ReceptionReport, RtcpMessage } from '../../../../src/webrtc/rtp/rtcp.js';
import type { Congestion } from '../../../../src/webrtc/transport/packet-transport.js';

class Told implements Congestion {
  readonly controller = new CongestionController();
  readonly arrivals: number[] = [];
  readonly estimates: number[] = [];
  readonly reports: ReceptionSummary[] = [];
  onUpdated = (): (() => void) => () => undefined;
  receiveArrivals: Congestion['receiveArrivals'] = ({ firstNumber }) => this.arrivals.push(firstNumber);
  receiveEstimate: Congestion['receiveEstimate'] = (bps) => this.estimates.push(bps);
  receiveReport: Congestion['receiveReport'] = (summary) => this.reports.push(summary);
}

const streams: ReportedStream[] = [
  { ssrc: 1, isSound: false, roundTripMs: undefined, jitterMs: 4 },
  { ssrc: 2, isSound: false, roundTripMs: 50, jitterMs: 9 },
  { ssrc: 3, isSound: true, roundTripMs: 60, jitterMs: 30 },
];
const estimate = (bitrateBps: number, ...ssrcs: number[]): RtcpMessage => ({ type: 'receiver-estimate', estimate: { bitrateBps, ssrcs } });
const report = (ssrc: number, fractionLost: number): ReceptionReport => ({
  ssrc,
  fractionLost,
  packetsLost: 0,
  extendedHighestSequence: 0,
  jitterTicks: 0,
  lastSenderReport: 0,
  delaySinceLastSenderReport: 0,
});

test('estimates for single streams are added up, one for all of them stands alone, and an old one counts no longer', () => {
  const told = new Told();
  const reports = new NetworkReports(told, () => streams);
  reports.receive([estimate(300_000, 1)], 0);
  reports.receive([estimate(500_000, 2)], 100);
  reports.receive([estimate(200_000, 1)], 200);
  reports.receive([estimate(900_000, 1, 2)], 300);
  reports.receive([estimate(400_000, 99)], 400);
  reports.receive([estimate(100_000, 1)], 500);
  reports.receive([estimate(50_000, 2)], 9000);
  assert.deepEqual(told.estimates, [300_000, 800_000, 700_000, 900_000, 400_000, 100_000, 50_000]);
});

test('of many estimates in one packet the last is told', () => {
  const told = new Told();
  new NetworkReports(told, () => streams).receive([estimate(300_000, 1), estimate(500_000, 1), estimate(400_000, 1)], 0);
  assert.deepEqual(told.estimates, [400_000]);
});

test('reports of one packet are one summary, of the worst video; sound counts where there is no video', () => {
  const told = new Told();
  const blocks = { type: 'report', reports: [report(1, 0.25), report(2, 0.1), report(3, 0.9), report(77, 1)] } as const;
  new NetworkReports(told, () => streams).receive([blocks, { type: 'keyframe-request', ssrc: 1 }], 0);
  new NetworkReports(told, () => streams.slice(2)).receive([blocks], 0);
  new NetworkReports(told, () => []).receive([blocks], 0);
  assert.deepEqual(told.reports, [
    { fractionLost: 0.25, roundTripMs: 50, jitterMs: 9 },
    { fractionLost: 0.9, roundTripMs: 60, jitterMs: 30 },
  ]);
});

test('feedback about the transport is handed on as it is', () => {
  const told = new Told();
  new NetworkReports(told, () => []).receive([{ type: 'arrivals', arrivals: { firstNumber: 7, referenceMs: 0, offsetsMs: [1] } }], 0);
  assert.deepEqual([told.arrivals, told.estimates, told.reports], [[7], [], []]);
});
