/** What the QMP shell knows of one command. */
export interface CommandHelp {
  readonly name: string;
  readonly args: readonly ArgumentHelp[];
}

interface ArgumentHelp {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  /** All that it may be; empty when that cannot be told. */
  readonly values: readonly string[];
}

/** The commands of a QEMU with their arguments, from its `query-qmp-schema`. */
export function readSchema(schema: unknown): ReadonlyMap<string, CommandHelp> {
  const entries = objects(schema);
  const byName = new Map(entries.map((entry) => [String(entry['name']), entry]));
  const commands = new Map<string, CommandHelp>();
  for (const entry of entries) {
    if (entry['meta-type'] !== 'command') continue;
    const name = String(entry['name']);
    commands.set(name, { name, args: membersOf(byName, String(entry['arg-type'])) });
  }
  return commands;
}

/** Candidates for the last word of a line, and that word: commands, then `argument=` of the command, then its values. */
export function complete(line: string, commands: ReadonlyMap<string, CommandHelp>): [string[], string] {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const [first = ''] = words;
  if (words.length <= 1) return [matching([...commands.keys(), 'help', 'exit'], last), last];
  if (first === 'help') return [matching([...commands.keys()], last), last];
  const given = new Set(words.slice(1, -1).map((word) => word.split('=')[0]));
  const args = commands.get(first)?.args.filter(({ name }) => !given.has(name)) ?? [];
  const candidates = args.flatMap(({ name, values }) =>
    last.startsWith(`${name}=`) ? values.map((value) => `${name}=${value}`) : [`${name}=`],
  );
  return [matching(candidates, last), last];
}

/** A line of help for a command. */
export function describeCommand({ name, args }: CommandHelp): string {
  const words = args.map((arg) => (arg.optional ? `[${arg.name}=${arg.type}]` : `${arg.name}=${arg.type}`));
  return [name, ...words].join(' ');
}

type Entry = Readonly<Record<string, unknown>>;

function membersOf(byName: ReadonlyMap<string, Entry>, typeName: string): CommandHelp['args'] {
  return objects(byName.get(typeName)?.['members']).map((member) => {
    const type = String(member['type']);
    const values = valuesOf(byName, type);
    return {
      name: String(member['name']),
      type: values.length > 0 ? values.join('|') : typeText(byName, type),
      optional: 'default' in member,
      values,
    };
  });
}

/** Of an enum and of a truth value. QEMU 7.0 and later list the values of an enum with their features as `members`. */
function valuesOf(byName: ReadonlyMap<string, Entry>, typeName: string): string[] {
  const type = byName.get(typeName);
  if (type?.['meta-type'] === 'builtin') return type['json-type'] === 'boolean' ? ['true', 'false'] : [];
  if (type?.['meta-type'] !== 'enum') return [];
  const { members, values } = type;
  return members === undefined && Array.isArray(values)
    ? values.map(String)
    : objects(members).map((member) => String(member['name']));
}

function typeText(byName: ReadonlyMap<string, Entry>, typeName: string): string {
  switch (byName.get(typeName)?.['meta-type']) {
    case 'builtin':
      return typeName;
    case 'array':
      return '[…]';
    default:
      return '{…}';
  }
}

function objects(value: unknown): Entry[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function matching(candidates: readonly string[], start: string): string[] {
  return candidates.filter((candidate) => candidate.startsWith(start)).sort();
}

function isObject(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
