import { QemuError } from '../../base/errors.ts';
import { asArray, asNumber, asRecord, asText, isRecord, optionalNumber, optionalText } from '../../base/guards.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { type DiskLayer, type DiskNow, parseBitmaps, parseSnapshots } from './disk-layer.ts';

/** What can be asked: a QMP client, a domain, a storage daemon. */
export interface BlockMonitor {
  run(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown>;
}

/** Longest chain: more layers than this are a loop. */
const MOST_LAYERS = 500;

/** Nodes that pass everything on to the one below them. */
const FILTERS: ReadonlySet<string> = new Set(
  'copy-before-write copy-on-read throttle preallocate blkdebug mirror_top commit_top backup-top'.split(' '),
);

/**
 * The disks of a QEMU, or of a storage daemon, as they are now: `DSK1`, `DSK2` … in this order. To be asked again after
 * each change; names of nodes change with it.
 *
 * @throws {QemuError} as {@link QmpClient.executeRaw}.
 */
export async function diskNodes(monitor: BlockMonitor, options?: ExecuteOptions): Promise<DiskNow[]> {
  // Asked one after the other: nothing that others do at the moment may make one of them contradict another for long.
  const blocks = asArray(await monitor.run('query-block', undefined, options));
  const nodes = asArray(await monitor.run('query-named-block-nodes', { flat: true }, options));
  const graph = await monitor.run('x-debug-query-block-graph', undefined, options);
  return describeDisks(blocks, nodes, graph);
}

/**
 * One of them.
 *
 * @param key `DSK1`.
 * @throws {QemuError} `QEMU_DEVICE_UNKNOWN` when there is no such disk.
 */
export async function diskNode(monitor: BlockMonitor, key: string, options?: ExecuteOptions): Promise<DiskNow> {
  const found = (await diskNodes(monitor, options)).find((disk) => disk.key === key);
  if (found) return found;
  throw new QemuError('QEMU_DEVICE_UNKNOWN', `The running machine has no disk ${key}`);
}

/** The same from the answers of QEMU. Pure. */
export function describeDisks(blocks: readonly unknown[], nodes: readonly unknown[], graph: unknown): DiskNow[] {
  const named = new Map(nodes.flatMap((node) => (isRecord(node) ? [[asText(node['node-name']), node] as const] : [])));
  const childOf = edgesOf(graph);
  const disks = new Map<number, DiskNow>();
  for (const { index, root, ioStatus } of rootsOf(blocks, named)) {
    const layers = layersOf(root, named, childOf);
    const [top] = layers;
    if (top === undefined || disks.has(index)) continue;
    disks.set(index, {
      key: `DSK${index}`,
      node: top.node,
      layers: [top, ...layers.slice(1)],
      virtualSizeBytes: top.virtualSizeBytes,
      ioStatus,
      readonly: named.get(top.node ?? '')?.['ro'] === true,
    });
  }
  return [...disks].sort(([a], [b]) => a - b).map(([, disk]) => disk);
}

type Node = Readonly<Record<string, unknown>>;

interface Root {
  readonly index: number;
  readonly root: string;
  readonly ioStatus: string | undefined;
}

/** A storage daemon has no devices: there, the names of the nodes tell. */
function rootsOf(blocks: readonly unknown[], named: ReadonlyMap<string, Node>): Root[] {
  const ofDevices = blocks.flatMap((each): Root[] => {
    const block = asRecord(each);
    const root = optionalText(asRecord(block['inserted'])['node-name']);
    const index = indexOf(optionalText(block['device']) ?? deviceOf(asText(block['qdev'])));
    return root === undefined || index === undefined
      ? []
      : [{ index, root, ioStatus: optionalText(block['io-status']) }];
  });
  const ofNodes = [...named.keys()].flatMap((name): Root[] => {
    const index = name.endsWith('-fmt') ? indexOf(name.slice(0, -'-fmt'.length)) : undefined;
    return index === undefined ? [] : [{ index, root: name, ioStatus: undefined }];
  });
  return blocks.length > 0 ? ofDevices : ofNodes;
}

/** `dsk1-dev`, or `/machine/peripheral/dsk1-dev/virtio-backend`. */
function deviceOf(qdev: string): string {
  const id = /^\/machine\/peripheral\/([^/]+)/.exec(qdev)?.[1] ?? qdev;
  return id.replace(/-dev$/, '');
}

function indexOf(id: string): number | undefined {
  const digits = /^dsk([1-9]\d{0,4})$/.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `name of the node`, `name of the edge` → name of the child. */
type ChildOf = (node: string, edge: string) => string | undefined;

function edgesOf(graph: unknown): ChildOf {
  const { nodes, edges } = asRecord(graph);
  const names = new Map(asArray(nodes).map((each) => [asNumber(asRecord(each)['id']), asText(asRecord(each)['name'])]));
  const children = new Map(
    asArray(edges).map((each) => {
      const { parent, name, child } = asRecord(each);
      return [`${names.get(asNumber(parent))}\0${asText(name)}`, names.get(asNumber(child))];
    }),
  );
  return (node, edge) => children.get(`${node}\0${edge}`);
}

function layersOf(root: string, named: ReadonlyMap<string, Node>, childOf: ChildOf): DiskLayer[] {
  const layers: DiskLayer[] = [];
  let name: string | undefined = root;
  for (let count = 0; name !== undefined && count < MOST_LAYERS; count++) {
    const node: Node | undefined = named.get(name);
    if (node === undefined) break;
    if (FILTERS.has(asText(node['drv']))) {
      name = childOf(name, 'file') ?? childOf(name, 'backing');
      continue;
    }
    const fileNode = childOf(name, 'file');
    layers.push(layerOf(name, node, fileNode, named.get(fileNode ?? '')));
    name = childOf(name, 'backing');
  }
  return layers;
}

function layerOf(name: string, node: Node, fileNode: string | undefined, file: Node | undefined): DiskLayer {
  const image = asRecord(node['image']);
  // The path is that of the file's node: the name of the format's node may have become a "json:" text.
  const path = optionalText(file?.['file']) ?? asText(node['file']);
  return {
    node: name,
    fileNode,
    file: path,
    format: asText(node['drv']),
    virtualSizeBytes: asNumber(image['virtual-size']),
    actualSizeBytes: optionalNumber(image['actual-size']),
    bitmaps: parseBitmaps(node['dirty-bitmaps']),
    snapshots: parseSnapshots(image['snapshots']),
    corrupt: asRecord(asRecord(image['format-specific'])['data'])['corrupt'] === true,
  };
}
