import assert from 'node:assert/strict';

/** A series with its value. */
export interface ParsedSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads the text format of Prometheus by its specification
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), and fails where it is broken: HELP and TYPE once and
 * before the series of a family, all series of a family together and none twice, names and labels of the allowed
 * characters, counters with `_total`, units of the base.
 */
export function parsePrometheus(text: string): ParsedSeries[] {
  assert.ok(text.endsWith('\n'), 'the last line has no end');
  const found: ParsedSeries[] = [];
  const finished = new Set<string>();
  const seen = new Set<string>();
  let family = '';
  let type = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    const kind = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge)$/.exec(line);
    if (help) {
      finished.add(family);
      family = help[1] ?? '';
      type = '';
      assert.ok(!finished.has(family), `${family} comes twice`);
      continue;
    }
    if (kind) {
      assert.equal(kind[1], family, line);
      type = kind[2] ?? '';
      assert.equal(family.endsWith('_total'), type === 'counter', `${family} is a ${type}`);
      assert.doesNotMatch(family, /_(?:milliseconds|ms|kb|mb|percent)(?:_|$)/, family);
      continue;
    }
    const series = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    assert.ok(series, line);
    assert.equal(series[1], family, line);
    assert.notEqual(type, '', line);
    const labels = labelsIn(series[2] ?? '');
    const key = `${family} ${JSON.stringify(Object.entries(labels).sort())}`;
    assert.ok(!seen.has(key), `${line} comes twice`);
    seen.add(key);
    const value = Number(series[3]);
    assert.ok(!Number.isNaN(value), line);
    found.push({ name: family, labels, value });
  }
  return found;
}

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/.exec(rest);
    assert.ok(match, `bad labels: ${rest}`);
    labels[match[1] ?? ''] = (match[2] ?? '').replaceAll(/\\([\\"n])/g, (_, each) =>
      each === 'n' ? '\n' : String(each),
    );
    rest = rest.slice(match[0].length);
  }
  return labels;
}
