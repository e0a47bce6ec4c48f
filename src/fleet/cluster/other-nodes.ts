import { hostname } from 'node:os';
import { QemuError } from '../../base/errors.ts';
import { asArray } from '../../base/guards.ts';
import type { Problem } from '../../base/problem.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { Machines } from '../machines.ts';
import { RemoteEnd } from '../move/remote-end.ts';
import { loginCommand } from '../move/ssh-failure.ts';
import { parseSshPlace } from '../move/ssh-place.ts';
import { clusterNodes } from './cib.ts';
import { compareNodes } from './compare-nodes.ts';
import { nodeFacts } from './describe-node.ts';
import { type NodeFacts, readNodeFacts } from './node-facts.ts';

/** A node has to look at the images and the user of each machine. */
const REACH_MS = 20_000;
const LOOK_MS = 60_000;

/** The nodes of the cluster besides this one, as places for ssh(1). */
export function otherNodes({ host }: Pick<Machines, 'host'>): string[] {
  const own = hostname();
  const isOwn = (node: string): boolean => node === own || node === own.split('.')[0];
  return clusterNodes(host.paths).flatMap((node) => (isOwn(node) ? [] : `ssh://${node}`));
}

/**
 * Compares machines with how other nodes know them, asking all nodes at the same time. One that cannot be asked is a
 * warning of each machine.
 *
 * @param places of the nodes: `ssh://[USER@]HOST[:PORT][/ROOT]`.
 * @returns problems by long name.
 * @throws {QemuError} `QEMU_USAGE` for another kind of place; `QEMU_ABORTED`.
 */
export async function compareWithNodes(
  machines: Machines,
  targets: readonly MachineRef[],
  places: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly Problem[]>> {
  const nodes = places.map(parseSshPlace);
  const here: NodeFacts[] = [];
  for (const { longName } of targets) here.push(await nodeFacts(machines, longName));
  const found = await Promise.all(
    nodes.map(async (place) => {
      try {
        const there = await askNode(machines, place, here, signal);
        const other = { node: place.host, login: loginCommand(place) };
        return here.map((own) => {
          const facts = there.get(own.name);
          return facts === undefined ? [] : compareNodes(own, facts, other);
        });
      } catch (error) {
        if (!(error instanceof QemuError) || error.code === 'QEMU_ABORTED') throw error;
        const message = `${place.host}: it cannot be compared: ${error.message}`;
        return here.map(({ cfg }): Problem[] => [{ severity: 'warning', message, hint: error.hint, file: cfg }]);
      }
    }),
  );
  return new Map(here.map(({ name }, at) => [name, found.flatMap((problems) => problems[at] ?? [])]));
}

async function askNode(
  { host }: Machines,
  place: ReturnType<typeof parseSshPlace>,
  here: readonly NodeFacts[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, NodeFacts>> {
  const end = await RemoteEnd.reach(place, { paths: host.paths, notify: host.notify, timeoutMs: REACH_MS, signal });
  try {
    const names = here.map(({ name }) => name);
    const { machines } = await end.ask({ do: 'describe', names }, { timeoutMs: LOOK_MS, signal });
    return new Map(asArray(machines).map((each) => [readNodeFacts(each).name, readNodeFacts(each)]));
  } finally {
    await end.close();
  }
}
