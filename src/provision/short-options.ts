import { resolve } from 'node:path';
import { QemuError } from '../base/errors.ts';
import { quoteComma } from '../base/text.ts';
import { renderOptionList } from '../config/text/option-list.ts';

/** Options of `create` that stand for keys. Relative paths start from the folder of the caller. */
export interface ShortOptions {
  readonly ram?: string | undefined;
  readonly cpus?: string | undefined;
  readonly bridge?: string | undefined;
  /** `user`, `passt` or `none`. */
  readonly net?: string | undefined;
  /** Port of this host's 127.0.0.1 that leads to port 22 of the guest, with `net` user or passt. */
  readonly sshPort?: number | undefined;
  readonly firmware?: string | undefined;
  readonly tpm?: boolean | undefined;
  readonly iso?: string | undefined;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly append?: string | undefined;
}

/** Keys and their values. */
export type Settings = readonly (readonly [key: string, value: string])[];

/**
 * The keys that the options stand for. Pure.
 *
 * @param settings keys that are given as such; none may be said twice.
 * @throws {QemuError} `QEMU_USAGE`
 */
export function shortSettings(options: ShortOptions, settings: Settings, cwd: string): Settings {
  const path = (file: string | undefined): string | undefined => file && resolve(cwd, file);
  const iso = path(options.iso);
  const all: readonly (readonly [option: string, key: string, value: string | undefined])[] = [
    ['--ram', 'RAM', options.ram],
    ['--cpus', 'SMP', options.cpus],
    ['--firmware', 'FIRMWARE', options.firmware],
    ['--tpm', 'TPM', options.tpm ? 'on' : undefined],
    ['--iso', 'CDR1', iso && quoteComma(iso)],
    ['--kernel', 'KERNEL', path(options.kernel)],
    ['--initrd', 'INITRD', path(options.initrd)],
    ['--append', 'APPEND', options.append],
    [options.bridge === undefined ? '--net' : '--bridge', 'NIC1', nicOf(options)],
  ];
  return all.flatMap(([option, key, value]) => {
    if (value === undefined) return [];
    if (!settings.some(([given]) => given === key)) return [[key, value] as const];
    throw new QemuError('QEMU_USAGE', `Both ${option} and ${key}= were given`, { hint: 'leave out one of them' });
  });
}

function nicOf({ bridge, net, sshPort }: ShortOptions): string | undefined {
  if (bridge !== undefined && net !== undefined) {
    throw new QemuError('QEMU_USAGE', 'Both --bridge and --net were given', { hint: 'leave out one of them' });
  }
  if (sshPort !== undefined && net !== 'user' && net !== 'passt') {
    throw new QemuError('QEMU_USAGE', '--ssh-port is for --net user and --net passt');
  }
  if (bridge === undefined && net === undefined) return undefined;
  return renderOptionList('virtio-net-pci', [
    ['bridge', bridge],
    ['net', net],
    ['hostfwd', sshPort === undefined ? undefined : `tcp:127.0.0.1:${sshPort}-:22`],
  ]);
}
