/** The metrics of a server over stand-ins for what they are read from. */
import { ProcessCounts } from '../../src/ffmpeg/index.js';
import { ServerMetrics, type MetricSources } from '../../src/observability/index.js';
import { SourceCounts } from '../../src/pipeline/index.js';
import type { SourceKind } from '../../src/source/index.js';
import { idleState } from './app.js';

export interface MetricsRig {
  readonly metrics: ServerMetrics;
  readonly counts: SourceCounts;
}

/** @param state what is not idle @param kindOf of sources. Default: there are none @param sessions what is measured. Default: those of `state` */
export function metricsRig(
  state: Partial<MetricSources['state']> = {},
  kindOf: (id: string) => SourceKind | undefined = () => undefined,
  sessions: MetricSources['sessions'] = state.sessions ?? (() => []),
): MetricsRig {
  const metrics = new ServerMetrics(kindOf);
  const counts = new SourceCounts({ sourceLabel: metrics.labels.source, qualityLabel: metrics.labels.quality });
  metrics.readFrom({
    state: idleState(state),
    sessions,
    counts,
    models: () => [],
    processes: new ProcessCounts(),
    udp: { unrouted: 0, receiveDrops: () => Promise.resolve(0) },
  });
  return { metrics, counts };
}
