// Reads what a gateway tells Prometheus.

export interface Exposed {
  /** By name, as HELP and TYPE say. */
  readonly types: ReadonlyMap<string, string>;
  /** Of a series: the value at these labels, in the order given; undefined when it is not shown. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** The values that a label has anywhere. */
  labels(label: string): ReadonlySet<string>;
}

const SERIES = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function parseMetrics(text: string): Exposed {
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  const labelled = new Map<string, Set<string>>();
  const keyOf = (name: string, labels: readonly (readonly [string, string])[]): string =>
    `${name} ${JSON.stringify([...labels].sort())}`;
  for (const line of text.split('\n').filter((one) => one !== '')) {
    if (line.startsWith('# TYPE ')) types.set(line.split(' ')[2] ?? '', line.split(' ')[3] ?? '');
    if (line.startsWith('#')) continue;
    const [, name = '', given = '', value] = SERIES.exec(line) ?? [];
    if (value === undefined) throw new Error(`not a series: ${line}`);
    const labels = [...given.matchAll(LABEL)].map(([, label = '', word = '']) => [label, word] as const);
    for (const [label, word] of labels) labelled.set(label, (labelled.get(label) ?? new Set()).add(word));
    values.set(keyOf(name, labels), Number(value));
  }
  return {
    types,
    value: (name, labels = {}) => values.get(keyOf(name, Object.entries(labels))),
    labels: (label) => labelled.get(label) ?? new Set(),
  };
}

export async function readMetrics(base: string): Promise<Exposed> {
  const response = await fetch(`${base}/metrics`);
  return parseMetrics(await response.text());
}
