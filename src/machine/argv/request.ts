import type { CdromConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { Allocation } from '../allocation.ts';
import type { ImageNode, NetdevArguments, Properties } from './description.ts';

/** All that the command line of a machine depends on. Same request, same command line. */
export interface ArgvRequest {
  readonly config: MachineConfig;
  readonly machine: MachinePaths;
  readonly allocation: Allocation;
  readonly accelerator: 'kvm' | 'tcg';
  /** Model that stands for `host` under TCG, `max` unless given; empty: QEMU's own. */
  readonly emulatedCpu?: string | undefined;
  /** Program that runs QEMU. */
  readonly binary: string;
  /** Listen on ::1 in addition to 127.0.0.1. */
  readonly ipv6: boolean;
  /** Both ports need the machine's key. */
  readonly tls: boolean;
  /** How each DSKx is opened, in order. */
  readonly images: readonly ImageNode[];
  /** Each CDRx, in order; without a file when an optional one is missing. */
  readonly cdroms: readonly CdromConfig[];
  /** What each NICx is connected to, in order. */
  readonly links: readonly NicLink[];
  /** Node of each USBx, in order; undefined for one that is not there. */
  readonly usbHosts?: readonly (string | undefined)[] | undefined;
  /** Firmware images; undefined: QEMU's own BIOS. */
  readonly firmware: FirmwareFiles | undefined;
  /** Stop before the first instruction (`-S`). */
  readonly paused: boolean;
  /** Wait for a saved state before the machine runs. */
  readonly isIncoming?: boolean | undefined;
  /** Stop before the machine is made (`--preconfig`). */
  readonly preconfig: boolean;
}

/** One NIC's connection, worked out by the network layer. */
export interface NicLink {
  readonly mac: string;
  /** Undefined: the NIC is connected to nothing. */
  readonly netdev: NetdevArguments | undefined;
  /** Further properties of the NIC's device, such as `mq` and `vectors`. */
  readonly deviceProperties?: Properties | undefined;
}

export interface FirmwareFiles {
  readonly code: string;
  readonly codeFormat: string;
  /** The machine's own copy of the variables; undefined: a single image without any. */
  readonly variables: string | undefined;
  readonly variablesFormat: string;
  readonly secureBoot: boolean;
  /** What the variables begin with. */
  readonly template?: string | undefined;
}
