import { QemuError } from '../base/errors.ts';
import { isRecord } from '../base/guards.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { type ChangeContext, pause, reset, resume, type StateChange } from '../machine/change/change-state.ts';
import type { MachineRef } from '../machine/context.ts';
import { withAnyMonitor } from '../machine/control/control-port.ts';
import type { StopResult } from '../machine/stop/stop.ts';
import { describeStop } from '../machine/stop/stop-plan.ts';
import type { TaskContext, TaskResult } from './tasks.ts';

const TIMEOUT_MS = 10_000;

/** What the page says in addition to the action. */
type Wish = Readonly<Record<string, unknown>>;

type Action = (fleet: MachineManager, target: MachineRef, task: TaskContext, wish: Wish) => Promise<TaskResult>;

/** What a page may do with a machine, by the same ways as the command of that name. */
const ACTIONS = {
  start: async (fleet, target, { signal }) => {
    const { outcome, seconds } = await fleet.start(target, { signal });
    return { text: outcome === 'already-running' ? 'was running already' : `started in ${seconds} s` };
  },
  stop: async (fleet, target, { signal, onStep }) => stopped(await fleet.stop(target, { signal, onStep })),
  'force-stop': async (fleet, target, { signal, onStep }) =>
    stopped(await fleet.stop(target, { force: true, signal, onStep })),
  pause: (fleet, target, task) => change(fleet, target, pause, task),
  resume: (fleet, target, task) => change(fleet, target, resume, task),
  reset: (fleet, target, task) => change(fleet, target, reset, task),
  'snapshot-create': async (fleet, target, { signal, onProgress }, wish) => {
    const wanted = { name: word(wish, 'name'), description: word(wish, 'description'), memory: flag(wish, 'memory') };
    const options = { ...wanted, signal, onProgress };
    const { snapshot, disks, skipped, memory } = await fleet.machine(target).snapshots.create(options);
    const left = skipped.length === 0 ? '' : `; not in it: ${skipped.join(', ')}`;
    return { text: `snapshot ${snapshot} of ${disks.join(', ')}${memory ? ' and the memory' : ''}${left}` };
  },
  'snapshot-revert': async (fleet, target, { signal, onProgress }, wish) => {
    const { snapshots } = fleet.machine(target);
    const { snapshot, state } = await snapshots.revert(needed(wish, 'name'), { signal, onProgress });
    return { text: `reverted to ${snapshot} (${state})` };
  },
  'snapshot-delete': async (fleet, target, { signal, onProgress }, wish) => {
    const { snapshot } = await fleet.machine(target).snapshots.delete(needed(wish, 'name'), { signal, onProgress });
    return { text: `snapshot ${snapshot} is deleted` };
  },
  // Only where the machine's file says: a page names no paths of the host.
  'backup-create': async (fleet, target, { signal, onProgress }, wish) => {
    const machine = fleet.machine(target);
    const { backup } = machine.config;
    if (backup === undefined) {
      throw new QemuError('QEMU_USAGE', `Machine "${machine.name}" has no BACKUP= in its file`);
    }
    const { dest, keep, rateBytes: rate, compress } = backup;
    const full = flag(wish, 'full');
    const { point, manifest, seconds } = await machine.backups.create(dest, {
      keep,
      rate,
      compress,
      full,
      signal,
      onProgress,
    });
    return { text: `${manifest.kind} backup ${point} in ${seconds} s` };
  },
} satisfies Readonly<Record<string, Action>>;

/** The words of the actions. */
export type MachineAction = keyof typeof ACTIONS;

/** The action of that name. @throws {QemuError} `QEMU_USAGE` */
export function actionOf(name: string): MachineAction {
  const action = MACHINE_ACTIONS.find((each) => each === name);
  if (action === undefined) throw new QemuError('QEMU_USAGE', 'There is no such action');
  return action;
}

const MACHINE_ACTIONS: readonly MachineAction[] = [
  'start',
  'stop',
  'force-stop',
  'pause',
  'resume',
  'reset',
  'snapshot-create',
  'snapshot-revert',
  'snapshot-delete',
  'backup-create',
];

/**
 * Does it.
 *
 * @param wish what the page says in addition, as JSON.
 * @returns what was done, as a clause.
 * @throws {QemuError} as the command of that name.
 */
export function actOn(
  fleet: MachineManager,
  target: MachineRef,
  action: MachineAction,
  task: TaskContext,
  wish: unknown,
): Promise<TaskResult> {
  const act: Action = ACTIONS[action];
  return act(fleet, target, task, isRecord(wish) ? wish : {});
}

function stopped({ outcome, rung, seconds }: StopResult): TaskResult {
  if (outcome === 'not-running') return { text: 'was not running' };
  return { rung, text: describeStop(rung, seconds) };
}

async function change(
  fleet: MachineManager,
  target: MachineRef,
  apply: (context: ChangeContext) => Promise<StateChange>,
  { signal }: TaskContext,
): Promise<TaskResult> {
  const options = { timeoutMs: TIMEOUT_MS, signal };
  const { outcome, state } = await withAnyMonitor(fleet.host, target, options, (client) =>
    apply({ client, target, ...options }),
  );
  return { text: `${outcome.replaceAll('-', ' ')} (${state})` };
}

/** Text of the page; an empty one is none. */
function word(wish: Wish, key: string): string | undefined {
  const value = wish[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function needed(wish: Wish, key: string): string {
  const value = word(wish, key);
  if (value === undefined) throw new QemuError('QEMU_USAGE', `"${key}" is missing`);
  return value;
}

function flag(wish: Wish, key: string): boolean {
  return wish[key] === true;
}
