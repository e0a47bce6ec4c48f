import { closeSync, constants, openSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { errorCode } from '../../base/errors.ts';
import { bootId } from '../process/process.ts';
import { DOUBTFUL_FOR_MS, type KvmVerdict, type PassingVerdict, runGuest } from './kvm-guest.ts';
import { askOnce, cacheEntry } from './probe-cache.ts';
import { findQemu } from './qemu-probe.ts';

export type { KvmVerdict } from './kvm-guest.ts';

/**
 * Finds out whether KVM really works for a QEMU binary. A device `/dev/kvm` that opens proves little: in a nested host
 * QEMU may abort when it sets the processor up, or the guest may crawl. So QEMU really has to run a guest: see
 * {@link runGuest}.
 *
 * The verdict is kept in `cacheDir` until binary, boot, kernel, device or user change; one that a busy host may be to
 * blame for, ten minutes. Ends within 2 s whatever happens; about 60 ms where KVM works.
 *
 * @param binary Name to look up in `PATH`, or a path.
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when there is no such binary, `QEMU_ABORTED`.
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
  // A clock that was put back must not make it last.
  const leftMs = Number(value.expiresAt) - Date.now();
  return leftMs > 0 && leftMs <= DOUBTFUL_FOR_MS;
}
