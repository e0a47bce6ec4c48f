import { isRecord } from '../../base/guards.ts';
/** What QEMU is asked, and its answer, in the form in which it is stored. */
export interface ProbeAnswer {
  readonly version: readonly [number, number, number];
  /** Name or alias, and full name. */
  readonly machines: readonly (readonly [string, string])[];
  readonly defaultMachine?: string | undefined;
  /** Full name of each machine, and the most processors that it takes. */
  readonly maxCpus: readonly (readonly [string, number])[];
  readonly devices: readonly string[];
  readonly objects: readonly string[];
  readonly cpus: readonly string[];
  /** Network cards, and the bus that each needs. */
  readonly nics: readonly (readonly [string, string])[];
  readonly commands: readonly string[];
  readonly accelerators: readonly string[];
  /** Capabilities of a migration, such as `mapped-ram`. */
  readonly migration: readonly string[];
}

/** Each command's name here is the `id` of its answer. */
const QUERIES = {
  negotiate: { execute: 'qmp_capabilities' },
  version: { execute: 'query-version' },
  machines: { execute: 'query-machines' },
  devices: { execute: 'qom-list-types', arguments: { implements: 'device', abstract: false } },
  objects: { execute: 'qom-list-types', arguments: { implements: 'user-creatable', abstract: false } },
  accelerators: { execute: 'qom-list-types', arguments: { implements: 'accel', abstract: false } },
  // Fails for some targets, whose models are known by their types only.
  cpus: { execute: 'query-cpu-definitions' },
  cpuTypes: { execute: 'qom-list-types', arguments: { implements: 'cpu', abstract: false } },
  // QMP does not have the categories of devices.
  deviceHelp: { execute: 'human-monitor-command', arguments: { 'command-line': 'info qdm' } },
  commands: { execute: 'query-commands' },
  migration: { execute: 'query-migrate-capabilities' },
  quit: { execute: 'quit' },
} as const;

/**
 * All commands at once, one per line, for the standard input of `-qmp stdio`. No session is kept, so no QMP client is
 * needed: all is written before QEMU has begun and read after it has ended.
 */
export function probeInput(): string {
  return Object.entries(QUERIES)
    .map(([id, query]) => `${JSON.stringify({ ...query, id })}\n`)
    .join('');
}

/** Undefined when an answer is missing or has another form than QEMU's. */
export function parseProbeOutput(output: string): ProbeAnswer | undefined {
  const answers = new Map<unknown, unknown>();
  for (const line of output.split('\n')) {
    const message = parseObject(line);
    if (message !== undefined && 'return' in message) answers.set(message['id'], message['return']);
  }
  const machines = records(answers.get('machines'));
  const answer = {
    version: parseVersion(answers.get('version')),
    machines: machines.flatMap(machineNames),
    defaultMachine: machines.find((machine) => machine['is-default'] === true)?.['name'],
    maxCpus: machines.map((machine) => [machine['name'], machine['cpu-max']]),
    devices: names(answers.get('devices')),
    objects: names(answers.get('objects')),
    cpus: cpuModels(answers),
    nics: networkCards(answers.get('deviceHelp')),
    commands: names(answers.get('commands')),
    migration: records(answers.get('migration')).map(({ capability }) => capability),
    accelerators: names(answers.get('accelerators')).flatMap((name) => /^(.+)-accel$/.exec(name)?.[1] ?? []),
  };
  return isProbeAnswer(answer) ? answer : undefined;
}

/** Whether a value, for instance from a file, has the form of an answer. */
export function isProbeAnswer(value: unknown): value is ProbeAnswer {
  return (
    isRecord(value) &&
    Array.isArray(value['version']) &&
    value['version'].length === 3 &&
    value['version'].every((part) => typeof part === 'number') &&
    Array.isArray(value['machines']) &&
    value['machines'].every((pair) => isTexts(pair) && pair.length === 2) &&
    ['string', 'undefined'].includes(typeof value['defaultMachine']) &&
    isTexts(value['accelerators']) &&
    isTexts(value['cpus']) &&
    isPairs(value['maxCpus'], 'number') &&
    isPairs(value['nics'], 'string') &&
    // No QEMU is without any of these.
    [value['devices'], value['objects'], value['commands'], value['migration']].every(
      (list) => isTexts(list) && list.length > 0,
    )
  );
}

function parseVersion(value: unknown): readonly unknown[] {
  const qemu = isRecord(value) ? value['qemu'] : undefined;
  return isRecord(qemu) ? [qemu['major'], qemu['minor'], qemu['micro']] : [];
}

function machineNames(machine: Record<string, unknown>): [unknown, unknown][] {
  const { name, alias } = machine;
  return alias === undefined
    ? [[name, name]]
    : [
        [name, name],
        [alias, name],
      ];
}

/** `rv64` of the type `rv64-riscv-cpu`, where QEMU lists no models. */
function cpuModels(answers: ReadonlyMap<unknown, unknown>): string[] {
  const defined = names(answers.get('cpus'));
  if (defined.length > 0) return defined;
  return names(answers.get('cpuTypes')).flatMap((type) => /^(.+)-[^-]+-cpu$/.exec(type)?.[1] ?? []);
}

/** The lines below "Network devices:" of `-device help`: `name "e1000", bus PCI, alias "e1000-82540em", desc "…"`. */
function networkCards(help: unknown): [string, string][] {
  const lines = typeof help === 'string' ? help.split(/\r?\n/) : [];
  const first = lines.indexOf('Network devices:') + 1;
  if (first === 0) return [];
  const end = lines.indexOf('', first);
  return lines.slice(first, end < 0 ? undefined : end).flatMap((line): [string, string][] => {
    const [, name, bus = ''] = /^name "([^"]+)"(?:, bus ([^,]+))?/.exec(line) ?? [];
    const alias = /, alias "([^"]+)"/.exec(line)?.[1];
    return name === undefined ? [] : [[name, bus], ...(alias === undefined ? [] : [[alias, bus] as [string, string]])];
  });
}

function names(value: unknown): string[] {
  return records(value).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPairs(value: unknown, second: 'number' | 'string'): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string' && typeof pair[1] === second,
    )
  );
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}
