import { join } from 'node:path';
import { errorCode, QemuError } from '../base/errors.ts';
import type { MachineConfig } from '../config/types.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { fileError } from '../system/files/file-error.ts';
import { ensureDir } from '../system/files/files.ts';
import { claimLockFolder, releaseLockFolder } from '../system/lock/lock-folder.ts';
import { isPortFree } from '../system/ports.ts';

/** From here on ports for SSH are chosen. */
export const FIRST_SSH_PORT = 2222;
/** So many are tried. */
const MOST = 1000;

/**
 * Ports of 127.0.0.1 that are chosen for a machine. Until it is registered, which may take as long as the copy of a disk,
 * no other command chooses them.
 */
export class PortClaims {
  readonly #fleet: MachineManager;
  readonly #held: string[] = [];

  constructor(fleet: MachineManager) {
    this.#fleet = fleet;
  }

  /**
   * A port that no machine of the fleet forwards, and that nothing listens on now.
   *
   * @param first the lowest.
   * @throws {QemuError} `QEMU_USAGE` when all of a thousand are in use, `QEMU_NOT_PERMITTED`, `QEMU_IO`.
   */
  async choose(first: number): Promise<number> {
    const last = Math.min(first + MOST, LAST_PORT);
    let taken = forwardedBy(this.#fleet);
    for (let port = first; port <= last; port++) {
      if (taken.has(port) || !(await isPortFree(port)) || !this.#claim(port)) continue;
      // Whoever had it until now may have registered a machine with it.
      this.#fleet.machines.readRegistry();
      taken = forwardedBy(this.#fleet);
      if (!taken.has(port)) return port;
    }
    throw new QemuError('QEMU_USAGE', `All ports from ${first} to ${last} are in use`, {
      hint: 'choose one: --ssh-port',
    });
  }

  /** Lets others choose them, once the machine is registered or will never be. */
  release(): void {
    for (const path of this.#held.splice(0)) releaseLockFolder(path);
  }

  #claim(port: number): boolean {
    const { runDir } = this.#fleet.host.paths;
    const path = join(runDir, `.port-${port}.lock`);
    try {
      ensureDir(runDir, 0o711);
      claimLockFolder(path, 'create');
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error instanceof QemuError ? error : fileError('lock', path, error);
    }
    this.#held.push(path);
    return true;
  }
}

function forwardedBy(fleet: MachineManager): ReadonlySet<number> {
  const configs = fleet.machines.configs(fleet.list());
  return new Set([...configs.values()].flatMap((config) => forwards(config).map(({ hostPort }) => hostPort)));
}

const LAST_PORT = 65_535;

/** Where this host reaches the SSH server of a machine's guest; undefined if no port is forwarded to it. */
export function sshAddress(config: MachineConfig): { readonly host: string; readonly port: number } | undefined {
  const found = forwards(config).find(({ protocol, guestPort }) => protocol === 'tcp' && guestPort === 22);
  if (found === undefined) return undefined;
  const isAny = found.hostAddress === '' || found.hostAddress === '0.0.0.0' || found.hostAddress === '::';
  return { host: isAny ? '127.0.0.1' : found.hostAddress, port: found.hostPort };
}

function forwards({ nics }: MachineConfig): MachineConfig['nics'][number]['hostForwards'] {
  return nics.flatMap(({ hostForwards }) => hostForwards);
}
