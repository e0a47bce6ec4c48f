/**
 * Makes the manual pages: `docs/man/NAME.SECTION.md` becomes `dist/man/NAME.SECTION`, by marked-man with a few forms of
 * our own. `node scripts/man.mjs [DIR]` writes them to another folder.
 *
 * A list item whose first line ends in a backslash is a term with its explanation. The date is that of the newest release
 * in the changelog, so that the same source makes the same page.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import markedMan from 'marked-man';

const root = join(import.meta.dirname, '..');

/** Folder of the sources. */
export const manDir = join(root, 'docs/man');

/** File names of the sources, such as `qemu-init.8.md`. */
export function pageNames() {
  return readdirSync(manDir).filter((name) => /\.[1-8]\.md$/.test(name));
}

/** Writes all pages to a folder. */
export async function buildPages(outDir) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const date = releaseDate(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
  mkdirSync(outDir, { recursive: true });
  for (const name of pageNames()) {
    const page = renderPage(readFileSync(join(manDir, name), 'utf8'), { version, date });
    writeFileSync(join(outDir, name.replace(/\.md$/, '')), page);
  }
}

/** Day of the newest release; before the first one there is none. */
export function releaseDate(changelog) {
  return /^## \[\d[^\]]*\] - (\d{4}-\d\d-\d\d)$/m.exec(changelog)?.[1] ?? 'Unreleased';
}

/** Turns one page into roff, man(7). */
export function renderPage(markdown, { version, date }) {
  const roff = converter().parse(markdown.replace(/<!--.*?-->\n?/gs, '').replaceAll('…', '...'), {
    manVersion: `qemu-init ${version}`,
  });
  const page = roff
    // Where marked-man has but month and year, in a form that mandoc cannot read.
    .replace(/^(\.TH "[^"]*" "[^"]*") "[^"]*"/, `$1 "${date}"`)
    .replaceAll(BEGIN_LIST, '')
    .replaceAll(END_LIST, '')
    .replace(/^(\.S[HS] .*)\n\.(?:P|sp)$/gm, '$1')
    .replace(/\n{2,}/g, '\n');
  // The first line tells man(1) that there are tables.
  return /^\.TS$/m.test(page) ? `'\\" t\n${page}` : page;
}

/** Marks of a list, which only its place tells how to write. */
const BEGIN_LIST = '\u0001';
const END_LIST = '\u0002';
const END_CELL = '\u0003';

let instance;

function converter() {
  if (instance) return instance;
  // The very release of marked that marked-man is made for; another may be installed beside it.
  const { Marked } = createRequire(fileURLToPath(import.meta.resolve('marked-man')))('marked');
  instance = new Marked({ ...markedMan, breaks: false, manual: null });
  instance.use({ renderer: { code, codespan, list, listitem, table, tablerow, tablecell } });
  return instance;
}

function code(text) {
  this.jumps = true;
  // Empty lines are taken out in the end; these are to stay.
  const lines = escapeLines(text).replaceAll(/^$/gm, '\\&');
  return `.sp\n.RS 4\n.nf\n${lines}\n.fi\n.RE\n`;
}

function codespan(text) {
  this.jumps = false;
  return `\\fB${escapeLines(unescapeHtml(text))}\\fR`;
}

function list(body, ordered) {
  let number = 0;
  const items = ordered ? body.replaceAll(/^\.IP \\\(bu 2$/gm, () => `.IP ${++number}. 3`) : body;
  return `${BEGIN_LIST}${items}${END_LIST}`;
}

function listitem(text) {
  const body = text
    .trim()
    .replace(/^\.P\s+/, '')
    .replaceAll(/^\.P$/gm, '.IP')
    .replaceAll(BEGIN_LIST, '\n.RS\n')
    .replaceAll(END_LIST, '.RE\n')
    // Counted from the margin of the list, not from that of its text.
    .replaceAll('\n.RS 4\n', '\n.RS 11\n');
  const [, term, explanation] = /^(.+)\n\.br\n(.*)$/s.exec(body) ?? [];
  const isTerm = term !== undefined && !term.includes('\n');
  return isTerm ? `.TP\n${term}\n${explanation.trimStart()}\n` : `.IP \\(bu 2\n${body}\n`;
}

function table(header, body) {
  const columns = header.split(END_CELL).length - 1;
  const layout = (font) => Array.from({ length: columns }, () => `l${font}`).join(' ');
  // The last column gets the room that is left.
  return `.TS\n${layout('B')}\n${layout('')}x.\n${header}${body}.TE\n`
    .replaceAll(`${END_CELL}\n`, '\n')
    .replaceAll(END_CELL, '\t');
}

function tablerow(content) {
  return `${content}\n`;
}

function tablecell(content) {
  return `T{\n${content.trim()}\nT}${END_CELL}`;
}

function escapeLines(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}

function unescapeHtml(text) {
  const characters = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name) => characters[name]);
}

if (process.argv[1] === import.meta.filename) await buildPages(process.argv[2] ?? join(root, 'dist/man'));
