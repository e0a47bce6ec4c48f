/**
 * Renders the documentation of the library from its type declarations: `node scripts/api-docs.mjs [--check]`. One page a
 * layer, every export with its comment and its declaration. Run after a build; `--check` compares instead of writing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const lib = join(root, 'dist/lib');
const out = join(root, 'docs/api');

const undocumented = [];
const pages = renderPages();
for (const name of undocumented) console.error(`${name} has no comment`);
if (undocumented.length > 0) process.exitCode = 1;
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
  const byLayer = new Map();
  for (const entry of ['index.d.ts', 'testing/index.d.ts']) {
    for (const symbol of exportsOf(join(lib, entry))) {
      const layer = relative(lib, symbol.file)
        .split('/')[0]
        .replace(/\.d\.ts$/, '');
      const known = byLayer.get(layer) ?? new Map();
      byLayer.set(layer, known.set(symbol.name, symbol));
    }
  }
  const made = new Map(
    [...byLayer].map(([layer, symbols]) => [`${layer}.md`, renderPage(layer, [...symbols.values()])]),
  );
  return made.set('README.md', renderIndex(byLayer));
}

/** Every declaration that a module exports, those that it passes on included. */
function exportsOf(file) {
  const text = readFileSync(file, 'utf8');
  const found = declarationsIn(file, text);
  for (const [, names, from] of text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from '([^']+)';/gm)) {
    if (!from.startsWith('.')) continue;
    const target = resolve(dirname(file), from.replace(/\.[jt]s$/, '.d.ts'));
    const wanted = names === '*' ? undefined : new Set(names.slice(1, -1).split(',').map(nameOf).filter(Boolean));
    for (const symbol of exportsOf(target)) if (wanted === undefined || wanted.has(symbol.name)) found.push(symbol);
  }
  return found;
}

function nameOf(item) {
  return item
    .trim()
    .replace(/^type /, '')
    .split(' as ')[0];
}

function declarationsIn(file, text) {
  const pattern =
    /^(?:\/\*\*(?<doc>(?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:declare )?(?<code>(?:abstract )?(?<kind>class|interface|type|function|const) (?<name>\w+))/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const { doc = '', code, kind, name } = match.groups;
    const rest = text.slice(match.index + match[0].length);
    const end = endOf(rest, kind === 'class' || kind === 'interface' ? '}' : ';');
    return { name, kind, doc: cleanDoc(doc), code: code + rest.slice(0, end), file };
  });
}

/** Where a declaration ends: behind the first `closing` that is in no bracket and ends its line. */
function endOf(text, closing) {
  let depth = 0;
  for (const [at, char] of [...text].entries()) {
    if ('{(['.includes(char)) depth++;
    if ('})]'.includes(char)) depth--;
    if (char === closing && depth === 0 && (text[at + 1] ?? '\n') === '\n') return at + 1;
  }
  return text.length;
}

function cleanDoc(text) {
  return text
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, ''))
    .join('\n')
    .trim();
}

function renderPage(layer, symbols) {
  const sorted = symbols.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, kind, doc, code } of sorted) {
    if (doc === '') undocumented.push(name);
    if (kind === 'class') undocumented.push(...bareMethods(code).map((method) => `${name}.${method}`));
  }
  const parts = sorted.map(({ name, kind, doc, code }) => {
    const [text, ...tags] = doc.split(/\n(?=@)/);
    return [`## ${name}`, `*${kind}*`, links(text), ...tags.map(renderTag), `\`\`\`ts\n${code}\n\`\`\``]
      .filter((part) => part !== '')
      .join('\n\n');
  });
  return `# ${layer}\n\n${parts.join('\n\n')}\n`;
}

/** Names of the public methods and accessors of a class that have no comment; overloads share one. */
function bareMethods(code) {
  const methods = [...code.matchAll(/^ {4}(?!private|protected|#)((?:\w+ )*)(\w+)(?:<.*>)?\(/gm)];
  const documented = new Set(
    [...code.matchAll(/\*\/\n {4}(?:\w+ )*(\w+)(?:<.*>)?\(/g)].map(([, name]) => name).concat('constructor'),
  );
  return methods.map(([, , name]) => name).filter((name) => !documented.has(name));
}

function renderTag(tag) {
  const [, name, rest] = /^@(\w+)\s*([\s\S]*)$/.exec(tag) ?? [undefined, '', tag];
  if (name === 'example') return `Example:\n\n\`\`\`ts\n${rest.trim()}\n\`\`\``;
  return `**${name}** ${links(rest.replaceAll('\n', ' '))}`;
}

function links(text) {
  return text.replace(/\{@link ([^}]+)\}/g, '`$1`');
}

function renderIndex(byLayer) {
  const rows = [...byLayer]
    .sort(byFirst)
    .map(([layer, symbols]) => `- [${layer}](${layer}.md): ${[...symbols.keys()].sort(byText).join(', ')}`);
  return `# The library\n\nEverything that \`qemu-init\` exports, and \`qemu-init/testing\` (page testing), by layer.\n\n${rows.join('\n')}\n`;
}

function byFirst([a], [b]) {
  return byText(a, b);
}

function byText(a, b) {
  return a < b ? -1 : 1;
}

function readIfExists(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
