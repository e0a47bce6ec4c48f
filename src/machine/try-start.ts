import type { MachineConfig } from '../config/types.ts';
import { type ConfigIssue, QemuError } from '../errors.ts';
import { qemuEnvironment } from '../system/environment.ts';
import { run } from '../system/exec.ts';
import { onLeash } from '../system/leash.ts';
import { NO_SLOT } from './allocation.ts';
import { buildOptions } from './argv/build.ts';
import { chipsetOf } from './argv/chipset.ts';
import type { Option } from './argv/option.ts';
import type { Host, Target } from './host.ts';
import { issueAt } from './issues.ts';
import { cleanOutput } from './launch-error.ts';
import { prepare } from './prepare.ts';
import { makeRequest } from './request.ts';
import { resolveRunAs, runAsPrefix } from './run-as.ts';
import { harmlessOptions } from './try-options.ts';

/** Making a machine takes a tenth of a second; memory that is made at once takes longer. */
const TRY_MS = 30_000;
/** For the case that this process is killed meanwhile. */
const LEASH_SECONDS = 40;

/**
 * Lets QEMU make the machine as a start would, without its images, networks and sockets, and ends it before the guest's first
 * instruction. Finds what only QEMU itself knows, such as properties that a device does not have. Leaves nothing; the machine may
 * be running.
 *
 * @param config a machine that nothing else is wrong with.
 */
export async function tryStart(host: Host, target: Target, config: MachineConfig): Promise<ConfigIssue[]> {
  const silent = { ...host, notify: () => {} };
  const prepared = await prepare(silent, config, target.files);
  const request = await makeRequest(silent, target, config, prepared, NO_SLOT, { lease: false });
  const all = buildOptions(request);
  const options = all.map((option) => ({ option, tried: harmlessOptions([option])[0] }));
  const args = options.flatMap(({ tried }) => tried?.args ?? []);
  const argv = [...(await prefixOf(config, request.accelerator)), request.binary, ...args, '-S', '-qmp', 'stdio'];
  const [program, ...rest] = onLeash(argv, LEASH_SECONDS);
  const { exitCode, signal, stderr } = await run(program, rest, {
    cwd: config.dir,
    env: qemuEnvironment({ argv, asCaller: config.runAs === undefined }),
    input: '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n',
    timeoutMs: TRY_MS,
  });
  if (exitCode === 0) return [];
  const said = cleanOutput(stderr, request.binary.split('/').at(-1) ?? '');
  const how = exitCode === undefined ? `was ended by ${signal}` : `ended with exit status ${exitCode}`;
  const message = `QEMU refuses the machine: it ${how}${said === '' ? '' : `: ${said}`}`;
  return [{ ...placeOf(config, all, options, said), message, severity: 'error' }];
}

/** Cards that every machine with PCI takes as we make them. */
const USUAL_CARDS = /^(?:virtio-net(?:-pci)?|e1000e?|rtl8139|vmxnet3)$/;

/**
 * Whether lists of what QEMU has do not tell if it takes the machine: properties of boards and processors, other boards, kernels,
 * raw options. Memory that comes from a place of its own may be there only once, and is not taken for a try that nobody asked for.
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
    config.kernel !== undefined ||
    config.vga === 'ramfb' ||
    config.nics.some(({ model }) => !USUAL_CARDS.test(model)) ||
    custom.length > 0
  );
}

/** The user that a start would use; where it has yet to be made, root without any right but its files. */
async function prefixOf(config: MachineConfig, accelerator: 'kvm' | 'tcg'): Promise<string[]> {
  try {
    return runAsPrefix(await resolveRunAs(config, accelerator));
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return process.getuid?.() === 0 ? runAsPrefix({ uid: 0, gid: 0, groups: [] }) : [];
  }
}

/** QEMU begins its message with the option that it is about, but for properties of the board and of processors. */
function placeOf(
  config: MachineConfig,
  all: readonly Option[],
  options: readonly { readonly option: Option; readonly tried: Option | undefined }[],
  said: string,
): Omit<ConfigIssue, 'message' | 'severity'> {
  const found = options.find(({ tried }) => tried !== undefined && said.includes(tried.args.join(' ')));
  const type = /Property '\S+-(cpu|machine)\.\S+'/.exec(said)?.[1];
  if (!found)
    return type === undefined ? { file: config.path } : issueAt(config, type === 'cpu' ? 'CPU' : 'MACHINE', '');
  if (found.option.key !== '[custom]') return issueAt(config, found.option.key, '');
  const own = all.filter(({ key }) => key === '[custom]').indexOf(found.option);
  return config.custom[own]?.origin ?? { file: config.path };
}
