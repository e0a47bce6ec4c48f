/** What the QMP shell knows of one command. */
export interface CommandHelp {
  readonly name: string;
  /** Arguments that do not depend on the values of others. */
  readonly args: readonly ArgumentHelp[];
  /**
   * The members of an argument, or with an empty path all arguments, given the values so far:
   * `blockdev-add driver=file` has a `filename`.
   */
  readonly membersAt: (path: readonly string[], given: Given) => readonly ArgumentHelp[];
}

interface ArgumentHelp {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  /** All possible values; empty if unknown. */
  readonly values: readonly string[];
  /** Whether it has members, which are given as `name.member=`. */
  readonly hasMembers: boolean;
}

/** The commands of a QEMU with their arguments, from its `query-qmp-schema`. */
export function readSchema(schema: unknown): ReadonlyMap<string, CommandHelp> {
  const entries = objects(schema);
  const types: Types = new Map(entries.map((entry) => [textOf(entry['name']), entry]));
  const commands = new Map<string, CommandHelp>();
  for (const entry of entries) {
    if (entry['meta-type'] !== 'command') continue;
    const name = textOf(entry['name']);
    const root = types.get(textOf(entry['arg-type']));
    commands.set(name, {
      name,
      args: objects(root?.['members']).map((member) => argumentHelp(types, member)),
      membersAt: (path, given) => membersAt(types, root, path, given).map((member) => argumentHelp(types, member)),
    });
  }
  return commands;
}

/**
 * Candidates for the last word of a line, and that word: commands, then `argument=` of the command, then its values.
 */
export function complete(line: string, commands: ReadonlyMap<string, CommandHelp>): [string[], string] {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const [first = ''] = words;
  if (words.length <= 1) return [matching([...commands.keys(), 'help', 'exit'], last), last];
  if (first === 'help') return [matching([...commands.keys()], last), last];
  const given = new Map(words.slice(1, -1).map((word) => splitAt(word, '=')));
  const path = splitAt(last, '=')[0].split('.').slice(0, -1);
  const candidates = (commands.get(first)?.membersAt(path, given) ?? []).flatMap(({ name, values, hasMembers }) => {
    const key = [...path, name].join('.');
    if (given.has(key)) return [];
    if (last.startsWith(`${key}=`)) return values.map((value) => `${key}=${value}`);
    return hasMembers ? [`${key}=`, `${key}.`] : [`${key}=`];
  });
  return [matching(candidates, last), last];
}

/** A line of help for a command. */
export function describeCommand({ name, args }: CommandHelp): string {
  const words = args.map((arg) => (arg.optional ? `[${arg.name}=${arg.type}]` : `${arg.name}=${arg.type}`));
  return [name, ...words].join(' ');
}

type Entry = Readonly<Record<string, unknown>>;
type Types = ReadonlyMap<string, Entry>;

function argumentHelp(types: Types, member: Entry): ArgumentHelp {
  const type = textOf(member['type']);
  const values = valuesOf(types, type);
  return {
    name: textOf(member['name']),
    type: values.length > 0 ? values.join('|') : typeText(types, type),
    optional: 'default' in member,
    values,
    hasMembers: objects(objectIn(types, types.get(type))?.['members']).length > 0,
  };
}

/** The members at a path: the common ones, and those for the value of its tag. */
function membersAt(
  types: Types,
  root: Entry | undefined,
  path: readonly string[],
  given: Given,
  at = '',
  above: readonly Entry[] = [],
): Entry[] {
  const object = objectIn(types, root);
  // QEMU itself has no such schema, but a guest that has taken it over may send one.
  if (object && above.includes(object)) return [];
  const tag = object?.['tag'];
  const value = typeof tag === 'string' ? given.get(`${at}${tag}`) : undefined;
  const variant = objects(object?.['variants']).find((each) => each['case'] === value);
  const more =
    variant && value !== undefined
      ? membersAt(types, types.get(textOf(variant['type'])), [], given, at, [...above, ...(object ? [object] : [])])
      : [];
  const members = [...objects(object?.['members']), ...more];
  const [next, ...rest] = path;
  if (next === undefined) return members;
  const member = members.find(({ name }) => name === next);
  return member ? membersAt(types, types.get(textOf(member['type'])), rest, given, `${at}${next}.`) : [];
}

type Given = ReadonlyMap<string, string>;

/** Of an alternate, such as the name of a node or a description of one, that which has members. */
function objectIn(types: Types, type: Entry | undefined): Entry | undefined {
  if (type?.['meta-type'] !== 'alternate') return type?.['meta-type'] === 'object' ? type : undefined;
  const choices = objects(type['members']).map((each) => types.get(textOf(each['type'])));
  return choices.find((each) => each?.['meta-type'] === 'object');
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Of an enum and of a truth value. QEMU 7.0 and later list the values of an enum with their features as `members`. */
function valuesOf(types: Types, typeName: string): string[] {
  const type = types.get(typeName);
  if (type?.['meta-type'] === 'builtin') return type['json-type'] === 'boolean' ? ['true', 'false'] : [];
  if (type?.['meta-type'] !== 'enum') return [];
  const { members, values } = type;
  return members === undefined && Array.isArray(values)
    ? values.map(textOf)
    : objects(members).map((member) => textOf(member['name']));
}

function typeText(types: Types, typeName: string): string {
  switch (types.get(typeName)?.['meta-type']) {
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

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
