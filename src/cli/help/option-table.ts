import type { Argv } from 'yargs';

/** An option as defined for yargs; only the members used in texts. */
export interface OptionSpec {
  readonly name: string;
  readonly describe: string;
  readonly alias?: string;
  readonly group?: string;
  /** Whether it takes a value. */
  readonly requiresArg?: boolean;
  /** What the texts call the value, if not as for other options of that name. */
  readonly value?: string;
  readonly default?: string | boolean | readonly string[];
}

/** A positional argument. */
export interface Positional {
  /** As in texts: `ID`, `FILE`. */
  readonly name: string;
  readonly isList: boolean;
  readonly isNeeded: boolean;
}

/** What texts call positional arguments, if not by their name. */
const POSITIONAL_WORDS: Readonly<Record<string, string>> = {
  ids: 'ID',
  names: 'NAME',
  keys: 'KEY',
  devices: 'KEY=VALUE',
  settings: 'KEY=VALUE',
  rest: 'EVENT',
  words: 'WORD',
};

/** Names of the values of options; all others are seconds. */
const VALUE_WORDS: Readonly<Record<string, string>> = {
  root: 'DIR',
  textfile: 'DIR',
  listen: 'ADDRESS',
  format: 'FORMAT',
  pid: 'PID',
  storage: 'NAME=PATH',
  parallel: 'N',
  head: 'N',
  hold: 'MS',
  downtime: 'MS',
  layout: 'NAME',
  lines: 'N',
  for: 'WHAT',
  name: 'NAME',
  output: 'FILE',
  as: 'NAME',
  prefix: 'DIR',
  destdir: 'DIR',
  binary: 'QEMU',
  os: 'SYSTEM',
  disk: 'SIZE',
  ram: 'SIZE',
  cpus: 'N',
  image: 'IMAGE',
  from: 'ID',
  iso: 'FILE',
  kernel: 'FILE',
  initrd: 'FILE',
  append: 'TEXT',
  bridge: 'BRIDGE',
  net: 'NET',
  'ssh-port': 'PORT',
  firmware: 'FIRMWARE',
  'ssh-key': 'FILE',
  login: 'USER',
  hostname: 'NAME',
  'user-data': 'FILE',
  'meta-data': 'FILE',
  'network-config': 'FILE',
  quiesce: 'WHEN',
  rate: 'SIZE',
  keep: 'N',
  repair: 'WHAT',
  description: 'TEXT',
  'trust-header': 'HEADER',
  'control-user': 'USER',
  command: 'COMMAND',
  qmp: 'COMMAND',
  uplink: 'IFNAME',
  address: 'ADDRESS',
  mtu: 'BYTES',
};

export function valueWord({ name, value }: Pick<OptionSpec, 'name' | 'value'>): string {
  return value ?? VALUE_WORDS[name] ?? 'S';
}

/** Options and descriptions of positional arguments that a table for yargs defines. Does not need yargs. */
export function recordTable(define: (parser: Argv<object>) => unknown): {
  readonly options: readonly OptionSpec[];
  readonly positionals: Readonly<Record<string, string>>;
} {
  const options: OptionSpec[] = [];
  const positionals: Record<string, string> = {};
  const note = (method: string, name: string, spec: Omit<OptionSpec, 'name'>): void => {
    if (method === 'option') options.push({ ...spec, name });
    if (method === 'positional') positionals[name] = spec.describe;
  };
  const parser: Argv<object> = new Proxy(Object.create(null), {
    get: (_, method) => (name: string, spec: Omit<OptionSpec, 'name'>) => {
      note(String(method), name, spec);
      return parser;
    },
  });
  define(parser);
  return { options, positionals };
}

/** The positional arguments of a command in the syntax of yargs: `start [ids..]`. */
export function positionals(command: string): readonly (Positional & { readonly key: string })[] {
  return command
    .split(' ')
    .slice(1)
    .map((word) => {
      const key = word.replaceAll(/[<>[\].]/g, '');
      const name = POSITIONAL_WORDS[key] ?? key.toUpperCase();
      return { key, name, isList: word.includes('..'), isNeeded: word.startsWith('<') };
    });
}
