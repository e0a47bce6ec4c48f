/**
 * Fills the parts of the manual pages that the code has tables for: in `docs/man/*.md` what stands between
 * `<!-- begin NAME -->` and `<!-- end -->` is written anew. So are the lists of actions, options and keys in `etc/completions/`. With `--check` nothing
 * is written, and files that are not up to date are named; the exit status is then 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { completionFiller } from './completion-tables.mjs';
import { manDir, pageNames } from './man.mjs';

const root = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');

/** What of the sources is needed here. Nothing of it needs a package or does anything when it is loaded. */
const TABLES = `
  export { KEYS, MONITOR_KEYS, firstKey, keyPattern } from './src/config/keys.ts';
  export { JSON_MEMBERS } from './src/config/json/json-machine.ts';
  export { ACTIONS } from './src/cli/init/actions.ts';
  export { COMMANDS } from './src/cli/netif/commands.ts';
  export { positionals, recordTable, valueWord } from './src/cli/help/option-table.ts';
  export { addCommonOptions } from './src/cli/run/options.ts';
  export { exitCodeOf } from './src/cli/run/exit-code.ts';
  export { QemuError } from './src/base/errors.ts';
`;

const tables = await loadTables();

/** Options that are there to be switched off. */
const SWITCHED_OFF = {
  kill: 'Only ask the guest. One that still runs after its time is left alone; the exit status is then 1',
};

/** Details that several keys share are told at the first of them. */
const told = new Set();

/** The parts by name; some take a word, such as `action start`. */
const PARTS = {
  keys: () => keyGroups(tables.KEYS),
  'monitor-keys': () => keyList(tables.MONITOR_KEYS),
  'json-members': jsonMembers,
  'common-options': () => optionList(tables.recordTable(tables.addCommonOptions).options),
  action,
  'error-codes': errorCodes,
};

/** Where the completions of each shell have the keys. */
const KEY_LISTS = {
  'qemu-init.bash': /(?<=^_qemu_init_keys=')[^']*/m,
  '_qemu-init': /(?<=^keys=\()[^)]*/m,
  'qemu-init.fish': /(?<=^set --local keys ).*/m,
  // It has no keys.
  'qemu-netif.fish': /(?!)/,
};

const pages = pageNames().map((name) => ({ name: `docs/man/${name}`, path: join(manDir, name), fill }));
const fillCompletions = completionFiller(tables);
const completions = Object.entries(KEY_LISTS).map(([name, list]) => ({
  name: `etc/completions/${name}`,
  path: join(root, 'etc/completions', name),
  fill: (text) => fillCompletions(text.replace(list, keyWords())),
}));
const stale = [...pages, ...completions].filter(isStale);
for (const { name } of stale) {
  console.log(`${name}: ${isCheck ? 'not up to date, run node scripts/man-tables.mjs' : 'written'}`);
}
const missing = missingActions();
for (const name of missing) console.log(`docs/man/qemu-init.8.md: no part "action ${name}"`);
if (missing.length > 0 || (isCheck && stale.length > 0)) process.exitCode = 1;

function isStale({ path, fill: fillIn }) {
  const text = readFileSync(path, 'utf8');
  const filled = fillIn(text);
  if (filled === text) return false;
  if (!isCheck) writeFileSync(path, filled);
  return true;
}

/** What can stand in front of a value on the command line of `create`; of a family its first member. */
function keyWords() {
  return tables.KEYS.map((spec) => `${tables.firstKey(spec)}=`).join(' ');
}

function fill(text) {
  return text.replaceAll(
    /(<!-- begin (\S+) ?(\S*) -->\n).*?(<!-- end -->)/gs,
    (_, begin, name, word, end) => `${begin}\n${PARTS[name](word)}\n\n${end}`,
  );
}

/** Actions that the page says nothing about. */
function missingActions() {
  const text = readFileSync(join(manDir, 'qemu-init.8.md'), 'utf8');
  const names = tables.ACTIONS.map(({ command }) => command.split(' ')[0]);
  return names.filter((name) => !text.includes(`<!-- begin action ${name} -->`));
}

async function loadTables() {
  // An action's own code, and the packages it needs, are loaded by import() and stay out.
  const dynamic = {
    name: 'dynamic',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^/ }, ({ kind, path }) =>
        kind === 'dynamic-import' ? { path, external: true } : undefined,
      ),
  };
  const { outputFiles } = await build({
    stdin: { contents: TABLES, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    plugins: [dynamic],
  });
  const [{ contents }] = outputFiles;
  return import(`data:text/javascript;base64,${Buffer.from(contents).toString('base64')}`);
}

function keyGroups(specs) {
  const groups = new Map();
  for (const spec of specs) groups.set(spec.group, [...(groups.get(spec.group) ?? []), spec]);
  return [...groups].map(([group, members]) => `### ${group}\n\n${keyList(members)}`).join('\n\n');
}

function keyList(specs) {
  return specs.map(keyItem).join('\n\n');
}

function isNew(text) {
  const before = told.size;
  return told.add(text).size > before;
}

function keyItem(spec) {
  const paragraphs = [
    `${sentence(spec.doc)}${limits(spec)}`,
    ...(spec.details ?? []).filter(isNew),
    ...(spec.options?.length > 0 ? ['Options, each after a comma:', spec.options.map(optionItem).join('\n')] : []),
  ];
  const value = spec.default === '' ? spec.example : spec.default;
  const heading = `\`${tables.keyPattern(spec)}\` (${spec.default === '' ? `for instance \`${value}\`` : `default \`${value}\``})`;
  return item(heading, paragraphs);
}

function optionItem(option) {
  const value = option.default === '' ? '' : ` Default \`${option.default}\`.`;
  const repeated = option.repeated ? ' May be given more than once.' : '';
  return item(`\`${option.name}=\``, [`${sentence(option.doc)}${limits(option)}${value}${repeated}`]);
}

/** The words or numbers that are allowed, when the explanation does not name them all, and where. */
function limits({ doc, type, values = [], min, max, family, inDefaults }) {
  const isSaid = values.every((value) => doc.includes(value));
  const words = type === 'switch' || isSaid ? '' : ` One of ${values.map((value) => `\`${value}\``).join(', ')}.`;
  const numbers = type === 'integer' && max !== undefined ? ` ${min ?? 0} to ${max}.` : '';
  const most = family ? ` *x* counts from 1, without a gap, to ${max} at most.` : '';
  return `${words}${numbers}${most}${inDefaults === false ? ' Not in `defaults-qemu.cfg`.' : ''}`;
}

function jsonMembers() {
  return tables.JSON_MEMBERS.map(({ path, key, doc }) =>
    item(`\`${path}\`${key && ` (\`${key}\`)`}`, [sentence(doc)]),
  ).join('\n');
}

/** What is said of an action: how it is called, what it does, its options; the same of its verbs. */
function action(name) {
  const found = tables.ACTIONS.find(({ command }) => command.split(' ')[0] === name);
  if (!found) throw new Error(`There is no action "${name}"`);
  const verbs = (found.verbs ?? []).map((verb) => actionText(`${name} `, verb));
  return [actionText('', found), ...verbs].join('\n\n');
}

function actionText(noun, { command, describe, options: define, commands = {} }) {
  const options = define ? tables.recordTable(define).options : [];
  const names = tables.positionals(command).map(({ name, isList, isNeeded }) => {
    const word = isList ? `*${name}* ...` : `*${name}*`;
    return isNeeded ? ` ${word}` : ` [${word}]`;
  });
  const call = `\`qemu-init ${noun}${command.split(' ')[0]}\`${names.join('')}${options.length > 0 ? ' [*options*]' : ''}`;
  const list = Object.entries(commands).map(([name, { words, describe: what }]) =>
    item(`\`${words === '' ? name : `${name} ${words}`}\``, [sentence(what)]),
  );
  const text = [call, sentence(describe), ...(list.length > 0 ? [list.join('\n')] : [])].join('\n\n');
  return options.length === 0 ? text : `${text}\n\n${optionList(options)}`;
}

function optionList(options) {
  return options.map(optionEntry).join('\n');
}

function optionEntry(option) {
  const { name, alias, requiresArg, describe, default: value } = option;
  const off = value === true ? SWITCHED_OFF[name] : undefined;
  const short = alias === undefined ? '' : `\`-${alias}\`, `;
  const word = requiresArg ? ` *${tables.valueWord(option)}*` : '';
  const shown = value === undefined || typeof value === 'boolean' ? '' : ` Default \`${value}\`.`;
  const term = off === undefined ? `${short}\`--${name}\`${word}` : `\`--no-${name}\``;
  return item(term, [`${sentence(off ?? describe)}${shown}`]);
}

/** The codes of errors with their exit status, and what the source says of each. */
function errorCodes() {
  const source = readFileSync(join(root, 'src/base/errors.ts'), 'utf8');
  const codes = [...source.matchAll(/\/\*\* (.+) \*\/\n {2}\| '(QEMU_\w+)'/g)];
  const lines = codes.map(([, doc, code]) => {
    const status = tables.exitCodeOf(new tables.QemuError(code, ''));
    return `| \`${code}\` | ${status} | ${doc.replaceAll(/\{@link (\w+)\}/g, '$1').replaceAll('|', '\\|')} |`;
  });
  return ['| Code | Exit | Meaning |', '| --- | --- | --- |', ...lines].join('\n');
}

function item(term, paragraphs) {
  const [first, ...others] = paragraphs.filter((paragraph) => paragraph !== '');
  return [`- ${term}\\\n${indent(first)}`, ...others.map((paragraph) => `\n${indent(paragraph)}`)].join('\n');
}

function indent(text) {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** One full stop at the end, and nothing that Markdown takes for a mark. */
function sentence(text) {
  const escaped = text.replaceAll(/[<>*_[\]]/g, '\\$&');
  return /[.?!]$/.test(escaped) ? escaped : `${escaped}.`;
}
