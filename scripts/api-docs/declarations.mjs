/** Reads the type declarations of the library: every export with its comment, kind, members and file. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Every declaration that a module exports, those that it passes on included. */
export function exportsOf(file) {
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

/** A class with what it has from a parent that is not exported itself. */
export function withParent(symbol, exported) {
  const { kind, parent, file, members, code } = symbol;
  if (kind !== 'class' || parent === undefined || exported.has(parent)) return symbol;
  const text = readFileSync(file, 'utf8');
  const [, original = parent, from] =
    new RegExp(`(?:(\\w+) as )?${parent}\\b[^;]*? from '(\\.[^']+)'`).exec(text) ?? [];
  if (from === undefined) return symbol;
  const declared = exportsOf(resolve(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')));
  const above = declared.find(({ name }) => name === original);
  if (above === undefined) return symbol;
  const own = new Map(members.map((member) => [member.name, member]));
  const inherited = above.members.map((member) => own.get(member.name) ?? member);
  const added = members.filter((member) => !inherited.includes(member));
  // What makes one comes before what is done with it.
  const makers = added.filter(({ isStatic }) => isStatic);
  const others = added.filter(({ isStatic }) => !isStatic);
  return {
    ...symbol,
    parent: above.parent,
    members: [...makers, ...inherited, ...others],
    code: `${above.code}\n${code}`,
  };
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
    const whole = code + rest.slice(0, end);
    const members = kind === 'class' || kind === 'interface' ? membersOf(whole) : [];
    return { name, kind, code: whole, file, members, parent: parentOf(whole), ...readDoc(doc) };
  });
}

function parentOf(code) {
  const head = code.slice(0, code.indexOf('{'));
  return /\bextends ([\w, <>']+?)(?: implements|\s*$)/.exec(head)?.[1]?.trim();
}

/** Where a declaration ends: after the first `closing` that is in no bracket and ends its line. */
function endOf(text, closing) {
  let depth = 0;
  for (const [at, char] of [...text].entries()) {
    if ('{(['.includes(char)) depth++;
    if ('})]'.includes(char)) depth--;
    if (char === closing && depth === 0 && (text[at + 1] ?? '\n') === '\n') return at + 1;
  }
  return text.length;
}

/** The public members between the braces of a declaration. */
function membersOf(code) {
  const members = [];
  let rest = code.slice(code.indexOf('{') + 1, code.lastIndexOf('}')).trimStart();
  while (rest !== '') {
    const comment = /^\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*/.exec(rest);
    if (comment) rest = rest.slice(comment[0].length);
    const end = endOf(rest, ';');
    const text = rest.slice(0, end).replace(/;$/, '').replace(/\s+/g, ' ');
    rest = rest.slice(end).trimStart();
    if (!/^(?:static )?(?:private|protected|#)/.test(text))
      members.push({ ...parseMember(text), ...readDoc(comment?.[1] ?? '') });
  }
  return members;
}

/** `readonly a?: B`, `get a(): B`, `static a<T>(b: C, d?: E): F`. */
function parseMember(text) {
  const isStatic = /^(?:abstract |override )*static /.test(text);
  const plain = text.replace(/^(?:static |abstract |override |readonly )+/g, '');
  const getter = /^get ([\w[\].]+)\(\): ([\s\S]+)$/.exec(plain);
  if (getter) return { kind: 'property', name: getter[1], type: getter[2], isStatic, isOptional: false };
  const head = /^(\[[\w.]+\]|\w+)(\?)?(<|\(|:)/.exec(plain);
  if (!head) return { kind: 'other', name: plain, type: '', isStatic, isOptional: false };
  const [, name, optional, mark] = head;
  if (mark === ':') {
    const type = plain.slice(head[0].length).trim();
    return { kind: 'property', name, type, isStatic, isOptional: optional !== undefined };
  }
  const open = mark === '(' ? head[0].length - 1 : afterGenerics(plain, head[0].length - 1);
  const close = closingOf(plain, open);
  const parameters = splitList(plain.slice(open + 1, close)).map(parseParameter);
  const returns = plain.slice(close + 1).replace(/^:\s*/, '');
  return { kind: name === 'constructor' ? 'constructor' : 'method', name, parameters, returns, isStatic };
}

function parseParameter(text) {
  const [before, ...after] = splitList(text, ':');
  const name = before.startsWith('{') ? 'options' : before.replace(/^\.\.\.|\?$/g, '');
  return { name, isOptional: before.endsWith('?'), isRest: before.startsWith('...'), type: after.join(': ') };
}

function afterGenerics(text, open) {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '<') depth++;
    if (text[at] === '>' && text[at - 1] !== '=') depth--;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function closingOf(text, open) {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if ('({['.includes(text[at])) depth++;
    if (')}]'.includes(text[at])) depth--;
    if (depth === 0) return at;
  }
  return text.length;
}

/** Splits at the commas that are in no bracket. */
export function splitList(text, separator = ',') {
  const parts = [''];
  let depth = 0;
  for (const [at, char] of [...text].entries()) {
    if ('({[<'.includes(char)) depth++;
    if (')}]'.includes(char) || (char === '>' && text[at - 1] !== '=')) depth--;
    if (char === separator && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** A comment in parts: its text, and its tags by name. */
function readDoc(comment) {
  const clean = comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, ''))
    .join('\n')
    .trim();
  const [text = '', ...tags] = `\n${clean}`.split(/\n(?=@\w)/);
  return { doc: text.trim(), tags: tags.map((tag) => /^@(?<name>\w+)\s*(?<text>[\s\S]*)$/.exec(tag).groups) };
}
