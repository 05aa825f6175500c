/** The last minute of a viewing, drawn. Loaded when somebody opens the statistics. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { words } from '../strings/index.js';
import type { Observations } from './observations.js';
import { columnsOf, nowText, PLOTS, SAMPLES_S, type Plot, type Sample } from './samples.js';

const HEIGHT_PX = 56;
const COLOURS = ['#2f9e8a', '#4f8fd0', '#c98a2b'];

/** A plot for each figure; those of which nothing is known are left out. */
export function Sparklines({ seen }: { readonly seen: Observations }) {
  const samples = seen.samples.value;
  return (
    <div class="sparklines">
      {PLOTS.map((plot) => {
        const now = nowText(plot, samples);
        return now === undefined ? null : <Sparkline key={plot.name} plot={plot} samples={samples} now={now} />;
      })}
    </div>
  );
}

interface SparklineProps {
  readonly plot: Plot;
  readonly samples: readonly Sample[];
  readonly now: string;
}

function Sparkline({ plot, samples, now }: SparklineProps) {
  const { plots, stages, lastMinute } = words.value.watch.statistics;
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const chart = new uPlot(optionsOf(plot, element.clientWidth), [[]], element);
    drawn.current = chart;
    const resizes = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    resizes.observe(element);
    return () => {
      resizes.disconnect();
      chart.destroy();
    };
  }, [plot]);
  useEffect(() => {
    const endS = samples.at(-1)?.atS ?? 0;
    drawn.current?.setData(columnsOf(plot, samples), false);
    drawn.current?.setScale('x', { min: endS - SAMPLES_S, max: endS });
  }, [plot, samples]);
  return (
    <figure class="sparkline">
      <figcaption>
        {plots[plot.name]} <strong>{now}</strong>
      </figcaption>
      <div ref={place} role="img" aria-label={lastMinute(plots[plot.name], now)} />
      {plot.curves.length > 1 && (
        <p class="stages">
          {plot.curves.map((curve, index) => (
            <span key={curve}>
              <span class="dot" aria-hidden="true" style={{ background: COLOURS[index] }} /> {stages[curve]}
            </span>
          ))}
        </p>
      )}
    </figure>
  );
}

function optionsOf({ curves }: Plot, width: number): uPlot.Options {
  return {
    width,
    height: HEIGHT_PX,
    padding: [4, 0, 2, 0],
    legend: { show: false },
    cursor: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: false, auto: false }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    series: [{}, ...curves.map((_, index) => ({ stroke: COLOURS[index] ?? '', width: 1.5, points: { show: false } }))],
  };
}
