import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CliOptions, type CliResult, parseJson, type RunningCli, runCli, spawnCli, type Tool } from './cli.ts';
import { assertDocument } from './documents.ts';
import { type GuestOptions, guestDisk } from './guest-disk.ts';
import { claimPorts } from './own-ports.ts';
import { type Cleanup, type TempRoot, tempRoot } from './temp-root.ts';

/** A machine that starts fast and takes little: nothing but the console and the monitors. */
export const LIGHT = 'RAM=8M\nKVM=off\nVNC=off\nVGA=none\nQGA=off\nRNG=off\nBALLOON=off\n';

/** A scratch root with machines in it, and the tools at work there. */
export interface Lab extends TempRoot {
  /**
   * Writes a {@link LIGHT} machine with the tiny guest and the given lines, and registers it under its own name. A root
   * without a monitor.conf gets ports of its own.
   */
  add(name: string, lines?: string, guest?: GuestOptions): string;
  /** Gives the scratch root ports that no other one has, and returns the first. */
  ownPorts(): number;
  /** Runs qemu-init to its end. */
  init(...args: readonly string[]): Promise<CliResult>;
  /** Runs qemu-cmd to its end. */
  cmd(...args: readonly string[]): Promise<CliResult>;
  run(tool: Tool, args: readonly string[], options?: CliOptions): Promise<CliResult>;
  spawn(tool: Tool, args: readonly string[], options?: CliOptions): RunningCli;
  /** Runs qemu-init, which has to succeed, and returns what it printed. */
  ok(...args: readonly string[]): Promise<string>;
  /** Runs qemu-init with --json and returns the document, whatever the exit status. */
  json(...args: readonly string[]): Promise<readonly JsonObject[]>;
  /** The same of a document about one machine. */
  one(...args: readonly string[]): Promise<JsonObject>;
  /** The state of a machine, as `status` says it. */
  state(name: string): Promise<unknown>;
  /** Path of a file in the run-time folder of a machine. */
  file(machine: string, ...parts: readonly string[]): string;
  /** What the guest printed. */
  console(machine: string): string;
  /** All that stopped machines must not leave: programs, and what lies in the run-time folder. */
  leftovers(): string[];
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** @param given options of all runs of the tools. */
export function lab(t: Cleanup, given: CliOptions = {}): Lab {
  const root = tempRoot(t);
  const run = (tool: Tool, args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
    runCli(tool, args, { root: root.dir, ...given, ...options });
  const init = (...args: readonly string[]): Promise<CliResult> => run('qemu-init', args);
  const json = async (...args: readonly string[]): Promise<readonly JsonObject[]> => {
    const document = parseJson(await init(...args, '--json'));
    assert.ok(Array.isArray(document), 'a JSON document is an array');
    assertDocument(document, args[0] ?? '');
    return document;
  };
  const ownPorts = (): number => {
    const monitorPort = claimPorts(t);
    root.write('etc/qemu/monitor.conf', `MONPORT=${monitorPort}\nVNCDISPLAY=${monitorPort - 18_000}\n`);
    return monitorPort;
  };
  return {
    ...root,
    add(name, lines = '', guest = {}) {
      if (!existsSync(join(root.etcDir, 'monitor.conf'))) ownPorts();
      if (!lines.includes('DSK1=')) guestDisk(root.etcDir, { ...guest, name: `${name}.img` });
      const disk = lines.includes('DSK1=') ? '' : `DSK1=${name}.img\n`;
      const path = root.write(`etc/qemu/${name}-qemu.cfg`, merge(`${LIGHT}${disk}`, lines));
      appendFileSync(join(root.etcDir, 'qemu-init.reg'), `${name}=${name}\n`);
      return path;
    },
    ownPorts,
    init,
    cmd: (...args) => run('qemu-cmd', args),
    run,
    spawn(tool, args, options = {}) {
      const running = spawnCli(tool, args, { root: root.dir, ...given, ...options });
      // A test that fails must not wait for it.
      t.after(() => void running.child.kill('SIGKILL'));
      return running;
    },
    async ok(...args) {
      const result = await init(...args);
      assert.equal(result.code, 0, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
      return result.stdout;
    },
    json,
    async one(...args) {
      const document = await json(...args);
      assert.equal(document.length, 1);
      return document[0] ?? {};
    },
    state: async (name) => (await json('status', name))[0]?.['state'],
    file: (machine, ...parts) => join(root.runDir, machine, ...parts),
    console: (machine) => readFileSync(join(root.logDir, `${machine}.console`), 'latin1'),
    // A holder's file in the lock of the slots, the leases or the registry says that a command was killed there; the next who locks takes it away.
    leftovers: () => [
      ...programsNaming(root.dir),
      ...filesIn(root.runDir).filter((file) => !/^\.(?:slots|leases|registry)\.lock\//.test(file)),
    ],
  };
}

/** Lines that set a key again replace it. */
function merge(base: string, lines: string): string {
  const keys = new Set(lines.split('\n').map((line) => line.split('=')[0] ?? ''));
  const kept = base.split('\n').filter((line) => !keys.has(line.split('=')[0] ?? ''));
  return `${kept.join('\n')}\n${lines}`;
}

/** Command lines of all living processes that name a folder, but for this one's own. */
export function programsNaming(dir: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(dir) ? [`${pid}: ${command}`] : [];
      } catch {
        return [];
      }
    });
}

/** Ends all programs of a scratch root at once, as a power cut does. */
export function cutPower({ dir }: { readonly dir: string }): void {
  for (const program of programsNaming(dir)) {
    try {
      process.kill(Number(program.split(':')[0]), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/**
 * Waits until all processes that name a folder are gone, together with their locks. One that ends has no command line any
 * more before the kernel closes its files, so any process that is at that point is waited for.
 */
export async function untilEnded(dir: string): Promise<void> {
  await until(`no process is left that names ${dir}`, () => programsNaming(dir).length === 0 && !isAnyExiting());
}

/** PF_EXITING of linux/sched.h in the flags of proc_pid_stat(5). */
const PF_EXITING = 0x4;

function isAnyExiting(): boolean {
  return readdirSync('/proc').some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [state = '', , , , , , flags = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return !['Z', 'X'].includes(state) && (Number(flags) & PF_EXITING) !== 0;
    } catch {
      return false;
    }
  });
}

/** All that is no folder of ours, but for half-written slots, which the next writer of the same slot removes. */
function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => {
    if (/^\.slots\/\.\d+\.[\d-]+\.tmp$/.test(name)) return false;
    return !name.startsWith('.') || statSync(join(dir, name), { throwIfNoEntry: false })?.isDirectory() !== true;
  });
}

/** Resolves once `condition` holds; fails after `timeoutMs` with what it was. */
export async function until(what: string, condition: () => unknown, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`It did not come true that ${what}`);
    await sleep(10);
  }
}

/** A TCP port of 127.0.0.1 that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('No port was given');
  return address.port;
}
