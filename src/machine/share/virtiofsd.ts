import { asRecord, asText } from '../../base/guards.ts';
import type { ShareConfig } from '../../config/device-config.ts';
import { run } from '../../system/process/exec.ts';
import { findProgram } from '../../system/process/find-program.ts';
import { trustProgram } from '../../system/trust/trusted-command.ts';
import { qemuDescriptors } from '../start/qemu-descriptors.ts';

/** A virtiofsd, and which options it has. */
export interface Virtiofsd {
  readonly program: string;
  readonly options: ReadonlySet<string>;
}

/**
 * The virtiofsd of this host, by its descriptor; undefined when there is none.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when other users may change one of the two.
 */
export function virtiofsdPath(): string | undefined {
  const found = qemuDescriptors('vhost-user').map(asRecord);
  const programs = found.filter(({ type }) => type === 'fs').map(({ binary }) => asText(binary));
  const program = programs.find((each) => each.startsWith('/') && findProgram(each) !== undefined);
  if (program !== undefined) trustProgram(program);
  return program;
}

/** Asks it what it can do. @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_NOT_INSTALLED`. */
export async function probeVirtiofsd(program: string): Promise<Virtiofsd> {
  const { stdout } = await run(program, ['--help'], { timeoutMs: 10_000 });
  return { program, options: new Set([...stdout.matchAll(/(?<=^\s*)--[a-z-]+/gm)].map(([option]) => option)) };
}

/** Whether it is the one of QEMU before version 8, whose options are others. */
export function isOld({ options }: Virtiofsd): boolean {
  return !options.has('--shared-dir');
}

/** All ids that a guest has. */
const ALL_IDS = '0:0:4294967295';

/**
 * The command line of virtiofsd, whose socket is descriptor 3. It locks itself into the folder by chroot(2), which needs
 * no mounts: a unit has those closed. What a user of the guest makes belongs to the one user that it has. Pure.
 *
 * @param isAlone whether it has no other user id than that of root in its user namespace.
 */
export function virtiofsdArgv(virtiofsd: Virtiofsd, { path, readonly }: ShareConfig, isAlone: boolean): string[] {
  const { program, options } = virtiofsd;
  if (isOld(virtiofsd)) {
    return [program, '--fd=3', '-o', `source=${path.replace(/[\\,]/g, '\\$&')},sandbox=chroot`];
  }
  const squash = isAlone && options.has('--translate-uid');
  return [
    program,
    '--fd=3',
    `--shared-dir=${path}`,
    '--sandbox=chroot',
    '--log-level=error',
    ...(readonly ? ['--readonly'] : []),
    ...(squash ? [`--translate-uid=squash-guest:${ALL_IDS}`, `--translate-gid=squash-guest:${ALL_IDS}`] : []),
  ];
}
