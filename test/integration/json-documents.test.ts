import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf, type Verb } from '../../src/cli/help/command.ts';
import { positionals, recordTable } from '../../src/cli/help/option-table.ts';
import { ACTIONS } from '../../src/cli/init/actions.ts';
import { COMMANDS } from '../../src/cli/netif/commands.ts';
import { parseJson, type Tool } from '../support/cli.ts';
import { assertDocument, assertFailures, SCHEMAS, schemaOf } from '../support/documents.ts';
import { type Lab, lab } from '../support/lab.ts';

/** One call, and the schema of what it prints; none for an action whose only documents are failures. */
interface Call {
  readonly tool: Tool;
  readonly words: readonly string[];
  readonly schema: string | undefined;
}

/** What the tables call a positional argument, as something that can be typed. */
const WORDS: Readonly<Record<string, string>> = {
  dest: 'root:/nowhere',
  job: 'nothing',
  snapshot: 'nothing',
  disk: 'DSK1',
  size: '1G',
  format: 'qcow2',
  drive: 'CDR1',
  nic: 'NIC1',
  state: 'up',
  keys: 'DSK9',
  devices: 'DSK9=none.img',
  text: 'x',
  command: 'ping',
  shell: 'tcsh',
  url: 'file:///nowhere.img',
  new: 'other',
  tap: 'qi-none',
};

/** Where the tables alone would make a call that changes this host, or one that does not end. */
const MORE_WORDS: Readonly<Record<string, readonly string[]>> = {
  install: ['--dry-run'],
  uninstall: ['--dry-run'],
  top: ['--once'],
  web: ['--listen', 'nowhere'],
  wait: ['--timeout', '0'],
  'qmp-types': ['--binary', '/nowhere'],
};

/** What they leave is not the machine that the others are to find. */
const CHANGING: readonly string[] = ['clone', 'delete', 'edit', 'rename', 'unregister'];

/** It runs until interrupted, unless there is no such machine. */
const ENDLESS = 'events';

test('what an action prints with --json is as its schema says: of all machines of none, of an unknown one, of a stopped one', async (t) => {
  const host = lab(t);
  // Nothing starts it, whichever call comes first.
  host.add('web', 'PRECMD=/bin/false\n');
  const empty = lab(t);
  const calls = [
    ...ALL.flatMap(callsOfNone).map((call) => ({ ...call, host: empty })),
    ...ALL.flatMap(callsOfMachines).map((call) => ({ ...call, host })),
  ];
  assert.ok(calls.length > 150, `${calls.length} calls`);
  const faults: string[] = [];
  const callInTurn = async (left: typeof calls): Promise<void> => {
    for (let call = left.shift(); call; call = left.shift()) faults.push(...(await faultsOf(call.host, call)));
  };
  const isLast = ({ words: [action = ''] }: Call): boolean => CHANGING.includes(action);
  const first = calls.filter((call) => !isLast(call));
  await Promise.all([callInTurn(first), callInTurn(first)]);
  await callInTurn(calls.filter(isLast));
  assert.deepEqual(faults, []);
});

interface Subject {
  readonly tool: Tool;
  readonly path: readonly string[];
  readonly verb: Pick<Verb, 'command' | 'options'>;
}

const ALL: readonly Subject[] = [
  ...ACTIONS.map((action) => ({ tool: 'qemu-init' as const, command: action })),
  ...COMMANDS.map((command) => ({ tool: 'qemu-netif' as const, command })),
].flatMap(({ tool, command }): Subject[] => [
  ...(command.load === undefined ? [] : [{ tool, path: [nameOf(command)], verb: command }]),
  ...(command.verbs ?? []).map((verb) => ({ tool, path: [nameOf(command), nameOf(verb)], verb })),
]);

/** Without a word where none is needed, and with `--all`. */
function callsOfNone(subject: Subject): Call[] {
  if (subject.path[0] === ENDLESS || positionals(subject.verb.command).some(({ isNeeded }) => isNeeded)) return [];
  const { options } = recordTable(subject.verb.options ?? ((parser) => parser));
  const hasAll = options.some(({ name }) => name === 'all');
  return [complete(subject, []), ...(hasAll ? [complete(subject, ['--all'])] : [])];
}

/** An unknown machine and one that is stopped, together where the action takes several. */
function callsOfMachines(subject: Subject): Call[] {
  const keys = positionals(subject.verb.command).filter(({ key, isNeeded }) => isNeeded || key === 'ids');
  if (keys.length === 0) return [];
  if (keys[0]?.key === 'ids') return [complete(subject, subject.path[0] === ENDLESS ? ['nobody'] : ['nobody', 'web'])];
  const machines = keys.some(({ key }) => key === 'id') ? ['nobody', 'web'] : [''];
  return machines.map((machine) =>
    complete(
      subject,
      keys.map(({ key }) => (key === 'id' ? machine : (WORDS[key] ?? '/nowhere/x'))),
    ),
  );
}

function complete({ tool, path }: Subject, given: readonly string[]): Call {
  const words = [...given, ...(MORE_WORDS[path.join('-')] ?? [])];
  const [noun = ''] = path;
  const names = tool === 'qemu-netif' && noun === 'check' ? ['doctor'] : [path.join('-'), noun];
  const schema = names.map(schemaOf).find((each) => SCHEMAS.includes(each));
  return { tool, words: [...path, '--json', ...words], schema };
}

/** One of the caller's may wait for somebody to type. */
const NO_EDITOR = { EDITOR: '', VISUAL: '' };

async function faultsOf(host: Lab, { tool, words, schema }: Call): Promise<string[]> {
  const result = await host.run(tool, words, { env: NO_EDITOR });
  try {
    const document = parseJson(result);
    if (schema === undefined) assertFailures(document);
    else assertDocument(document, schema);
    return [];
  } catch (error) {
    return [`${tool} ${words.join(' ')}: ${result.code} ${error instanceof Error ? error.message : error}`];
  }
}
