import { closeSync, readFileSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { quote } from '../../base/text.ts';
import { fileError } from '../../system/files/file-error.ts';
import { openNamed } from '../../system/trust/open-named.ts';

/** What a new machine's guest is to be told by cloud-init. Files are absolute paths. */
export interface SeedOptions {
  /** Instead of what `sshKey` and `login` make. */
  readonly userData?: string | undefined;
  readonly metaData?: string | undefined;
  readonly networkConfig?: string | undefined;
  /** File with public keys, one a line, that may log in. */
  readonly sshKey?: string | undefined;
  /** Name of the user who may; undefined: the one that the image has for it. */
  readonly login?: string | undefined;
  /** Host name (default: the machine's NAME). */
  readonly hostname?: string | undefined;
}

/** Whether a machine is to have a seed. */
export function wantsSeed(seed: SeedOptions | undefined): seed is SeedOptions {
  return seed !== undefined && Object.values(seed).some((value) => value !== undefined);
}

/** A line on the console of a guest that has done all that its seed says. */
export function seedMarker(uuid: string): string {
  return `qemu-init: ${uuid} is set up`;
}

/**
 * The files of a new machine's seed folder, by name.
 *
 * @throws {QemuError} `QEMU_USAGE` for options that exclude one another, or wrong ones; `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function seedFolder(
  seed: SeedOptions,
  { uuid, name, os }: { readonly uuid: string; readonly name: string; readonly os: string },
): ReadonlyMap<string, string | Uint8Array> {
  const { userData, metaData, networkConfig, sshKey, login, hostname } = seed;
  if (userData !== undefined && (sshKey ?? login) !== undefined) {
    throw new QemuError('QEMU_USAGE', '--user-data cannot be combined with --ssh-key or --login', {
      hint: 'write the key and the user into the file',
    });
  }
  if (metaData !== undefined && hostname !== undefined) {
    throw new QemuError('QEMU_USAGE', '--meta-data cannot be combined with --hostname');
  }
  checkHostname(hostname);
  checkLogin(login);
  const files = new Map<string, string | Uint8Array>();
  const keys = sshKey === undefined ? [] : publicKeys(sshKey);
  files.set('user-data', userData === undefined ? cloudConfig(keys, login, os, uuid) : readSource(userData));
  if (metaData !== undefined) files.set('meta-data', readSource(metaData));
  else files.set('meta-data', json({ 'instance-id': uuid, 'local-hostname': hostname ?? name }));
  if (networkConfig !== undefined) files.set('network-config', readSource(networkConfig));
  return files;
}

/** JSON is YAML (YAML 1.2, 1.3), so that no values need quoting by rules of another language. */
function cloudConfig(keys: readonly string[], login: string | undefined, os: string, uuid: string): string {
  const isLinux = !/bsd|windows/i.test(os);
  const user = login !== undefined && {
    name: login,
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: true,
    // Images without bash have it as the shell of no user.
    ...(isLinux && !/alpine/i.test(os) ? { shell: '/bin/bash' } : {}),
    ssh_authorized_keys: keys,
  };
  const marker = seedMarker(uuid);
  return `#cloud-config\n${json({
    preserve_hostname: false,
    manage_etc_hosts: true,
    ssh_pwauth: false,
    ...(user === false ? { ssh_authorized_keys: keys } : { users: [user] }),
    runcmd: [['sh', '-c', `echo '${marker}' >/dev/ttyS0 || echo '${marker}' >/dev/console`]],
  })}`;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** One key of authorized_keys: sshd(8). */
const PUBLIC_KEY = /^(?:[^#\s]\S*(?:"[^"]*")?\S* +)?(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ +[A-Za-z0-9+/=]{16,}(?: |$)/;

function publicKeys(path: string): string[] {
  const text = Buffer.from(readSource(path)).toString('utf8');
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new QemuError('QEMU_USAGE', `"${path}" is a private key, which must not leave this host`, {
      hint: `give the public one: ${path}.pub`,
    });
  }
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*(?:#|$)/.test(line));
  const wrong = lines.find((line) => !PUBLIC_KEY.test(line));
  if (lines.length === 0 || wrong !== undefined) {
    throw new QemuError('QEMU_USAGE', `"${path}" is not a file of public SSH keys`, {
      hint: wrong === undefined ? 'it has no key' : `this line is none: ${quote(wrong)}`,
    });
  }
  return lines;
}

/** RFC 1123, 2.1. */
function checkHostname(name: string | undefined): void {
  if (name === undefined) return;
  const isGood =
    name.length <= 253 && name.split('.').every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));
  if (!isGood) throw new QemuError('QEMU_USAGE', `--hostname must be a host name, not ${quote(name)}`);
}

/** useradd(8) */
function checkLogin(name: string | undefined): void {
  if (name === undefined || /^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return;
  throw new QemuError('QEMU_USAGE', `--login must be the name of a user, not ${quote(name)}`);
}

/** More does not fit into a seed. */
const MOST_BYTES = 16 * 1024 * 1024;

function readSource(path: string): Uint8Array {
  try {
    const { descriptor } = openNamed(path, (stats) => {
      if (!stats.isFile()) throw new Error('not a regular file');
      if (stats.size > MOST_BYTES) throw new Error('larger than 16 MiB');
    });
    try {
      return readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('read', path, error);
  }
}
