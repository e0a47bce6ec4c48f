import { once } from 'node:events';
import { chmodSync, copyFileSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { machinePaths, resolvePaths } from '../../src/system/paths.ts';
import { type CliResult, runCli } from '../support/cli.ts';
import {
  GUEST_MS,
  LINUX_ADDRESS,
  LINUX_READY,
  type LinuxGuest,
  type LinuxGuestOptions,
  linuxGuest,
} from '../support/linux-guest.ts';
import { repoRoot } from '../support/repo.ts';
import { type Cleanup, type TempRoot, tempRoot } from '../support/temp-root.ts';

/** A scratch host with the bridge hooks in place, and machines that run a real Linux. */
export interface Host extends TempRoot {
  /** Registers a machine; `lines` go into its file besides what boots Linux. */
  register(name: string, lines: readonly string[]): void;
  /** Runs qemu-init. */
  init(...args: readonly string[]): Promise<CliResult>;
  /** Starts machines and waits until their guests are up. */
  start(...names: readonly string[]): Promise<Guest[]>;
  /** Waits until the guests of machines that are running are up. */
  open(...names: readonly string[]): Promise<Guest[]>;
}

/** A guest's root shell on its console. */
export interface Guest {
  readonly name: string;
  /** Runs a command and returns what it printed; fails with that when its status is not 0. */
  sh(command: string, timeoutMs?: number): Promise<string>;
  /** Whether the command ends with status 0. */
  succeeds(command: string): Promise<boolean>;
}

/** What guests have besides the usual: a kernel, its modules, and more of its command line. */
export type HostGuests = Pick<LinuxGuestOptions, 'kernel' | 'modules'> & { readonly append?: string };

export function linuxHost(t: Cleanup, guests: HostGuests = {}): Host {
  const root = tempRoot(t);
  // QEMU may run as a user who cannot look into the cache of the one who tests.
  chmodSync(root.dir, 0o755);
  const guest = linuxGuest(root.dir, guests);
  const append = [guest.append, guests.append ?? ''].join(' ').trim();
  const linux = { ...guest, append, kernel: join(root.dir, 'vmlinuz') };
  copyFileSync(guest.kernel, linux.kernel);
  for (const hook of ['qemu-brup', 'qemu-brdown']) {
    symlinkSync(join(repoRoot, 'bin/qemu-netif'), join(root.etcDir, hook));
  }
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  const names: string[] = [];
  const init = (...args: readonly string[]): Promise<CliResult> =>
    runCli('qemu-init', args, { root: root.dir, timeoutMs: GUEST_MS });
  const open = (...opened: readonly string[]): Promise<Guest[]> =>
    Promise.all(opened.map((name) => openGuest(t, name, machinePaths(paths, name).consoleSocket)));
  return {
    ...root,
    init,
    register(name, lines) {
      root.write(`etc/qemu/${name}-qemu.cfg`, configText(linux, lines));
      names.push(name);
      root.write('etc/qemu/qemu-init.reg', names.map((each) => `${each}=${each}\n`).join(''));
    },
    async start(...started) {
      const result = await init('start', ...started);
      if (result.code !== 0) throw new Error(`Cannot start ${started.join(', ')}: ${result.stderr}`);
      return await open(...started);
    },
    open,
  };
}

function configText(linux: LinuxGuest, lines: readonly string[]): string {
  const given = new Set(lines.map(keyOf));
  const machine = ['RAM=256M', 'KVM=off', 'VNC=off', 'VGA=none', 'CPU=max'].filter((line) => !given.has(keyOf(line)));
  const boot = [`KERNEL=${linux.kernel}`, `INITRD=${linux.initrd}`, `APPEND="${linux.append}"`];
  return [...machine, ...boot, ...lines, ''].join('\n');
}

function keyOf(line: string): string {
  return line.slice(0, line.indexOf('='));
}

/** Connects to the console of a Linux guest, and waits until it is up. */
export async function openGuest(t: Cleanup, name: string, socketPath: string): Promise<Guest> {
  const socket = connect(socketPath);
  t.after(() => {
    socket.destroy();
  });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  const waitFor = async (pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> => {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const match = pattern.exec(text);
      if (match !== null) return match;
      if (text.includes('Kernel panic - not syncing')) throw new Error(`Guest "${name}" panicked:\n${text}`);
      try {
        await once(socket, 'data', { signal });
      } catch (cause) {
        throw new Error(`Guest "${name}" did not print ${pattern} (${String(cause)}), but:\n${text}`, { cause });
      }
    }
  };
  // It may have booted before the console was open; then the shell answers.
  socket.write('\n');
  await waitFor(new RegExp(`${LINUX_READY}|guest# `), GUEST_MS);
  const run = async (command: string, timeoutMs: number): Promise<{ output: string; status: string }> => {
    text = '';
    // What the terminal echoes must not look like the end of the output.
    socket.write(`{ ${command}\n} 2>&1; echo "<"end $?">"\n`);
    const { index, 1: status = '' } = await waitFor(/<end (\d+)>\r?\n/, timeoutMs);
    const echoEnd = text.lastIndexOf('">"', index);
    const output = text.slice(text.indexOf('\n', echoEnd) + 1, index).replaceAll('\r', '');
    // DHCP tells its news on the console at any moment.
    return { output: output.replace(new RegExp(`${LINUX_ADDRESS}.*\n`), ''), status };
  };
  return {
    name,
    async sh(command, timeoutMs = GUEST_MS) {
      const { output, status } = await run(command, timeoutMs);
      if (status !== '0') throw new Error(`"${command}" in guest "${name}" ended with ${status}: ${output}`);
      return output;
    },
    succeeds: async (command) => (await run(command, GUEST_MS)).status === '0',
  };
}
