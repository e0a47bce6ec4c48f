import { randomBytes } from 'node:crypto';
import { QemuError } from '../../../base/errors.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { Domain } from '../../../domain/domain.ts';
import { type MachineContext, type MachineRef, notStopped } from '../../context.ts';
import { withControl } from '../../control/control-port.ts';
import { noteDiskFile } from '../../disks/disk-line.ts';
import { whileQuiet } from '../../quiesce/quiesce.ts';
import { locate } from '../../run/locate.ts';
import { exclusively } from '../../run/run-lock.ts';
import { doWork, type Work } from '../../work/do-work.ts';
import { type Choice, chooseDisks } from '../choose-disks.ts';
import type { CreatedSnapshot, CreateSnapshotOptions } from '../create-options.ts';
import { refuseDuringJobs } from '../job-end.ts';
import { disksOfConfig, disksOfQemu, type SnapshotDisk } from '../snapshot-disks.ts';
import { noteSnapshot, type SnapshotLayer } from '../snapshot-notes.ts';
import { LAYER_WORK, type LayOver, layOver, refuseShared } from './lay-over.ts';

const CONTROL_MS = 10_000;

/** What an external snapshot is made of. */
interface Outside {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly name: string;
  readonly options: CreateSnapshotOptions;
  /** Refuses a name that is in use. */
  readonly refuse: (disks: readonly SnapshotDisk[]) => void;
}

type Made = Omit<CreatedSnapshot, 'snapshot' | 'memory' | 'external' | 'seconds'>;

/** Puts overlays above the disks, of a machine that runs or does not; the disks themselves do not change any more. */
export async function createOutside(outside: Outside): Promise<Made> {
  const { host, target, name, options } = outside;
  const { signal, description } = options;
  const created = new Date().toISOString();
  const plan = { kind: LAYER_WORK, what: `making external snapshot "${name}"`, data: { name, created, description } };
  return doWork(
    host,
    target,
    plan,
    async (work) => {
      const { layers, choice, quiesced, whyNotQuiesced } = await (locate(target.files).kind === 'alive'
        ? ofRunning(outside, work)
        : exclusively(host, target, { purpose: 'snapshot', signal }, () => ofStopped(outside, work)));
      const disks = layers.map(({ key }) => key);
      noteSnapshot(target.files, { name, created, description, quiesced, disks, layers });
      return { created, quiesced, whyNotQuiesced, disks, skipped: choice.skipped };
    },
    signal,
  );
}

interface Laid {
  readonly layers: readonly SnapshotLayer[];
  readonly choice: Choice;
  readonly quiesced: boolean;
  readonly whyNotQuiesced: string | undefined;
}

function ofRunning(outside: Outside, work: Work): Promise<Laid> {
  const { host, target, config, options } = outside;
  const { signal, quiesce = 'auto' } = options;
  return withControl(host, target, { timeoutMs: CONTROL_MS, signal }, async (client) => {
    const domain = new Domain(client, target.longName);
    await refuseDuringJobs(domain, 'make an external snapshot');
    const disks = await disksOfQemu(domain, config, target.files);
    const choice = choose(outside, disks);
    const nodes = new Map(choice.chosen.map(({ key, node }) => [key, node]));
    const { layers, value } = await layOver(
      whereOf(outside, work),
      choice.chosen,
      (body) => whileQuiet(host, target, { quiesce, client, signal }, body),
      async (made) => {
        const actions = made.map(({ key, overlay }) => ({
          type: 'blockdev-snapshot-sync',
          data: {
            'node-name': nodes.get(key),
            'snapshot-file': overlay,
            'snapshot-node-name': `${key.toLowerCase()}-${randomBytes(4).toString('hex')}`,
            format: 'qcow2',
            mode: 'existing',
          },
        }));
        await domain.run('transaction', { actions });
      },
    );
    for (const { key, overlay } of layers) noteDiskFile(host, target, { key, file: overlay, format: 'qcow2' });
    return { layers, choice, quiesced: value.quiesced, whyNotQuiesced: value.whyNot };
  });
}

async function ofStopped(outside: Outside, work: Work): Promise<Laid> {
  const { host, target, config } = outside;
  if (locate(target.files).kind === 'alive') throw notStopped(target);
  const choice = choose(outside, disksOfConfig(host, config, target.files));
  const { layers } = await layOver(
    whereOf(outside, work),
    choice.chosen,
    (body) => body(),
    async () => {},
  );
  return { layers, choice, quiesced: false, whyNotQuiesced: undefined };
}

/** The variables of UEFI stay as they are: their file is small, and none of the disks. */
function choose({ host, target, config, options, refuse }: Outside, disks: readonly SnapshotDisk[]): Choice {
  refuse(disks);
  const choice = { external: true, skipRaw: options.skipRaw === true };
  const chosen = chooseDisks(
    target.longName,
    disks.filter(({ key }) => key.startsWith('DSK')),
    choice,
  );
  refuseShared(host, config);
  const otherWith = host.otherWithDisk(config);
  for (const { key, file } of chosen.chosen) {
    const other = otherWith(file);
    if (other === undefined) continue;
    throw new QemuError('QEMU_COMMAND_FAILED', `${key} "${file}" is also a disk of machine "${other}"`, {
      hint: 'nothing may write to it once an overlay rests on it: take it out of that machine first',
    });
  }
  return chosen;
}

function whereOf({ host, target, config, name, options }: Outside, work: Work): LayOver {
  return { host, target, config, work, name, signal: options.signal };
}
