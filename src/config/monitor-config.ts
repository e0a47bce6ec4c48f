import { hasErrors, type Problem } from '../base/problem.ts';
import { nearest, quote } from '../base/text.ts';
import type { KeySpec } from './keys/key-spec.ts';
import { MONITOR_VALUES, TLS_VALUES } from './keys/values.ts';
import { MONITOR_KEYS, type MonitorKeyName } from './keys.ts';
import { type IniEntry, parseIni } from './text/ini.ts';
import { type Hint, hintOf, type Report, sortIssues, suggest } from './text/issues.ts';
import { readChoice, readInteger } from './text/option-list.ts';

/** `monitor.conf`. */
export interface MonitorConfig {
  /** First monitor port. */
  readonly monitorPort: number;
  readonly monitor: 'tcp' | 'off';
  readonly tls: 'psk' | 'off';
  /** First VNC display. */
  readonly vncDisplay: number;
}

/** Reads `monitor.conf`. Pure; never throws. The configuration is there when no issue is an error. */
export function parseMonitorConfig(
  text: string,
  path: string,
): { readonly config?: MonitorConfig | undefined; readonly issues: readonly Problem[] } {
  const { entries, issues: problems } = parseIni(text, path);
  const issues: Problem[] = [...problems];
  for (const { key, line } of entries) {
    if (MONITOR_KEYS.some(({ name }) => name === key)) continue;
    const names = MONITOR_KEYS.map(({ name }) => name);
    const hint = hintOf(() => suggest(nearest(key, names)), issues);
    issues.push({ file: path, line, key, message: `Unknown key ${quote(key)}`, severity: 'error', hint });
  }
  const read = <T>(name: MonitorKeyName, parse: (text: string, spec: KeySpec, report: Report) => T): T | undefined => {
    return readKey(name, entries, parse, (line, message, hint) => {
      issues.push({ file: path, line, key: name, message, severity: 'error', hint: hintOf(hint, issues) });
    });
  };
  const config: MonitorConfig = {
    monitorPort: read('MONPORT', (text, spec, report) => readInteger('MONPORT', text, spec, report)) ?? 0,
    monitor: read('MONITOR', (text, _, report) => readChoice('MONITOR', text, MONITOR_VALUES, report)) ?? 'tcp',
    tls: read('TLS', (text, _, report) => readChoice('TLS', text, TLS_VALUES, report)) ?? 'psk',
    vncDisplay: read('VNCDISPLAY', (text, spec, report) => readInteger('VNCDISPLAY', text, spec, report)) ?? 0,
  };
  const sorted = sortIssues(issues, [path]);
  return { config: hasErrors(sorted) ? undefined : config, issues: sorted };
}

/** Reads what is set, or the default of the table when nothing is. */
function readKey<T>(
  name: MonitorKeyName,
  entries: readonly IniEntry[],
  parse: (text: string, spec: KeySpec, report: Report) => T,
  push: (line: number | undefined, message: string, hint: Hint) => void,
): T | undefined {
  const spec = MONITOR_KEYS.find((known) => known.name === name);
  if (!spec) return undefined;
  const entry = entries.find(({ key, value }) => key === name && value !== '');
  return parse(entry?.value ?? spec.default, spec, (message, remark) => push(entry?.line, message, remark?.hint));
}
