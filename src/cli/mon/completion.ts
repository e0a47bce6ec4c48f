/** What the QMP shell knows of one command. */
export interface CommandHelp {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly type: string; readonly optional: boolean }[];
}

/** The commands of a QEMU with their arguments, from its `query-qmp-schema`. */
export function readSchema(schema: unknown): ReadonlyMap<string, CommandHelp> {
  const entries = Array.isArray(schema) ? schema.filter(isObject) : [];
  const byName = new Map(entries.map((entry) => [String(entry['name']), entry]));
  const commands = new Map<string, CommandHelp>();
  for (const entry of entries) {
    if (entry['meta-type'] !== 'command') continue;
    const name = String(entry['name']);
    commands.set(name, { name, args: membersOf(byName, String(entry['arg-type'])) });
  }
  return commands;
}

/** Candidates for the last word of a line: command names first, then `argument=` of the command. */
export function complete(line: string, commands: ReadonlyMap<string, CommandHelp>): [string[], string] {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const [first = ''] = words;
  if (words.length <= 1) return [matching([...commands.keys(), 'help'], last), last];
  if (first === 'help') return [matching([...commands.keys()], last), last];
  const given = new Set(words.slice(1, -1).map((word) => word.split('=')[0]));
  const args = commands.get(first)?.args.filter(({ name }) => !given.has(name)) ?? [];
  return [
    matching(
      args.map(({ name }) => `${name}=`),
      last,
    ),
    last,
  ];
}

/** A line of help for a command. */
export function describeCommand({ name, args }: CommandHelp): string {
  const words = args.map((arg) => (arg.optional ? `[${arg.name}=${arg.type}]` : `${arg.name}=${arg.type}`));
  return [name, ...words].join(' ');
}

type Entry = Readonly<Record<string, unknown>>;

function membersOf(byName: ReadonlyMap<string, Entry>, typeName: string): CommandHelp['args'] {
  const members = byName.get(typeName)?.['members'];
  return (Array.isArray(members) ? members.filter(isObject) : []).map((member) => ({
    name: String(member['name']),
    type: typeText(byName, String(member['type'])),
    optional: 'default' in member,
  }));
}

function typeText(byName: ReadonlyMap<string, Entry>, typeName: string): string {
  const type = byName.get(typeName);
  switch (type?.['meta-type']) {
    case 'builtin':
      return typeName;
    case 'enum':
      return (Array.isArray(type['values']) ? type['values'] : []).join('|');
    case 'array':
      return '[…]';
    default:
      return '{…}';
  }
}

function matching(candidates: readonly string[], start: string): string[] {
  return candidates.filter((candidate) => candidate.startsWith(start)).sort();
}

function isObject(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
