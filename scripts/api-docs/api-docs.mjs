/**
 * Writes the pages of docs/api from the type declarations of the library: `node scripts/api-docs/api-docs.mjs [--check]`. A
 * page for each class, with the types that it takes and returns; other types and functions by their subject. Run after a
 * build; `--check` compares instead of writing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { exportsOf, withParent } from './declarations.mjs';
import { renderClass, renderTypes } from './page.mjs';

const root = join(import.meta.dirname, '../..');
const lib = join(root, 'dist/lib');
const out = join(root, 'docs/api');

/** Classes in the order in which one needs them; a type is on the page of the first that uses it. */
const FIRST = [
  'Fleet',
  'Machine',
  'TransientMachine',
  'RunningMachine',
  'Domain',
  'BlockDevice',
  'BlockJob',
  'Job',
  'AgentClient',
  'QmpClient',
];

const symbols = new Map(
  ['index.d.ts', 'testing/index.d.ts'].flatMap((entry) =>
    exportsOf(join(lib, entry)).map((symbol) => [symbol.name, symbol]),
  ),
);
for (const [name, symbol] of symbols) symbols.set(name, withParent(symbol, symbols));
const undocumented = [...symbols.values()].flatMap(withoutComment);
for (const name of undocumented) console.error(`No comment: ${name}`);
if (undocumented.length > 0) process.exitCode = 1;

const pages = renderPages();
if (process.argv.includes('--check')) {
  const stale = [...pages].filter(([name, text]) => readIfExists(join(out, name)) !== text).map(([name]) => name);
  const extra = existsSync(out) ? readdirSync(out).filter((name) => !pages.has(name)) : [];
  for (const name of [...stale, ...extra])
    console.error(`docs/api/${name} is not what the sources say: npm run api-docs`);
  if (stale.length + extra.length > 0) process.exitCode = 1;
} else {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const [name, text] of pages) writeFileSync(join(out, name), text);
}

/** File name → text of every page. */
function renderPages() {
  const classes = [...symbols.values()].filter(({ kind }) => kind === 'class');
  const errors = classes.filter(({ name }) => isError(name));
  const ordered = classes.filter((each) => !errors.includes(each)).sort(byUse);
  const home = new Map(ordered.map(({ name }) => [name, `${kebab(name)}.md`]));
  for (const { name } of errors) home.set(name, 'errors.md');
  for (const each of ordered)
    for (const name of reachable(each)) if (!home.has(name)) home.set(name, home.get(each.name));
  for (const { name, file } of symbols.values()) if (!home.has(name)) home.set(name, subjectOf(file));

  const links = makeLinks(home, new Set(ordered.map(({ name }) => name)));
  const made = new Map();
  for (const each of ordered) {
    const types = [...symbols.values()].filter((type) => home.get(type.name) === home.get(each.name) && type !== each);
    made.set(home.get(each.name), `${renderClass(each, types.sort(byName), links)}\n`);
  }
  for (const page of new Set(home.values())) {
    if (made.has(page)) continue;
    const types = [...symbols.values()].filter(({ name }) => home.get(name) === page).sort(byName);
    made.set(page, `${[`# ${title(page)}`, ...renderTypes(types, links, '')].filter(Boolean).join('\n\n')}\n`);
  }
  return made.set('README.md', renderIndex(ordered, made, home));
}

function isError(name) {
  return /(Error|Refusal)$/.test(name);
}

function byUse(a, b) {
  const place = ({ name, file }) => {
    const at = FIRST.indexOf(name);
    return `${file.includes('/testing/') ? 1 : 0}${at < 0 ? 99 : 10 + at}${name}`;
  };
  return place(a) < place(b) ? -1 : 1;
}

function byName(a, b) {
  return a.name < b.name ? -1 : 1;
}

/** Names of the interfaces, types and functions that a class leads to; configuration and errors have pages of their own. */
function reachable(from, seen = new Set()) {
  for (const name of from.code.match(/\b[A-Z]\w+\b/g) ?? []) {
    const symbol = symbols.get(name);
    if (symbol === undefined || seen.has(name) || symbol.kind === 'class' || hasSubject(symbol.file)) continue;
    seen.add(name);
    reachable(symbol, seen);
  }
  return seen;
}

function hasSubject(file) {
  return /\/(config|base)\//.test(file) || file.endsWith('system/paths.d.ts');
}

function subjectOf(file) {
  const [layer] = relative(lib, file).split('/');
  if (layer === 'base') return 'errors.md';
  return { config: 'configuration.md', system: 'paths.md', qmp: 'qmp.md' }[layer] ?? 'types.md';
}

function title(page) {
  return (
    {
      'errors.md': 'Errors',
      'configuration.md': 'Configuration',
      'paths.md': 'Paths',
      'qmp.md': 'QMP: functions and types',
    }[page] ?? 'Other types'
  );
}

function makeLinks(home, classes) {
  const page = (name) => {
    const plain = name.replace(/<.*/, '');
    const file = home.get(plain);
    return file === undefined ? undefined : classes.has(plain) ? file : `${file}#${plain.toLowerCase()}`;
  };
  const code = (name) => `\`${name}\``;
  const link = (target) =>
    page(target.split('.')[0]) ? `[${code(target)}](${page(target.split('.')[0])})` : code(target);
  return { page, code, link };
}

function withoutComment({ name, kind, doc, tags, members }) {
  const own = doc === '' ? [name] : [];
  if (kind !== 'class') return own;
  if (!tags.some((tag) => tag.name === 'example') && !isError(name)) own.push(`${name}: an example`);
  const documented = new Set(members.filter((each) => each.doc !== '').map((each) => each.name));
  const bare = members.filter(
    (each) => each.kind === 'method' && !each.name.startsWith('[') && !documented.has(each.name),
  );
  return [...own, ...bare.map((each) => `${name}.${each.name}`)];
}

function renderIndex(classes, made, home) {
  const rows = classes.map(({ name, doc }) => `| [${name}](${home.get(name)}) | ${firstSentence(doc)} |`);
  const others = [...made.keys()]
    .filter((page) => !classes.some(({ name }) => home.get(name) === page))
    .sort((a, b) => (a < b ? -1 : 1));
  return `# The library, class by class

Everything that \`qemu-init\` exports, and \`qemu-init/testing\`. [library.md](../library.md) is the way in.

| Class | What it is for |
| --- | --- |
${rows.join('\n')}

${others.map((page) => `- [${title(page)}](${page})`).join('\n')}
`;
}

function firstSentence(doc) {
  return (/^[\s\S]*?[.:](?=\s|$)/.exec(doc)?.[0] ?? doc)
    .replaceAll('\n', ' ')
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
    .replace(/:$/, '.');
}

function kebab(name) {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}

function readIfExists(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
