import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import { qemuEnvironment } from '../../system/process/environment.ts';
import { run, withTimeoutCommand } from '../../system/process/exec.ts';
import { groupId, groupOfFile, localUser, MACHINES_GROUP } from '../../system/users.ts';
import { NO_SLOT } from '../allocation.ts';
import { buildOptions } from '../argv/build.ts';
import { chipsetOf } from '../argv/chipset.ts';
import type { Option } from '../argv/option.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { cleanOutput } from '../start/launch-error.ts';
import { makeRequest } from '../start/launch-request.ts';
import { prepare } from '../start/prepare.ts';
import { resolveRunAs, runAsPrefix } from '../start/run-as.ts';
import { issueAt } from './issues.ts';
import { harmlessOptions, type TriedOption } from './try-options.ts';

/** Making a machine takes a tenth of a second; memory that is made at once takes longer. */
const TRY_MS = 30_000;
/** For the case that this process is killed meanwhile. */
const LEASH_SECONDS = 40;

/**
 * Lets QEMU make the machine as a start would, without its images, networks and sockets, and ends it before the guest's
 * first instruction. Finds what only QEMU itself knows, such as properties that a device does not have. Leaves nothing;
 * the machine may be running.
 *
 * @param config a machine that nothing else is wrong with.
 */
export async function tryStart(host: MachineContext, target: MachineRef, config: MachineConfig): Promise<Problem[]> {
  const silent = { ...host, notify: () => {} };
  const prepared = await prepare(silent, config, target.files);
  const request = await makeRequest(silent, target, config, prepared, NO_SLOT, { lease: false });
  const all = buildOptions(request);
  const options = harmlessOptions(all);
  const args = options.flatMap((option) => option.args);
  const prefix = await tryPrefix(config, request.accelerator);
  if (typeof prefix === 'string') return [{ ...issueAt(config, 'RUNAS', prefix), severity: 'warning' }];
  const notTried = options.flatMap((option) => leftOutIssue(config, all, option));
  const argv = [...prefix, request.binary, ...args, '-S', '-qmp', 'stdio'];
  const [program, ...rest] = withTimeoutCommand(argv, LEASH_SECONDS);
  const { exitCode, signal, stderr } = await run(program, rest, {
    cwd: config.dir,
    env: qemuEnvironment({ argv, asCaller: config.runAs === undefined }),
    input: '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n',
    timeoutMs: TRY_MS,
  });
  if (exitCode === 0) return notTried;
  const said = cleanOutput(stderr, request.binary.split('/').at(-1) ?? '');
  const how = exitCode === undefined ? `was ended by ${signal}` : `ended with exit status ${exitCode}`;
  const message = `QEMU refuses the machine: it ${how}${said === '' ? '' : `: ${said}`}`;
  return [...notTried, { ...placeOf(config, all, options, said), message, severity: 'error' }];
}

/** Says that less of the machine was tried; what we leave out of our own options is known to be good. */
function leftOutIssue(config: MachineConfig, all: readonly Option[], { option, leftOut }: TriedOption): Problem[] {
  if (option.key !== '[custom]' || leftOut.length === 0) return [];
  const names = leftOut.map((each) => `"${each}"`).join(', ');
  const message = `${names} in [custom] was not tried, since it may open files or sockets: only a start shows whether QEMU accepts it`;
  return [{ ...customPlace(config, all, option), message, severity: 'warning' }];
}

function customPlace(
  config: MachineConfig,
  all: readonly Option[],
  option: Option,
): Omit<Problem, 'message' | 'severity'> {
  const own = all.filter(({ key }) => key === '[custom]').indexOf(option);
  return config.custom[own]?.origin ?? { file: config.path };
}

/** Cards that every machine with PCI takes as we make them. */
const USUAL_CARDS = /^(?:virtio-net(?:-pci)?|e1000e?|rtl8139|vmxnet3)$/;

/**
 * Whether lists of what QEMU has do not tell if it takes the machine: properties of boards and processors, other
 * boards, kernels, raw options. Memory that comes from a place of its own may be there only once, and is not taken for
 * a try that nobody asked for.
 */
export function needsTry(config: MachineConfig): boolean {
  const chipset = chipsetOf(config.machine, config.targetArch);
  const custom = config.custom.flatMap(({ args }) => args);
  if (custom.some((arg) => /memory-backend|mem-p(?:ath|realloc)|readconfig/.test(arg))) return false;
  return (
    (chipset !== 'q35' && chipset !== 'pc') ||
    config.machine.includes(',') ||
    config.cpu?.includes(',') === true ||
    config.smp.includes('=') ||
    config.numa.length + config.smbios.length > 0 ||
    config.kernel !== undefined ||
    config.vga === 'ramfb' ||
    config.nics.some(({ model }) => !USUAL_CARDS.test(model)) ||
    custom.length > 0
  );
}

/**
 * The user that a start would use; while the machine's own user has yet to be made, nobody.
 *
 * @returns a text: why nothing can be tried.
 */
export async function tryPrefix(config: MachineConfig, accelerator: 'kvm' | 'tcg'): Promise<string[] | string> {
  try {
    return runAsPrefix(await resolveRunAs(config, accelerator));
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const nobody = process.getuid?.() === 0 && config.ownUser ? localUser('nobody') : undefined;
    if (nobody !== undefined && nobody.uid !== 0) return runAsPrefix({ ...nobody, groups: triedGroups(accelerator) });
    // Users other than root try it with their own rights.
    if (process.getuid?.() !== 0) return [];
    return `QEMU was not asked whether it accepts the machine: ${error.message}`;
  }
}

/** The groups that the machine's own user will have: those of machines and, where it is used, of KVM. */
function triedGroups(accelerator: 'kvm' | 'tcg'): number[] {
  const kvm = accelerator === 'kvm' ? groupOfFile('/dev/kvm') : undefined;
  return [groupId(MACHINES_GROUP), kvm].filter((gid) => gid !== undefined);
}

/** QEMU begins its message with the option that it is about, but for properties of the board and of processors. */
function placeOf(
  config: MachineConfig,
  all: readonly Option[],
  options: readonly TriedOption[],
  said: string,
): Omit<Problem, 'message' | 'severity'> {
  const found = options.find(({ args }) => args.length > 0 && said.includes(args.join(' ')));
  if (!found) {
    const key = keyOfMessage(config, said);
    return key === undefined ? { file: config.path } : issueAt(config, key, '');
  }
  if (found.option.key !== '[custom]') return issueAt(config, found.option.key, '');
  return customPlace(config, all, found.option);
}

function keyOfMessage({ numa }: MachineConfig, said: string): string | undefined {
  const type = /Property '\S+-(cpu|machine)\.\S+'/.exec(said)?.[1];
  if (type !== undefined) return type === 'cpu' ? 'CPU' : 'MACHINE';
  const node = said.includes('host NUMA nodes') ? numa.find(({ hostNodes }) => hostNodes !== undefined) : undefined;
  return node && `NUMA${node.index}`;
}
