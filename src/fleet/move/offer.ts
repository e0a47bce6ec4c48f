import { randomUUID } from 'node:crypto';
import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import { parseMachineConfig } from '../../config/machine-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { Domain } from '../../domain/domain.ts';
import type { MachineRef } from '../../machine/context.ts';
import { withControl } from '../../machine/control/control-port.ts';
import { diskNodes } from '../../machine/disks/disk-nodes.ts';
import { type Copies, copiesOf } from '../../machine/move/copied-disks.ts';
import { featureWords } from '../../machine/move/same-processor.ts';
import { otherHardware } from '../../machine/plug/other-hardware.ts';
import { readLaunchRecord } from '../../machine/run/launch-record.ts';
import type { Located } from '../../machine/run/locate.ts';
import { VARIABLES_NODE } from '../../machine/snapshot/snapshot-disks.ts';
import { stateObstacles } from '../../machine/state/blockers.ts';
import { hostCpuOf, savedImages } from '../../machine/state/saved-facts.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import type { Machines } from '../machines.ts';
import { previewMacsOf } from '../macs.ts';
import type { MoveOffer } from './move-offer.ts';
import { movedText } from './moved-text.ts';
import { placeName } from './places.ts';

/** An offer, and what is in the way of it here. */
export interface Offered {
  readonly offer: MoveOffer;
  readonly problems: readonly string[];
  /** What stays behind. */
  readonly left: readonly string[];
}

const NO_COPIES: Copies = { disks: [], problems: [], left: [] };

type Alive = Extract<Located, { kind: 'alive' }>;

const ANSWER_MS = 10_000;

/**
 * Describes a running machine to a destination.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE` when it is not known what it was started with; as {@link withControl}.
 */
export async function makeOffer(
  machines: Pick<Machines, 'host' | 'inspect'>,
  target: MachineRef,
  located: Alive,
  {
    copyDisks,
    keepConfig = false,
    signal,
  }: { readonly copyDisks: boolean; readonly keepConfig?: boolean; readonly signal: AbortSignal | undefined },
): Promise<Offered> {
  const { host } = machines;
  const { files, longName } = target;
  const launched = readLaunchRecord(files);
  const then = launched && configOf(target, launched.config);
  if (launched === undefined || then === undefined) {
    throw new QemuError('QEMU_MACHINE_STATE', `Cannot move machine "${longName}": the record of its start is lost`, {
      hint: `save its guest, or shut it down: qemu-init stop ${longName}`,
    });
  }
  const limits = { timeoutMs: ANSWER_MS, signal };
  const plugged = otherHardware(target, located.process);
  const asked = await withControl(host, target, limits, async (client) => {
    const { major, minor, micro } = asRecord(
      asRecord(await client.executeRaw('query-version', undefined, limits))['qemu'],
    );
    const type = asText(await client.executeRaw('qom-get', { path: '/machine', property: 'type' }, limits));
    return {
      ...(await stateObstacles(target, { disks: then.disks, plugged }, client, limits)),
      variables: await variablesReasons(client, limits),
      features: await featureWords(client, limits),
      disks: copyDisks ? await diskNodes(new Domain(client, longName), limits) : [],
      version: [major, minor, micro].join('.'),
      machineType: /^(.+)-machine$/.exec(type)?.[1],
    };
  });
  const { config, issues } = machines.inspect(target);
  const broken = issues.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  const used = config ?? then;
  const copies = copyDisks ? copiesOf(used, asked.disks) : NO_COPIES;
  return {
    problems: [...asked.reasons, ...asked.variables, ...copies.problems, ...broken],
    left: copies.left,
    offer: {
      id: randomUUID(),
      name: longName,
      shortName: target.shortName,
      cfg: movedText(used, host.paths),
      from: placeName(host.paths),
      sourceRecord: files.move,
      hardware: {
        qemu: { version: asked.version, binary: launched.binary },
        args: launched.args,
        config: launched.config,
        machineType: asked.machineType,
        hostCpu: hostCpuOf(launched.args),
      },
      features: asked.features && [...asked.features],
      macs: [...previewMacsOf(host.paths, used)],
      images: savedImages(host.paths, used),
      // They stay where their disks are.
      snapshots: copyDisks ? undefined : readTextIfExists(files.snapshots),
      wasRunning: asked.wasRunning,
      copyDisks,
      keepConfig,
      disks: copies.disks,
    },
  };
}

/** What the guest keeps there arrives with its memory, but not what it kept there before. */
async function variablesReasons(client: QmpClient, limits: ExecuteOptions): Promise<string[]> {
  const nodes = asArray(await client.executeRaw('query-named-block-nodes', undefined, limits)).map(asRecord);
  const node = nodes.find((each) => each['node-name'] === VARIABLES_NODE);
  const names = asArray(asRecord(node?.['image'])['snapshots']).map((each) => asText(asRecord(each)['name']));
  if (names.length === 0) return [];
  return [`the variables of its firmware are part of snapshots (${names.join(', ')}), and would be left behind`];
}

function configOf({ configPath, longName }: MachineRef, text: string): MachineConfig | undefined {
  const { draft } = parseMachineConfig(text, { path: configPath.replace(/\.json$/, '.cfg') });
  return draft && { ...draft, longName };
}
