import { dirname, join } from 'node:path';
import type { MachineRef } from '../../machine/context.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import type { Paths } from '../../system/paths.ts';

/**
 * Names of the resources of the cluster that this host is a node of, by the machine that each of them runs; empty without a
 * cluster. Read from Pacemaker's own file, so that it is also known while the cluster is down.
 */
export function clusterResources(paths: Paths): ReadonlyMap<string, string> {
  return readCib(paths, resourcesInCib) ?? new Map();
}

function readCib<T>(paths: Paths, read: (xml: string) => T): T | undefined {
  const file = cibFile(paths);
  if (file === undefined) return undefined;
  try {
    return read(readTextIfExists(file) ?? '');
  } catch {
    // Only root and Pacemaker may read it, and machines of a cluster are root's.
    return undefined;
  }
}

/** The resource that runs a machine, which the cluster may know by either of its names. */
export function resourceOf(
  resources: ReadonlyMap<string, string>,
  { longName, shortName }: Pick<MachineRef, 'longName' | 'shortName'>,
): string | undefined {
  return resources.get(longName) ?? resources.get(shortName ?? longName);
}

/** Names of the nodes of the cluster that this host is one of; empty without a cluster. */
export function clusterNodes(paths: Paths): string[] {
  return readCib(paths, nodesInCib) ?? [];
}

/** Users have no machines in a cluster. */
function cibFile({ scope, stateDir }: Paths): string | undefined {
  return scope === 'user' ? undefined : join(dirname(stateDir), 'pacemaker/cib/cib.xml');
}

/** The same of the text of a cluster information base, as libxml2 writes it: `>` is escaped in values. Pure. */
export function resourcesInCib(xml: string): Map<string, string> {
  const elements = [...xml.matchAll(ELEMENT)].map(([, tag = '', attributes = '', body = '']): Element => {
    return { tag, body, ...Object.fromEntries(attributesOf(attributes)) };
  });
  const isOurs = (element: Element): boolean => element.provider === 'qemu-init' && element.type === 'machine';
  const templates = new Map(elements.filter(({ tag }) => tag === 'template').map((each) => [each.id, each]));
  const found = new Map<string, string>();
  for (const element of elements) {
    const template = templates.get(element.template);
    if (element.tag !== 'primitive' || !isOurs(template ?? element)) continue;
    const machine = machineIn(element.body) ?? machineIn(template?.body ?? '');
    if (machine !== undefined) found.set(machine, element.id ?? machine);
  }
  return found;
}

/** Names of the nodes in the same text; not of guests and remote hosts, which run no machines of ours. Pure. */
export function nodesInCib(xml: string): string[] {
  const [, nodes = ''] = /<nodes>(.*?)<\/nodes>/s.exec(xml) ?? [];
  return [...nodes.matchAll(/<node\b([^>]*)>/g)].flatMap(([, attributes = '']) => {
    const { uname, type } = Object.fromEntries(attributesOf(attributes));
    return uname === undefined || (type !== undefined && type !== 'member') ? [] : [uname];
  });
}

interface Element {
  readonly tag: string;
  readonly body: string;
  readonly id?: string;
  readonly provider?: string;
  readonly type?: string;
  readonly template?: string;
}

/** One with content: a resource without the parameter `machine` is none of ours. */
const ELEMENT = /<(primitive|template)\b([^>]*[^/>])>(.*?)<\/\1>/gs;

function machineIn(body: string): string | undefined {
  for (const [, attributes = ''] of body.matchAll(/<nvpair\b([^>]*)>/g)) {
    const { name, value } = Object.fromEntries(attributesOf(attributes));
    if (name === 'machine') return value;
  }
  return undefined;
}

function attributesOf(text: string): [string, string][] {
  return [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]);
}
