/** Renders a page of docs/api for people: what a class is for, an example, its properties, methods and options as tables. */
import { splitList } from './declarations.mjs';

/** A class with the types that its methods take and return. */
export function renderClass(symbol, types, links) {
  const { name, doc, tags, parent, members } = symbol;
  const properties = members.filter(({ kind, name: own }) => kind === 'property' && !own.startsWith('['));
  const made = members.filter(({ kind }) => kind === 'constructor');
  const methods = members.filter(({ kind }) => kind === 'method');
  return join([
    `# ${name}`,
    text(doc, links),
    parent && !/^Error$/.test(parent) && `It has also what [${links.code(parent)}](${links.page(parent)}) has.`,
    ...tags.filter((tag) => tag.name === 'example').map((tag) => example(tag.text)),
    ...made.filter((each) => each.doc !== '').map((each) => method(name, each, links)),
    properties.length > 0 && join(['## Properties', table(properties, links)]),
    methods.length > 0 && '## Methods',
    ...methods.map((each) => method(name, each, links)),
    ...renderTypes(types, links),
  ]);
}

/** Types that belong to a page. */
export function renderTypes(types, links, heading = '## Types') {
  return types.length === 0 ? [] : [heading, ...types.map((type) => renderType(type, links))].filter(Boolean);
}

function renderType({ name, kind, doc, tags, parent, members, code }, links) {
  const more = parent && `Also the members of ${parentLinks(parent, links)}.`;
  const body =
    kind === 'interface'
      ? members.length > 0 && table(members.map(asProperty), links)
      : kind === 'function' || kind === 'const'
        ? `\`\`\`ts\n${code}\n\`\`\``
        : union(code, links);
  const details = kind === 'function' ? tagLines(tags, links) : [];
  return join([
    `### ${name}`,
    text(doc, links),
    more,
    body,
    ...details,
    ...tags.filter(isExample).map((tag) => example(tag.text)),
  ]);
}

/** A function as member of an interface has a type too. */
function asProperty(member) {
  if (member.kind !== 'method') return member;
  const list = member.parameters.map(({ name, isOptional, type }) => `${name}${isOptional ? '?' : ''}: ${type}`);
  return { ...member, type: `(${list.join(', ')}) => ${member.returns}` };
}

function parentLinks(parent, links) {
  return splitList(parent)
    .map((each) => (links.page(each) ? `[${links.code(each)}](${links.page(each)})` : `\`${each}\``))
    .join(' and ');
}

/** The alternatives of a union as a list, anything else as code. */
function union(code, links) {
  const value = code
    .slice(code.indexOf('=') + 1)
    .replace(/;$/, '')
    .trim();
  const parts = splitList(value.replaceAll(/\/\*\*[\s\S]*?\*\//g, ''), '|');
  const isPlain = parts.every((part) => /^('[\w-]*'|[\w.]+|\d+)$/.test(part));
  return isPlain && parts.length > 1
    ? `One of ${parts.map((part) => links.code(part.replaceAll("'", "'"))).join(', ')}.`
    : `\`\`\`ts\n${code}\n\`\`\``;
}

function table(members, links) {
  const rows = members.map(({ name, type, isOptional, isStatic, doc }) => {
    const shown = `\`${isStatic ? 'static ' : ''}${name}${isOptional ? '?' : ''}\``;
    return `| ${shown} | ${cell(typeText(type, links))} | ${cell(text(doc, links))} |`;
  });
  return ['| Name | Type | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function method(owner, { kind, name, parameters, returns, isStatic, doc, tags }, links) {
  const list = parameters
    .map(({ name: own, isOptional, isRest }) => `${isRest ? '...' : ''}${own}${isOptional ? '?' : ''}`)
    .join(', ');
  const object = isStatic ? owner : `${owner[0].toLowerCase()}${owner.slice(1)}`;
  const call =
    kind === 'constructor'
      ? `new ${owner}(${list})`
      : name.startsWith('[')
        ? `${object}${name}()`
        : `${object}.${name}(${list})`;
  const about = new Map(
    tags
      .filter((tag) => tag.name === 'param')
      .map((tag) => /^(?<name>[\w.]+)\s*(?<about>[\s\S]*)$/.exec(tag.text).groups)
      .map((each) => [each.name, each.about]),
  );
  const items = parameters.map(
    ({ name: own, type }) =>
      `- \`${own}\`: ${typeText(type, links)}${about.has(own) ? `, ${text(about.get(own), links)}` : ''}`,
  );
  const extra = [...about]
    .filter(([own]) => own.includes('.'))
    .map(([own, said]) => `- \`${own}\`: ${text(said, links)}`);
  const answer =
    kind === 'constructor' || /^(void|Promise<void>)$/.test(returns)
      ? undefined
      : `Returns ${typeText(returns, links)}${returned(tags, links)}.`;
  return join([
    `### ${call}`,
    text(doc, links),
    [...items, ...extra].join('\n'),
    answer,
    ...thrown(tags, links),
    ...tags.filter(isExample).map((tag) => example(tag.text)),
  ]);
}

function returned(tags, links) {
  const found = tags.find((tag) => tag.name === 'returns');
  return found === undefined ? '' : `: ${text(found.text, links).replace(/\.$/, '')}`;
}

function tagLines(tags, links) {
  const parameters = tags
    .filter((tag) => tag.name === 'param')
    .map((tag) => /^(?<name>[\w.]+)\s*(?<about>[\s\S]*)$/.exec(tag.text).groups)
    .map(({ name, about }) => `- \`${name}\`: ${text(about, links)}`);
  const answer = tags.some((tag) => tag.name === 'returns') && `Returns${returned(tags, links).slice(1)}.`;
  return [parameters.join('\n'), answer, ...thrown(tags, links)];
}

function thrown(tags, links) {
  const items = tags
    .filter((tag) => tag.name === 'throws')
    .map((tag) => `- ${text(tag.text.replace(/^\{(\w+)\}\s*/, '$1: '), links)}`);
  return items.length === 0 ? [] : [`Throws:\n\n${items.join('\n')}`];
}

function isExample(tag) {
  return tag.name === 'example';
}

function example(code) {
  return `\`\`\`js\n${code.trim()}\n\`\`\``;
}

function text(comment, links) {
  return comment.replace(/\n(?!\n|[-*] )/g, ' ').replace(/\{@link ([^}]+)\}/g, (_, target) => links.link(target));
}

/** A type with links to those that have a place in these pages. */
function typeText(type, links) {
  const short = type.replaceAll('readonly ', '').replace(/ \| undefined$/, '');
  const names = [...new Set(short.match(/\b[A-Z]\w+\b/g) ?? [])].filter((name) => links.page(name));
  const code = `\`${short}\``;
  if (names.length === 1 && names[0] === short) return `[${code}](${links.page(short)})`;
  return names.length === 0 ? code : `${code} (${names.map((name) => `[${name}](${links.page(name)})`).join(', ')})`;
}

function cell(content) {
  return content.replaceAll('\n', ' ').replaceAll(/(?<!\\)\|/g, '\\|');
}

function join(parts) {
  return parts.filter((part) => typeof part === 'string' && part !== '').join('\n\n');
}
