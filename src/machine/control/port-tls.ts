import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { ensureDir, readTextIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { giveSecrets, letPass } from '../../system/secrets.ts';
import { keepCopy } from '../run/kept.ts';

/** User name of the key; there is one key a machine. */
export const PSK_IDENTITY = 'qemu';

const KEY_BYTES = 32;

/**
 * The group ffdhe2048 of RFC 7919, appendix A.1. With no group given GnuTLS makes one at each start, which takes
 * twenty times as long as the rest of QEMU's start.
 */
const DH_PARAMETERS = `-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
`;

/** A key as both ends of `tls-creds-psk` know it. */
export interface Psk {
  readonly identity: string;
  readonly key: Uint8Array;
}

/** The user that QEMU runs as, and its group. */
export interface KeyUser {
  readonly uid: number;
  readonly gid: number;
}

/** Makes the machine's key for this run, in the folder that QEMU's `tls-creds-psk` reads. */
export function writeTlsFiles(machine: MachinePaths): void {
  ensureDir(machine.tlsDir, 0o700);
  const line = lineOf(randomBytes(KEY_BYTES).toString('hex'));
  writeFileAtomic(keyFile(machine), line, 0o600);
  keepCopy(machine, machine.keptKey, line);
  writeFileAtomic(join(machine.tlsDir, 'dh-params.pem'), DH_PARAMETERS, 0o600);
}

/**
 * The key of a running machine. When the run-time folder was cleared it is put back there from its copy: QEMU reads it
 * anew for each client.
 *
 * @param user that QEMU runs as, with RUNAS.
 * @throws {QemuError} `QEMU_IO` when there is none, `QEMU_NOT_PERMITTED` when the caller may not read it.
 */
export function readPsk(machine: MachinePaths, user?: KeyUser): Psk {
  const hex = readKey(keyFile(machine)) ?? restoreKey(machine, user);
  if (hex === undefined) {
    throw new QemuError('QEMU_IO', `Cannot read the monitor key "${keyFile(machine)}"`, {
      hint: 'restart the machine: its run-time files are damaged',
    });
  }
  return { identity: PSK_IDENTITY, key: Buffer.from(hex, 'hex') };
}

function restoreKey(machine: MachinePaths, user: KeyUser | undefined): string | undefined {
  const hex = readKey(machine.keptKey);
  if (hex === undefined) return undefined;
  ensureDir(dirname(machine.dir), 0o711);
  ensureDir(machine.dir, 0o700);
  ensureDir(machine.tlsDir, 0o700);
  writeFileAtomic(keyFile(machine), lineOf(hex), 0o600);
  if (user) {
    letPass(machine.dir, user.gid);
    giveSecrets(machine.tlsDir, user);
  }
  return hex;
}

function lineOf(hex: string): string {
  return `${PSK_IDENTITY}:${hex}\n`;
}

function readKey(path: string): string | undefined {
  return /^qemu:([0-9a-f]+)\s*$/.exec(readTextIfExists(path) ?? '')?.[1];
}

function keyFile(machine: MachinePaths): string {
  return join(machine.tlsDir, 'keys.psk');
}
