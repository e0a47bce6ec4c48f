import { basename } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { findProgram, run, withTimeoutCommand } from '../process/exec.ts';
import { trustProgram } from '../trust/trusted-command.ts';
import { askOnce, cacheEntry, isScript } from './probe-cache.ts';
import { isProbeAnswer, type ProbeAnswer, parseProbeOutput, probeInput } from './qemu-probe-dialogue.ts';

/** Version and capabilities of an installed QEMU. */
export interface QemuProbe {
  /** Absolute path. */
  readonly binary: string;
  /** For instance `7.2.22`. */
  readonly version: string;
  readonly versionNumber: readonly [major: number, minor: number, micro: number];
  /** Each name and alias that `-machine` takes, to the full name: `q35` to `pc-q35-7.2`. */
  readonly machines: ReadonlyMap<string, string>;
  /** Full name of QEMU's default machine; many targets have none. */
  readonly defaultMachine: string | undefined;
  /** Most processors of each machine, by its full name. */
  readonly maxCpus: ReadonlyMap<string, number>;
  /** Devices that `-device` accepts, and all other device types. */
  readonly devices: ReadonlySet<string>;
  /** Types that `-object` accepts. */
  readonly objects: ReadonlySet<string>;
  /** Models that `-cpu` accepts; empty for a target that does not list them. */
  readonly cpus: ReadonlySet<string>;
  /** Network cards, with aliases, and the bus that each needs, such as `PCI`; empty when QEMU does not list them. */
  readonly nics: ReadonlyMap<string, string>;
  /** QMP commands. */
  readonly commands: ReadonlySet<string>;
  /** Built in, whether the host supports them or not: `kvm`, `tcg`. */
  readonly accelerators: readonly string[];
  /** Capabilities of a migration, such as `mapped-ram`. */
  readonly migration: ReadonlySet<string>;
}

/**
 * Finds out what a QEMU binary can do: it is run once (about 60 ms), and the answer is kept in `cacheDir` (1 ms) until
 * the binary's path, size or time changes. A wrapper script is run again by each process.
 *
 * @param binary Name to look up in `PATH`, or a path.
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when it is missing, `QEMU_COMMAND_FAILED` when it does not answer like QEMU,
 * `QEMU_TIMEOUT` after 10 s, `QEMU_ABORTED`.
 */
export async function probeQemu(
  binary: string,
  cacheDir: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<QemuProbe> {
  const path = findQemu(binary);
  const answer = await askOnce(cacheEntry(cacheDir, 'qemu', path), options.signal, {
    ask: () => ask(path, options.signal),
    accept: isProbeAnswer,
    isLasting: !isScript(path),
  });
  return toProbe(path, answer);
}

/**
 * Absolute path of a QEMU binary.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_NOT_PERMITTED` when others may change the program: see {@link
 * trustProgram}.
 */
export function findQemu(binary: string): string {
  const path = findProgram(binary);
  if (path !== undefined) {
    trustProgram(path);
    return path;
  }
  throw new QemuError('QEMU_NOT_INSTALLED', `Cannot find QEMU "${binary}"`, {
    hint: missingHint(binary),
  });
}

/** Without an answer no machine starts: time also for an emulated host, where QEMU takes a hundred times as long. */
const TIMEOUT_MS = 30_000;
/** In case this process is killed meanwhile. */
const LEASH_SECONDS = 35;

/** Without a machine or the host's configuration, so that only built-in facts are reported. */
const PROBE_ARGS = [
  ...['-machine', 'none'],
  '-nodefaults',
  '-no-user-config',
  ...['-display', 'none'],
  '-S',
  ...['-qmp', 'stdio'],
];

async function ask(path: string, signal: AbortSignal | undefined): Promise<ProbeAnswer> {
  const [program, ...args] = withTimeoutCommand([path, ...PROBE_ARGS], LEASH_SECONDS);
  const { stdout, stderr } = await run(program, args, {
    name: path,
    timeoutMs: TIMEOUT_MS,
    signal,
    input: probeInput(),
  });
  const answer = parseProbeOutput(stdout);
  if (answer !== undefined) return answer;
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot find out what "${path}" can do`, {
    cause: stderr.trim() === '' ? undefined : new Error(stderr.trim()),
    hint: emulatorHint(path),
  });
}

function toProbe(binary: string, answer: ProbeAnswer): QemuProbe {
  return {
    binary,
    version: answer.version.join('.'),
    versionNumber: answer.version,
    machines: new Map(answer.machines),
    defaultMachine: answer.defaultMachine,
    maxCpus: new Map(answer.maxCpus),
    devices: new Set(answer.devices),
    objects: new Set(answer.objects),
    cpus: new Set(answer.cpus),
    nics: new Map(answer.nics),
    commands: new Set(answer.commands),
    accelerators: answer.accelerators,
    migration: new Set(answer.migration),
  };
}

/** util-linux has programs called `x86_64` and `i386`. */
function emulatorHint(path: string): string {
  const name = basename(path);
  const isTarget = Object.values(DEBIAN_PACKAGES).some((targets) => targets.split(' ').includes(name));
  if (isTarget) return `did you mean "qemu-system-${name}"?`;
  return 'is it a QEMU system emulator? check the output of --version';
}

/** How to install a missing QEMU. A target that QEMU does not have is not in any package. */
function missingHint(binary: string): string {
  const target = basename(binary).replace(/^qemu-system-/, '');
  const found = Object.entries(DEBIAN_PACKAGES).find(([, targets]) => targets.split(' ').includes(target));
  if (found === undefined) return 'set the name of a program, such as qemu-system-x86_64, or a path';
  const install = `apt install qemu-system-${found[0]}`;
  return binary === target ? `the program is called qemu-system-${target}; ${install}` : install;
}

/** Debian 12's packages and their targets. */
const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  x86: 'x86_64 i386',
  arm: 'aarch64 arm',
  mips: 'mips mipsel mips64 mips64el',
  ppc: 'ppc ppc64',
  sparc: 'sparc sparc64',
  misc:
    'alpha avr cris hppa loongarch64 m68k microblaze microblazeel nios2 or1k riscv32 riscv64 rx s390x sh4 sh4eb ' +
    'tricore xtensa xtensaeb',
};
