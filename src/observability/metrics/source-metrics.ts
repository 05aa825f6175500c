/** Metrics of sources: their state, frames by rendition, decoders and encoders, detection and tracking. */
import type { Registry } from 'prom-client';
import type { TallySum } from '../../base/tally.js';
import type { MetricLabels } from './labels.js';
import { readCounter, readGauge, type Sample } from './metric.js';
import type { Readings } from './readings.js';

const STATES = ['live', 'waiting', 'empty'] as const;

/** Adds what is read of sources. Call once. */
export function addSourceMetrics(registry: Registry, { source, quality }: MetricLabels, readings: Readings): void {
  const { now, state } = readings;
  readGauge(registry, {
    name: 'sources',
    help: 'Known sources by kind',
    labelNames: ['kind'],
    read: () => state.sources().map(({ kind }) => [{ kind }, 1]),
  });
  readGauge(registry, {
    name: 'source_state',
    help: 'Of each running source, 1 for the state that it is in; waiting: its camera or publisher is away',
    labelNames: ['source', 'state'],
    read: () =>
      now().activity.flatMap((each) =>
        STATES.map((name) => [{ source: source(each.sourceId), state: name }, each.state === name ? 1 : 0] as const),
      ),
  });
  readGauge(registry, {
    name: 'source_troubles',
    help: 'What keeps a running source from running as it should: the reasons of GET /health',
    labelNames: ['source'],
    read: () => now().activity.map(({ sourceId, troubles }) => [{ source: source(sourceId) }, troubles.length]),
  });
  readGauge(registry, {
    name: 'renditions_running',
    help: 'Running renditions; origin layer: the source brings this quality itself',
    labelNames: ['source', 'rendition', 'quality', 'origin'],
    read: () =>
      now().activity.flatMap(({ sourceId, renditions }) =>
        renditions.map(
          ({ rendition, rung, origin }) =>
            [{ source: source(sourceId), rendition, quality: rung === undefined ? '' : quality(rung), origin }, 1] as const,
        ),
      ),
  });
  addRenditionCounts(registry, readings);
  addProcessCounts(registry, readings);
  addDetectionCounts(registry, source, readings);
}

function addRenditionCounts(registry: Registry, { counts }: Readings): void {
  const labelNames = ['source', 'rendition', 'quality'] as const;
  readCounter(registry, {
    name: 'rendition_frames_total',
    help: 'Frames of each rendition; each once, whatever the number of viewers',
    labelNames,
    read: () => samples(counts.tracks.sums(), 'frames'),
  });
  readCounter(registry, {
    name: 'rendition_keyframes_total',
    help: 'Keyframes among them',
    labelNames,
    read: () => samples(counts.tracks.sums(), 'keyframes'),
  });
  readCounter(registry, {
    name: 'rendition_bytes_total',
    help: 'Payload bytes of each rendition',
    labelNames,
    read: () => samples(counts.tracks.sums(), 'bytes'),
  });
  readCounter(registry, {
    name: 'encoder_dropped_frames_total',
    help: 'Frames that were not encoded because the encoder was behind',
    labelNames,
    read: () => samples(counts.encoders.sums(), 'dropped'),
  });
}

function addProcessCounts(registry: Registry, { counts, processes }: Readings): void {
  readCounter(registry, {
    name: 'decoded_frames_total',
    help: 'Frames of each source that were decoded',
    labelNames: ['source'],
    read: () => samples(counts.decoders.sums(), 'decoded'),
  });
  readCounter(registry, {
    name: 'decoder_dropped_frames_total',
    help: 'Frames that were not decoded because the decoder was behind',
    labelNames: ['source'],
    read: () => samples(counts.decoders.sums(), 'dropped'),
  });
  readCounter(registry, {
    name: 'ffmpeg_restarts_total',
    help: 'How often an ffmpeg ended by itself and was started again, by source and kind',
    labelNames: ['source', 'kind'],
    read: () => [
      ...counts.feeds.sums().map(({ labels, counts: { restarts } }) => [{ ...labels, kind: 'feed' }, restarts] as const),
      ...counts.decoders.sums().map(({ labels, counts: { restarts } }) => [{ ...labels, kind: 'decoder' }, restarts] as const),
      ...counts.encoders.sums().map(({ labels, counts: { restarts } }) => [{ source: labels.source, kind: 'encoder' }, restarts] as const),
    ],
  });
  readGauge(registry, {
    name: 'ffmpeg_processes',
    help: 'Running ffmpeg processes by kind',
    labelNames: ['kind'],
    read: () => Object.entries(processes.all).map(([kind, { running }]) => [{ kind }, running]),
  });
  readCounter(registry, {
    name: 'ffmpeg_started_total',
    help: 'ffmpeg processes that were started, by kind',
    labelNames: ['kind'],
    read: () => Object.entries(processes.all).map(([kind, { started }]) => [{ kind }, started]),
  });
  readCounter(registry, {
    name: 'ffmpeg_failures_total',
    help: 'ffmpeg processes that ended with an error or could not be started, by kind',
    labelNames: ['kind'],
    read: () => Object.entries(processes.all).map(([kind, { failed }]) => [{ kind }, failed]),
  });
}

function addDetectionCounts(registry: Registry, source: MetricLabels['source'], { counts, now }: Readings): void {
  readCounter(registry, {
    name: 'detection_frames_total',
    help: 'Frames by what the detector did: detected, skipped (it was busy, or DETECT_FPS), slept (nothing moved), failed',
    labelNames: ['source', 'result'],
    read: () =>
      counts.detections
        .sums()
        .flatMap(({ labels, counts: found }) =>
          (['detected', 'skipped', 'slept', 'failed'] as const).map((result) => [{ ...labels, result }, found[result]] as const),
        ),
  });
  readCounter(registry, {
    name: 'tracker_seconds_total',
    help: 'Time that the tracker took',
    labelNames: ['source'],
    read: () => counts.detections.sums().map(({ labels, counts: { trackerMs } }) => [labels, trackerMs / 1000]),
  });
  readGauge(registry, {
    name: 'tracked_objects',
    help: 'Objects that are followed now',
    labelNames: ['source'],
    read: () =>
      now().activity.flatMap(({ sourceId, detection }) => (detection ? [[{ source: source(sourceId) }, detection.objects] as const] : [])),
  });
}

function samples<Label extends string, Name extends string>(sums: readonly TallySum<Label, Name>[], name: Name): Sample<Label>[] {
  return sums.map(({ labels, counts }) => [labels, counts[name]]);
}
