import type { Duplex } from 'node:stream';
import { QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import type { MonitorConfig } from '../config/monitor-config.ts';
import type { MachineConfig } from '../config/types.ts';
import type { MachinePaths, Paths } from '../system/paths.ts';
import type { NicLink } from './argv/request.ts';

/** What every operation on a machine needs to know of the host. */
export interface MachineContext {
  readonly paths: Paths;
  readonly monitor: MonitorConfig;
  readonly network: Network;
  /**
   * Storage of a machine that the host or another machine also uses, so that it cannot be started now. For machines
   * that do not run only the base images of their overlays count.
   */
  readonly storageInUse: (config: MachineConfig) => readonly Problem[];
  /**
   * Finds the long name of another machine, running or not, that has the same file as a disk. All machines are looked at once, for the
   * first file.
   */
  readonly otherWithDisk: (config: MachineConfig) => (file: string) => string | undefined;
  /** What a move of a machine needs of the places that it leaves and reaches. */
  readonly moves: MovePlaces;
  /** Receives messages for the user while an operation is in progress. */
  readonly notify: Notify;
}

/** The registry, as a move uses it, and other roots of this host. */
export interface MovePlaces {
  /**
   * Sets right what an interrupted command has left of a machine below another root folder.
   *
   * @throws {QemuError} as `settle`.
   */
  settleAt(root: string, longName: string, limits: { readonly timeoutMs: number }): Promise<void>;
  /**
   * Tells a place on another host what the source of an interrupted move has decided, and has it act on that.
   *
   * @throws {QemuError} when it cannot be told now.
   */
  tell(
    place: string,
    move: { readonly name: string; readonly id: string; readonly says: 'handed-over' | 'kept' },
    limits: { readonly timeoutMs: number },
  ): Promise<void>;
  /**
   * Ends the registration of a machine and frees its addresses. Its file stays, or gets a name aside. Safe to
   * repeat.
   */
  forget(target: MachineRef, cfg: 'keep' | 'aside'): Promise<void>;
}

/** Takes notices. */
export type Notify = (notice: Notice) => void;

/** A message for the user. */
export interface Notice {
  /** `debug`: a step, for `--verbose`; `trace`: what it runs or sends, for `--debug`. */
  readonly level: 'warning' | 'info' | 'debug' | 'trace';
  /** Long name, when it is about one machine. */
  readonly machine?: string | undefined;
  readonly message: string;
}

/** The part of the network layer that a machine uses. */
export interface Network {
  /** What each NIC is connected to. */
  links(config: MachineConfig, options: LinkOptions): Promise<readonly NicLink[]>;
  /**
   * Creates what QEMU will need: notes for the bridge hooks, taps, helpers.
   *
   * @returns sockets that QEMU is to inherit as its descriptors from 3 on, as the links have it. They are to be
   * destroyed here when QEMU has them, or is not started.
   */
  setUp(config: MachineConfig, options: SetUpOptions): Promise<readonly Duplex[]>;
  /** Removes all of it. May be called at any time and twice. */
  tearDown(longName: string): Promise<void>;
  /** Creates what some NICs of a machine that runs will need, by their numbers; not for net=passt. */
  plug(config: MachineConfig, nics: readonly number[], signal: AbortSignal | undefined): Promise<void>;
  /** Removes what a NIC had, once QEMU has let go of it. May be called twice. */
  unplug(longName: string, nic: number): Promise<void>;
  /** Numbers of the NICs of a running machine whose taps are not as the configuration has them: bridge, VLAN, lock. */
  changedTaps(config: MachineConfig): Promise<readonly number[]>;
  /** Makes the tap of a running machine's NIC as the configuration has it. */
  rejoin(config: MachineConfig, nic: number, signal: AbortSignal | undefined): Promise<void>;
}

/** How a network is made. */
export interface SetUpOptions {
  /** Receives the output of helpers. */
  readonly logPath: string;
  readonly signal?: AbortSignal | undefined;
  /** As {@link LinkOptions.tapsOf}. */
  readonly tapsOf?: string | undefined;
}

/** How NICs are connected. */
export interface LinkOptions {
  /** Whether new addresses are recorded; printing the command line changes nothing. */
  readonly lease: boolean;
  readonly accelerator: 'kvm' | 'tcg';
  /** Name that the taps have in place of the machine's, which another QEMU has. */
  readonly tapsOf?: string | undefined;
}

/** A machine that commands work on. Its file may be broken: stop and status work all the same. */
export interface MachineRef {
  readonly longName: string;
  /** Undefined: not registered. */
  readonly shortName: string | undefined;
  readonly configPath: string;
  readonly files: MachinePaths;
}

/** The error of a command that needs a running machine. */
export function notRunning(target: MachineRef): QemuError {
  return new QemuError('QEMU_NOT_RUNNING', `Machine "${target.longName}" is not running`, {
    hint: `start it: qemu-init start ${target.longName}`,
  });
}

/** The error of a command that needs a stopped machine. */
export function notStopped({ longName }: MachineRef): QemuError {
  return new QemuError('QEMU_MACHINE_STATE', `Machine "${longName}" is running`, {
    hint: `stop it first: qemu-init stop ${longName}`,
  });
}
