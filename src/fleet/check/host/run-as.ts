import { existsSync, statSync } from 'node:fs';
import { QemuError } from '../../../base/errors.ts';
import type { Problem } from '../../../base/problem.ts';
import { shellCommand } from '../../../config/text/shell-words.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { giveFile } from '../../../machine/start/give-file.ts';
import { type RunAs, runAsPrefix } from '../../../machine/start/run-as.ts';
import { isTakenOver } from '../../../machine/start/take-over.ts';
import { diskChain } from '../../../machine/storage/disk-chain.ts';
import type { Paths } from '../../../system/paths.ts';
import { findProgram, run } from '../../../system/process/exec.ts';
import { findUser, groupId, lookUpUser, MACHINES_GROUP } from '../../../system/users.ts';

/** Prints those of its arguments that this user may not use: `r:PATH` to be read, `rw:PATH` to be written too. */
const SCRIPT = `for word; do
  path=\${word#*:}
  [ -r "$path" ] && { [ "\${word%%:*}" = r ] || [ -w "$path" ]; } || printf '%s\\0' "$path"
done`;

/** Checks whether the users that QEMU runs as may use the machines' images, and KVM. Only root can try that. */
export async function checkRunAs(
  paths: Paths,
  configs: readonly MachineConfig[],
  signal: AbortSignal,
): Promise<Problem[]> {
  const users = [...new Set(configs.flatMap(({ runAs }) => runAs ?? []))];
  if (process.getuid?.() !== 0 || findProgram('setpriv') === undefined) return [];
  const findings: Problem[] = [];
  for (const name of users) {
    const machines = configs.filter(({ runAs }) => runAs === name);
    try {
      const user = machines.some(({ ownUser }) => ownUser) ? await ownUserOrStranger(name) : await findUser(name);
      const refused = await refusedTo(
        user,
        machines.flatMap((config) => wanted(paths, config)),
        signal,
      );
      findings.push(...machines.flatMap((config) => findingsFor(paths, config, user, refused)));
    } catch (error) {
      if (signal.aborted || !(error instanceof QemuError)) throw error;
      const hint = error.hint ?? 'set RUNAS to a user of this host';
      const message = `QEMU cannot run as "${name}"`;
      findings.push({ severity: 'error', machine: undefined, message, detail: error.message, hint });
    }
  }
  return findings;
}

/** The machine's own user, or while that does not exist, a user who may only use what every user or its group may. */
async function ownUserOrStranger(name: string): Promise<RunAs> {
  const user = await lookUpUser(name);
  if (user) return { ...user, groups: [] };
  return { name, uid: NOBODY, gid: groupId(MACHINES_GROUP) ?? NOBODY, comment: '', shell: '', groups: [] };
}

/** Uid that the kernel reports for users without a mapping. */
const NOBODY = 65534;

function findingsFor(
  paths: Paths,
  config: MachineConfig,
  { name: user, uid }: RunAs,
  refused: ReadonlySet<string>,
): Problem[] {
  return wanted(paths, config).flatMap((word): Problem[] => {
    const path = word.slice(word.indexOf(':') + 1);
    if (!refused.has(path)) return [];
    const machine = config.longName;
    const detail = `user "${user}", which QEMU runs as, may not ${word.startsWith('rw:') ? 'write' : 'read'} "${path}"`;
    if (path === KVM) {
      const hint = shellCommand('usermod', '--append', '--groups', 'kvm', user);
      return [
        { severity: config.kvm === 'on' ? 'error' : 'warning', machine, message: 'No right to use KVM', detail, hint },
      ];
    }
    const first =
      config.ownUser && uid === NOBODY
        ? `${shellCommand('qemu-init', 'register', machine)} creates the user; then: `
        : '';
    // What is only read may be another machine's as well.
    const isShared = config.ownUser && word.startsWith('r:');
    const give = giveFile(path, isShared ? 'group' : { user }, isNamed(config, path));
    const lasting = !isShared && isDevice(path) ? ` and, to make that permanent, a udev rule with OWNER="${user}"` : '';
    const hint = `${first}${give}${lasting}; a folder above it may be closed, too: ${shellCommand('namei', '-l', path)}`;
    return [{ severity: 'error', machine, message: 'No right to use a file', detail, hint }];
  });
}

function isNamed({ disks, cdroms, kernel, initrd, firmwareVariables }: MachineConfig, path: string): boolean {
  const others = [kernel, initrd, firmwareVariables];
  return [...disks, ...cdroms].some(({ file }) => file === path) || others.includes(path);
}

function isDevice(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true;
}

const KVM = '/dev/kvm';

function wanted(paths: Paths, config: MachineConfig): string[] {
  const own = config.disks.filter((disk) => !(config.ownUser && isTakenOver(disk)));
  const disks = own.flatMap((disk) => {
    const { layers } = diskChain(paths, config.longName, disk);
    // QEMU writes only to the top image of an overlay. Files that QEMU must not be led to need no access either.
    return layers
      .filter(({ stats }) => stats !== undefined)
      .map(({ file, depth }) => `${disk.readonly || disk.snapshot || depth > 0 ? 'r' : 'rw'}:${file}`);
  });
  const cdroms = config.cdroms.flatMap(({ file }) => (file === undefined ? [] : [`r:${file}`]));
  const boot = [config.kernel, config.initrd].flatMap((file) => (file === undefined ? [] : [`r:${file}`]));
  const variables = config.firmwareVariables === undefined ? [] : [`rw:${config.firmwareVariables}`];
  // A machine's own user is in the group of KVM as well.
  const kvm = config.kvm === 'off' || config.ownUser ? [] : [`rw:${KVM}`];
  // Missing files are reported elsewhere.
  return [...disks, ...cdroms, ...boot, ...variables, ...kvm].filter((word) =>
    existsSync(word.slice(word.indexOf(':') + 1)),
  );
}

async function refusedTo(user: RunAs, words: readonly string[], signal: AbortSignal): Promise<Set<string>> {
  const [program = 'setpriv', ...prefix] = runAsPrefix(user);
  const { stdout } = await run(program, [...prefix, 'sh', '-c', SCRIPT, 'sh', ...words], { signal });
  return new Set(stdout.split('\0').filter((path) => path !== ''));
}
