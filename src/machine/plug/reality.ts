import { errorCode } from '../../base/errors.ts';
import { asArray, asRecord, asText, optionalNumber } from '../../base/guards.ts';
import { deviceId } from '../../domain/block-device.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { describeDisks } from '../disks/disk-nodes.ts';
import { type JobNodes, jobNodesOf } from './block-jobs.ts';
import { isPort } from './places.ts';
import { type FreeCpu, sortCpus } from './room.ts';

/** What is in a drive. */
export interface SeenMedium {
  readonly file: string;
  readonly format: string;
}

/** What QEMU has, as it says itself. */
export interface Reality {
  /** Ids of devices. */
  readonly devices: ReadonlySet<string>;
  /** Ids of objects. */
  readonly objects: ReadonlySet<string>;
  /** Names of block nodes. */
  readonly nodes: ReadonlySet<string>;
  readonly jobs: JobNodes;
  /** Ids of backends of network cards. */
  readonly netdevs: ReadonlySet<string>;
  /** By the id of the device; without those that are empty. */
  readonly media: ReadonlyMap<string, SeenMedium>;
  /** Names of ports that have something in them. Before the firmware has numbered the buses QEMU sees nothing there. */
  readonly occupied: ReadonlySet<string>;
  /** Processors that there is room for. */
  readonly freeCpus: readonly FreeCpu[];
  /** Of QEMU's version. */
  readonly qemuMajor: number;
}

/** Asks a running QEMU what it has. @throws {QemuError} as {@link QmpClient.execute}. */
export async function lookInside(client: QmpClient, options: ExecuteOptions): Promise<Reality> {
  const list = async (path: string): Promise<ReadonlySet<string>> => {
    const members = asArray(await client.executeRaw('qom-list', { path }, options)).map(asRecord);
    return new Set(members.flatMap(({ name, type }) => (asText(type).startsWith('child<') ? [asText(name)] : [])));
  };
  const [devices, objects, allNodes, allBlocks, graph, network, buses, cpus] = await Promise.all([
    list('/machine/peripheral'),
    list('/objects'),
    client.executeRaw('query-named-block-nodes', { flat: true }, options),
    client.executeRaw('query-block', {}, options),
    client.executeRaw('x-debug-query-block-graph', {}, options),
    client.hmp('info network', options),
    client.executeRaw('query-pci', {}, options),
    hotpluggableCpus(client, options),
  ]);
  const [nodes, blocks] = [asArray(allNodes), asArray(allBlocks)];
  const discs = blocks.map(asRecord).flatMap(({ qdev, inserted }): [string, SeenMedium][] => {
    const id = deviceId(asText(qdev)) ?? asText(qdev);
    const { file, drv } = asRecord(inserted);
    return inserted === undefined ? [] : [[id, { file: asText(file), format: asText(drv) }]];
  });
  // A disk may go on in another file than the one that it began with.
  const disks = describeDisks(blocks, nodes, graph).map(({ key, layers: [top] }): [string, SeenMedium] => {
    return [`${key.toLowerCase()}-dev`, { file: top.file, format: top.format }];
  });
  return {
    devices,
    objects,
    nodes: new Set(nodes.map((node) => asText(asRecord(node)['node-name']))),
    jobs: jobNodesOf(graph),
    netdevs: new Set([...network.matchAll(/^\s*(?:\\ )?([\w-]+): index=/gm)].map(([, id = '']) => id)),
    media: new Map([...discs, ...disks]),
    occupied: new Set(occupiedPorts(buses)),
    freeCpus: sortCpus(asArray(cpus).flatMap(freeCpu)),
    qemuMajor: client.greeting.version.major,
  };
}

/** Boards whose processors are all there from the start refuse the question. */
async function hotpluggableCpus(client: QmpClient, options: ExecuteOptions): Promise<unknown> {
  try {
    return await client.executeRaw('query-hotpluggable-cpus', undefined, options);
  } catch (error) {
    if (errorCode(error) !== 'QEMU_QMP_REFUSED') throw error;
    return [];
  }
}

/** One of `query-hotpluggable-cpus`, when it is not there yet. Its properties are to be passed on as they are. */
function freeCpu(value: unknown): FreeCpu[] {
  const { type, props, 'qom-path': path } = asRecord(value);
  if (typeof type !== 'string' || path !== undefined) return [];
  const given = Object.entries(asRecord(props)).flatMap(([name, each]) => {
    const number = optionalNumber(each);
    return number === undefined ? [] : [[name, number] as const];
  });
  return [{ type, props: Object.fromEntries(given) }];
}

function occupiedPorts(buses: unknown): string[] {
  return asArray(buses).flatMap((bus) =>
    asArray(asRecord(bus)['devices']).flatMap((each) => {
      const device = asRecord(each);
      const id = asText(device['qdev_id']);
      const behind = asArray(asRecord(device['pci_bridge'])['devices']);
      return isPort(id) && behind.length > 0 ? [id] : [];
    }),
  );
}
