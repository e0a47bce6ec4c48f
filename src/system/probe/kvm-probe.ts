import { closeSync, constants, openSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { errorCode } from '../../base/errors.ts';
import { bootId } from '../process/process.ts';
import { DOUBTFUL_FOR_MS, type KvmVerdict, type PassingVerdict, runGuest } from './kvm-guest.ts';
import { askOnce, cacheEntry } from './probe-cache.ts';
import { findQemu } from './qemu-probe.ts';

export type { KvmVerdict } from './kvm-guest.ts';

/**
 * Finds out whether KVM really works for a QEMU binary. Opening `/dev/kvm` proves little: on a nested host QEMU may
 * abort while setting up the processor, or the guest may be extremely slow. So QEMU has to run a guest: see {@link
 * runGuest}.
 *
 * The verdict is kept in `cacheDir` until binary, boot, kernel, device or user change, or for ten minutes when a busy
 * host may be the cause. Ends within 2 s whatever happens; about 60 ms where KVM works.
 *
 * @param binary Name to look up in `PATH`, or a path.
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when the binary is missing, `QEMU_ABORTED`.
 */
export async function probeKvm(
  binary: string,
  cacheDir: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<KvmVerdict> {
  const path = findQemu(binary);
  const refused = whyNotOpen();
  if (refused !== undefined) return { usable: false, reason: refused };
  const verdict = await askOnce(cacheEntry(cacheDir, 'kvm', path, circumstances()), options.signal, {
    ask: () => runGuest(path, options.signal),
    accept: isCurrent,
  });
  return { usable: verdict.usable, reason: verdict.reason };
}

const DEVICE = '/dev/kvm';

function whyNotOpen(): string | undefined {
  try {
    closeSync(openSync(DEVICE, constants.O_RDWR));
    return undefined;
  } catch (error) {
    switch (errorCode(error)) {
      case 'ENOENT':
        return `"${DEVICE}" does not exist`;
      case 'EACCES':
      case 'EPERM':
        return `this user may not open "${DEVICE}"; members of group "kvm" may`;
      default:
        return `"${DEVICE}" cannot be opened (${errorCode(error)})`;
    }
  }
}

function circumstances(): string[] {
  const { rdev, mode, uid, gid } = statSync(DEVICE);
  return [bootId(), release(), ...[rdev, mode, uid, gid].map(String), String(process.getuid?.())];
}

function isCurrent(value: unknown): value is PassingVerdict {
  if (typeof value !== 'object' || value === null || !('usable' in value) || !('reason' in value)) return false;
  if (typeof value.usable !== 'boolean' || typeof value.reason !== 'string') return false;
  if (!('expiresAt' in value)) return true;
  // Setting the clock back must not prolong it.
  const leftMs = Number(value.expiresAt) - Date.now();
  return leftMs > 0 && leftMs <= DOUBTFUL_FOR_MS;
}
