/**
 * How much a peer is sent: what its way carries, and which quality of each stream that is. Pure: it is given times, results
 * and ladders, and knows neither sockets and packets nor tracks.
 */
export { AcknowledgedRate } from './acknowledged-rate.js';
export { CongestionController } from './congestion-controller.js';
export { costOf, type RungOption, type Selection, type StreamWish } from './levels.js';
export type { PacketResult, ReceptionSummary } from './packet-result.js';
export type { ProbeDemand } from './prober.js';
export { QueueDetector } from './queue-detector.js';
export { RungSelector, type SelectionDecision } from './rung-selector.js';
