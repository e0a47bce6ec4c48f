/** One series of a family. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics of one name (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** One sentence without a line end. */
  readonly help: string;
  readonly series: readonly Series[];
}

/** Writes families in the text format of Prometheus; those without a series are left out. */
export function renderFamilies(families: readonly Family[]): string {
  return families
    .filter(({ series }) => series.length > 0)
    .map(({ name, type, help, series }) => {
      const lines = series.map(({ labels, value }) => `${name}${labelsText(labels)} ${numberText(value)}`);
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
    })
    .join('');
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const written = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return written.length === 0 ? '' : `{${written.join(',')}}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
