/** What a scrape says, as tests read it. */

/** One line of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All samples of a text, in order. */
export function readSamples(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (!match) throw new Error(`not a sample: ${line}`);
      const labels = [...(match[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map((label) => [label[1]!, label[2]!] as const);
      return { name: match[1]!, labels: Object.fromEntries(labels), value: match[3] === '+Inf' ? Infinity : Number(match[3]) };
    });
}

/** The sum of the samples of that name that have these labels. */
export function total(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Counters of `after` that are lower than in `before`, or gone. */
export function fallen(before: readonly Sample[], after: readonly Sample[]): string[] {
  return before
    .filter(({ name }) => /_(total|count|sum|bucket)$/.test(name))
    .filter(({ name, labels, value }) => {
      const now = after.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels));
      return now === undefined || now.value < value;
    })
    .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
}
