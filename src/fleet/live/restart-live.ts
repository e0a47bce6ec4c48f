import { randomUUID } from 'node:crypto';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { NO_SLOT } from '../../machine/allocation.ts';
import { type MachineContext, type MachineRef, notRunning } from '../../machine/context.ts';
import { withCurrentDisks } from '../../machine/disks/current-disks.ts';
import { type Hop, type Hopped, hop } from '../../machine/live/hop.ts';
import { interimConfig, needsInterim } from '../../machine/live/interim.ts';
import type { RestartLiveOptions, RestartLiveResult } from '../../machine/live/restart-result.ts';
import { DEFAULT_DOWNTIME_MS, DEFAULT_TIMEOUT_MS } from '../../machine/move/migrate-result.ts';
import { refuseMoved } from '../../machine/move/refuse-moved.ts';
import { type Located, locate } from '../../machine/run/locate.ts';
import { exclusively } from '../../machine/run/run-lock.ts';
import { awaitLastSlot, claimSlot } from '../../machine/run/slots.ts';
import { makeRequest, usesSlotDisplay } from '../../machine/start/launch-request.ts';
import { type Prepared, prepare } from '../../machine/start/prepare.ts';
import { hardwareNow } from '../../machine/state/hardware-now.ts';
import { hardwareDifferences } from '../../machine/state/saved-differences.ts';
import { settleFirst } from '../../machine/work/settle-first.ts';
import type { Machines } from '../machines.ts';
import { messagesOf } from '../move/check-offer.ts';
import type { MoveOffer } from '../move/move-offer.ts';
import { makeOffer } from '../move/offer.ts';

/** For the kernel to close the ports of the QEMU before. */
const PORTS_MS = 5_000;
const NEVER = new AbortController().signal;

/**
 * Has the guest of a running machine go on in a QEMU that is started now, which is the one installed now. Nothing else
 * of the machine changes: process id and start time do, addresses, ports, sockets and logs stay.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_MACHINE_STATE` with all that is in the way; `QEMU_LAUNCH_FAILED`,
 * `QEMU_COMMAND_FAILED`, `QEMU_TIMEOUT`, `QEMU_LOCKED`, `QEMU_ABORTED`: the guest then goes on as before.
 */
export async function restartLive(
  machines: Machines,
  target: MachineRef,
  options: RestartLiveOptions = {},
): Promise<RestartLiveResult> {
  const began = performance.now();
  const { host } = machines;
  const { signal } = options;
  return exclusively(host, target, { purpose: 'restart', signal }, async () => {
    await settleFirst(host, target);
    const located = locate(target.files);
    refuseMoved(target, 'restart');
    if (located.kind !== 'alive') throw notRunning(target);
    const { offer, problems: here } = await makeOffer(machines, target, located, { copyDisks: false, signal });
    const found = await look(machines, target, offer, signal);
    const problems = [...new Set([...here, ...found.problems])];
    const facts = { before: offer.hardware.qemu.version, after: found.ready?.prepared.probe.version };
    const nothing = { state: undefined, pid: undefined, downtimeMs: undefined, transferredBytes: undefined };
    const seconds = (): number => Math.round(performance.now() - began) / 1000;
    if (options.check === true) {
      const outcome = problems.length === 0 ? 'possible' : 'impossible';
      return { ...nothing, ...facts, outcome, problems, seconds: seconds() };
    }
    if (problems.length > 0 || found.ready === undefined) throw impossible(target, problems);
    const done = await restart(host, target, located, { ...found.ready, offer, options });
    return { ...facts, ...done, outcome: 'restarted', problems: [], seconds: seconds() };
  });
}

function impossible({ longName }: MachineRef, problems: readonly string[]): QemuError {
  return new QemuError('QEMU_MACHINE_STATE', `Cannot restart machine "${longName}" live: ${problems.join('; ')}`, {
    hint: 'it goes on as before',
  });
}

/** What a start of the machine would run now. */
interface Ready {
  readonly config: MachineConfig;
  readonly prepared: Prepared;
}

async function look(
  machines: Machines,
  target: MachineRef,
  offer: MoveOffer,
  signal: AbortSignal | undefined,
): Promise<{ readonly ready: Ready | undefined; readonly problems: readonly string[] }> {
  const quiet: MachineContext = { ...machines.host, notify: () => {} };
  try {
    const config = withCurrentDisks(quiet, target, machines.config(target));
    const prepared = await prepare(quiet, config, target.files, signal);
    const request = await makeRequest(quiet, target, config, prepared, NO_SLOT, { lease: false });
    const differences = hardwareDifferences(offer.hardware, {
      ...hardwareNow(config, prepared, request),
      hasComparedCpus: true,
    });
    return {
      ready: { config, prepared },
      problems: differences.map((each) => `its hardware would differ: ${each}`),
    };
  } catch (error) {
    return { ready: undefined, problems: messagesOf(error) };
  }
}

interface Restart extends Ready {
  readonly offer: MoveOffer;
  readonly options: RestartLiveOptions;
}

type Restarted = Pick<RestartLiveResult, 'state' | 'pid' | 'downtimeMs' | 'transferredBytes'>;

async function restart(
  host: MachineContext,
  target: MachineRef,
  { record }: Extract<Located, { kind: 'alive' }>,
  { config, prepared, offer, options }: Restart,
): Promise<Restarted> {
  const isInterim = record?.isInterim === true;
  const once = withoutRepeats(host);
  const hops: Hopped[] = [];
  if (needsInterim(config, record)) {
    const less = interimConfig(config);
    hops.push(await go(once, target, { config: less, prepared, offer, options }, { isInterim: true, hasSlot: false }));
  }
  try {
    // One that goes without for a moment had it before.
    const hasSlot = hops.length > 0 ? record?.slot !== undefined : isInterim || record?.slot !== undefined;
    hops.push(await go(once, target, { config, prepared, offer, options }, { isInterim: false, hasSlot }));
  } catch (error) {
    throw hops.length === 0 ? error : halfway(target, error);
  }
  const located = locate(target.files);
  const stood = hops.flatMap(({ downtimeMs }) => downtimeMs ?? []);
  return {
    state: hops.at(-1)?.state,
    pid: located.kind === 'alive' ? located.process.pid : undefined,
    downtimeMs: stood.length === 0 ? undefined : stood.reduce((sum, each) => sum + each),
    transferredBytes: hops.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** What is so in one of two QEMUs is so in the other. */
function withoutRepeats(host: MachineContext): MachineContext {
  const told = new Set<string>();
  const notify: MachineContext['notify'] = (notice) => {
    const isForUser = notice.level === 'warning' || notice.level === 'info';
    if (isForUser && told.has(notice.message)) return;
    told.add(notice.message);
    host.notify(notice);
  };
  return { ...host, notify };
}

async function go(
  host: MachineContext,
  target: MachineRef,
  { config, prepared, offer, options }: Restart,
  { isInterim, hasSlot }: { readonly isInterim: boolean; readonly hasSlot: boolean },
): Promise<Hopped> {
  const { longName, files } = target;
  const { signal = NEVER } = options;
  const located = locate(files);
  if (located.kind !== 'alive') throw notRunning(target);
  const { pid, startTime } = located.process;
  const wish = { longName, usesVnc: usesSlotDisplay(config), signal };
  if (hasSlot) await awaitLastSlot(host, wish, PORTS_MS);
  const plan: Hop = {
    data: { id: randomUUID(), wasRunning: offer.wasRunning, isInterim, first: { pid, startTime } },
    config,
    prepared,
    allocation: hasSlot ? await claimSlot(host, { ...wish, skip: new Set() }) : NO_SLOT,
    arriving: offer.hardware,
    isProcessorOpen: /^(?:host|max)(?:,|$)/.test(cpuOf(offer.hardware.args)),
  };
  return hop(host, target, plan, {
    rate: options.rate,
    downtimeMs: options.downtimeMs ?? DEFAULT_DOWNTIME_MS,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    onProgress: options.onProgress,
    signal,
  });
}

function cpuOf(args: readonly string[]): string {
  return args[args.indexOf('-cpu') + 1] ?? '';
}

/** Nothing is lost, and the same command again puts it right. */
function halfway({ longName }: MachineRef, error: unknown): unknown {
  if (!(error instanceof QemuError)) return error;
  const message = `The guest of machine "${longName}" goes on in the QEMU that is installed now, but without ports, screen and forwarded ports: ${error.message}`;
  return new QemuError(error.code, message, {
    cause: error.cause,
    hint: `again: qemu-init restart --live ${longName}`,
  });
}
