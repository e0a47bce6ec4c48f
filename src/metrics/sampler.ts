import { countDown } from '../base/abort.ts';
import { processorsOf } from '../config/hardware/hardware.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import type { MachineRef } from '../machine/context.ts';
import { queryState } from '../machine/control/query-state.ts';
import { NO_PORTS, openAny } from '../machine/control/ways.ts';
import { LEAST_LOOK_MS, LOOK_TIMEOUT_MS, startedAt } from '../machine/observe/status.ts';
import { thawLeftover } from '../machine/quiesce/thaw.ts';
import { type Located, locate, ProcessScan } from '../machine/run/locate.ts';
import { isSaved } from '../machine/state/saved-folder.ts';
import { settleFirst } from '../machine/work/settle-first.ts';
import { interfaceNames } from '../network/sysfs.ts';
import { QmpClient } from '../qmp/client.ts';
import { readUsage } from '../system/process/process-usage.ts';
import { readNic, tapsOf } from './nic-counters.ts';
import { type QemuSample, queryQemu } from './query-qemu.ts';
import type { MachineSample, RunningSample } from './sample.ts';

/**
 * Reads what machines use, all at the same time: from `/proc`, from the counters of their taps, and from QEMU, which
 * may take two seconds for each and no longer, with what a killed command left of it, however many machines do not answer. The guest agent is not asked. Nothing stays
 * open between two samples: a monitor serves one client at a time, and others need it.
 */
export async function sampleMachines(fleet: MachineManager, targets: readonly MachineRef[]): Promise<MachineSample[]> {
  const scan = new ProcessScan();
  const interfaces = interfaceNames();
  return Promise.all(targets.map((target) => sampleMachine(fleet, target, scan, interfaces)));
}

/** One of them. @param scan a look through `/proc` that is shared by all machines of a round, as are the interfaces. */
export async function sampleMachine(
  fleet: MachineManager,
  target: MachineRef,
  scan: ProcessScan,
  interfaces: readonly string[],
): Promise<MachineSample> {
  const left = countDown(LOOK_TIMEOUT_MS);
  // What a killed command left may hold the guest up.
  await settleFirst(fleet.host, target);
  const located = locate(target.files, scan);
  const { config } = fleet.inspect(target);
  const isAlive = located.kind === 'alive';
  const atMs = performance.now();
  const found = isAlive
    ? await sampleRunning(fleet, target, located, interfaces, Math.max(LEAST_LOOK_MS, left()))
    : undefined;
  return {
    name: target.longName,
    shortName: target.shortName,
    state: found?.state ?? (isAlive ? 'unresponsive' : located.kind),
    saved: !isAlive && isSaved(target.files),
    atMs,
    description: config?.description === '' ? undefined : config?.description,
    os: config?.os,
    machineType: config?.machine,
    uuid: config?.uuid,
    vcpus: config && processorsOf(config.smp),
    memoryBytes: config?.memoryBytes,
    running: found?.running,
  };
}

type Alive = Extract<Located, { kind: 'alive' }>;

/** Undefined when the process has ended in the meantime. */
async function sampleRunning(
  fleet: MachineManager,
  target: MachineRef,
  { process, record }: Alive,
  interfaces: readonly string[],
  lookMs: number,
): Promise<{ state: string; running: RunningSample } | undefined> {
  const usage = readUsage(process.pid);
  const nics = tapsOf(target.longName, interfaces).flatMap((tap) => readNic(tap) ?? []);
  const [answer] = await Promise.all([
    askQemu(target, process.pid, record ?? NO_PORTS, lookMs),
    thawLeftover(fleet.host, target, lookMs),
  ]);
  if (!usage) return undefined;
  const { state, ...counters } = answer;
  const startSeconds = startedAt(record, process.startTime) / 1000;
  return {
    state,
    running: { pid: process.pid, answers: state !== 'unresponsive', startSeconds, ...usage, nics, ...counters },
  };
}

const NOTHING: QemuSample = { balloonBytes: undefined, vcpuSeconds: [], disks: [], jobs: [] };

async function askQemu(
  target: MachineRef,
  pid: number,
  ports: Parameters<typeof openAny>[1],
  lookMs: number,
): Promise<QemuSample & { readonly state: string }> {
  const left = countDown(lookMs);
  let client: Awaited<ReturnType<typeof openAny>>['value'] | undefined;
  let state = 'unresponsive';
  try {
    client = (await openAny(target.files, ports, { timeoutMs: left() })).value;
    state = await queryState(client, { timeoutMs: left() });
    // The human monitor, which serves when all others are taken, has no counters.
    const counters =
      client instanceof QmpClient && state !== 'preconfig' ? await queryQemu(client, pid, left()) : NOTHING;
    return { state, ...counters };
  } catch {
    return { state, ...NOTHING };
  } finally {
    await client?.close();
  }
}
