import type { Problem } from '../../base/problem.ts';
import { JSON_MEMBERS } from '../../config/json/json-machine.ts';
import { type JsonNode, parseJson } from '../../config/json/json-text.ts';
import type { ImportItem } from './draft.ts';

/** What became of each member of a JSON machine. */
export interface OzoneItems {
  readonly items: readonly ImportItem[];
  /** Warnings that are not about a member. */
  readonly issues: readonly Problem[];
}

/** A member without members: `network.interfaces[0].mac`. */
interface Leaf {
  readonly path: string;
  readonly line: number;
  readonly node: JsonNode;
}

/** Members that a cfg file has no key for, and why. */
const LOST: readonly (readonly [path: RegExp, reason: string])[] = [
  [/^vm\.created_at$/, 'for people only'],
  [/\.size_gb$/, 'the image has its size'],
];

/**
 * Accounts for each member of a JSON machine that could be read. Pure.
 *
 * @param issues warnings of its reader.
 */
export function ozoneItems(text: string, issues: readonly Problem[]): OzoneItems {
  const root = parseJson(text);
  if ('problem' in root) return { items: [], issues };
  const leaves = leavesOf(root, '');
  const rest = [...issues];
  const items = leaves.map((leaf): ImportItem => itemOf(leaf, take(rest, leaf), leaves));
  return { items, issues: rest };
}

function leavesOf(node: JsonNode, path: string): Leaf[] {
  if (node.kind === 'object') {
    return node.members.flatMap(({ name, value }) => leavesOf(value, path === '' ? name : `${path}.${name}`));
  }
  if (node.kind === 'array') return node.items.flatMap((item, at) => leavesOf(item, `${path}[${at}]`));
  return [{ path, line: node.line, node }];
}

/** Takes the warning about a member out of the list: it names the member, or what the member says. */
function take(issues: Problem[], { path, line, node }: Leaf): Problem | undefined {
  const name = path.split('.').at(-1) ?? '';
  const said = node.kind === 'string' && name === 'path' ? `"${node.value}" is taken` : undefined;
  const at = issues.findIndex(
    ({ message, line: where }) =>
      message.startsWith(`${path} `) ||
      (where === line && message.endsWith(`an unknown member "${name}"`)) ||
      (said !== undefined && message.startsWith(said)),
  );
  return at < 0 ? undefined : issues.splice(at, 1)[0];
}

function itemOf(leaf: Leaf, issue: Problem | undefined, leaves: readonly Leaf[]): ImportItem {
  const { path, line, node } = leaf;
  const value = 'value' in node ? String(node.value) : 'null';
  const item = { line, source: `${path}: ${value}`, value: undefined };
  const lost = LOST.find(([pattern]) => pattern.test(path))?.[1];
  const key = keyOf(leaf, leaves);
  const reason = issue && (issue.hint === undefined ? issue.message : `${issue.message} (${issue.hint})`);
  if (issue && key !== undefined && /\bis taken from\b/.test(issue.message))
    return { ...item, outcome: 'changed', key, reason };
  if (reason !== undefined) return { ...item, outcome: 'lost', key: undefined, reason };
  if (value === '' || value === 'null') return { ...item, outcome: 'carried', key: '', reason: undefined };
  if (lost !== undefined) return { ...item, outcome: 'lost', key: undefined, reason: lost };
  return { ...item, outcome: 'carried', key: key ?? '', reason: undefined };
}

/** `NIC2` for the second card: one of its own comes before those of the list. */
function keyOf({ path }: Leaf, leaves: readonly Leaf[]): string | undefined {
  const [, list = '', at] = /^(network\.interfaces|storage\.disks)\[(\d+)\]/.exec(path) ?? [];
  const known = JSON_MEMBERS.find((member) => member.path === (list === '' ? path : list));
  if (known === undefined || !known.key.endsWith('x')) return known?.key;
  const single = list.startsWith('network') ? /^network\.\w+$/ : /^disk\./;
  const isAfterSingle = list !== '' && leaves.some(({ path: other, node }) => single.test(other) && isStated(node));
  return known.key.replace(/x$/, String(Number(at ?? '0') + (isAfterSingle ? 2 : 1)));
}

function isStated(node: JsonNode): boolean {
  return 'value' in node && node.value !== '' && node.value !== 0;
}
