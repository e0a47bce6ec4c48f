import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { ArgvRequest } from '../../src/machine/argv/request.ts';
import { writeTlsFiles } from '../../src/machine/control/port-tls.ts';
import { startHelpers } from '../../src/machine/start/start-helpers.ts';
import { QmpClient } from '../../src/qmp/client.ts';
import { machinePaths, resolvePaths } from '../../src/system/paths.ts';
import { ARGV_DIR, type ArgvConfig, argvRequest, configOf } from './argv-configs.ts';
import { debian13Qemu } from './debian-13-qemu.ts';
import { emptyKernel } from './empty-kernel.ts';
import { freePort } from './lab.ts';
import type { TempRoot } from './temp-root.ts';

/** The QEMU of this host, and a newer one; `obstacle` says why there is none. */
export const QEMUS: readonly TestedQemu[] = [
  { name: 'QEMU', program: 'qemu-system-x86_64', obstacle: undefined, isNewer: false },
  newerQemu(),
];

interface TestedQemu {
  readonly name: string;
  readonly program: string;
  readonly obstacle: string | undefined;
  readonly isNewer: boolean;
}

function newerQemu(): TestedQemu {
  const { program = '', obstacle } = debian13Qemu();
  return { name: 'QEMU of Debian 13', program, obstacle, isNewer: true };
}

/** Starts QEMU up to its guest's first instruction, and has it quit. */
export async function withQemu(
  program: string,
  request: ArgvRequest,
  options: readonly string[],
  use: (client: QmpClient, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const args = [...options, ...(request.paused || request.preconfig ? [] : ['-S'])];
  const helpers = await socketsOf(request);
  // The fourth is where the socket of passt would be, or the first of another program.
  const sockets = helpers.length > 0 ? helpers : (['pipe'] as const);
  const qemu = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', ...sockets] });
  for (const socket of helpers) socket.destroy();
  let output = '';
  for (const stream of [qemu.stdout, qemu.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const ended = once(qemu, 'close');
  const signal = AbortSignal.any([AbortSignal.timeout(30_000), endSignal(ended)]);
  try {
    const client = await QmpClient.connect({ kind: 'unix', path: request.machine.qmpSocket }, { retry: true, signal });
    await use(client, signal);
    await client.executeRaw('quit', undefined, { signal });
    await client.close();
  } catch (cause) {
    qemu.kill('SIGKILL');
    await ended;
    throw new Error(`QEMU said: ${output}`, { cause });
  }
  const [code] = await ended;
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /deprecated/);
}

async function socketsOf({ config, machine }: ArgvRequest): Promise<Duplex[]> {
  const sockets: Duplex[] = [];
  mkdirSync(machine.dir, { recursive: true });
  const options = { surroundings: [], user: undefined, signal: undefined };
  await startHelpers(config, machine, options, ({ socket }) => sockets.push(socket));
  return sockets;
}

function endSignal(ended: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  ended.then(
    () => controller.abort(),
    () => controller.abort(),
  );
  return controller.signal;
}

/** The same request with the files, ports and rights of this host. */
export async function realRequest(root: TempRoot, config: ArgvConfig): Promise<ArgvRequest> {
  const request = argvRequest(config);
  const [monitorPort, controlPort, vncPort, tcpForward, udpForward] = await freePorts(5);
  const text = config.text
    .replace(/^(VNC=.*):\d+$/m, `$1:${Number(vncPort) - 5900}`)
    .replace('2222', String(tcpForward))
    .replace('5353', String(udpForward))
    .replaceAll('/srv', root.dir);
  const parsed = configOf(text, join(root.etcDir, 'web-qemu.cfg'));
  const here = (path: string): string => path.replace(ARGV_DIR, root.etcDir);
  const { allocation, firmware } = request;
  return {
    ...request,
    config: parsed,
    cdroms: parsed.cdroms,
    images: request.images.map((image) => ({ ...image, file: here(image.file) })),
    machine: machinePaths(resolvePaths({ root: root.dir }, {}, 0, '/'), 'web'),
    accelerator: 'tcg',
    allocation: {
      ...allocation,
      monitorPort: allocation.monitorPort && monitorPort,
      controlPort: allocation.controlPort && controlPort,
      vncDisplay: allocation.vncDisplay && Number(vncPort) - 5900,
    },
    firmware: firmware && {
      ...firmware,
      code: here(firmware.code),
      variables: firmware.variables && here(firmware.variables),
    },
    // Making taps needs rights, and is tested with the network.
    links: request.links.map((link, at) => {
      const { net, hostForwards } = parsed.nics[at] ?? {};
      if (net === 'bridge') return { ...link, netdev: { type: 'hubport', id: `net${at}`, hubid: at } };
      const hostfwd = (hostForwards ?? []).map(({ protocol, hostAddress, hostPort, guestAddress, guestPort }) => ({
        str: `${protocol}:${hostAddress}:${hostPort}-${guestAddress}:${guestPort}`,
      }));
      return net === 'user' ? { ...link, netdev: { type: 'user', id: `net${at}`, hostfwd } } : link;
    }),
  };
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** Makes the files that a request names: empty images, a kernel that does nothing. */
export function writeFiles({ config, machine, firmware, tls }: ArgvRequest): void {
  mkdirSync(machine.qemuDir, { recursive: true });
  if (tls) writeTlsFiles(machine);
  for (const { file } of [...config.disks, ...config.cdroms]) {
    if (file?.endsWith('.qcow2')) execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M']);
    else if (file !== undefined) blank(file, 1024 ** 2);
  }
  for (const { path } of config.shares) mkdirSync(path, { recursive: true });
  if (config.cloudInit !== undefined) blank(machine.seed, 1024 ** 2);
  if (config.kernel !== undefined) writeFileSync(config.kernel, emptyKernel());
  if (config.initrd !== undefined) blank(config.initrd, 512);
  if (firmware) copyFileSync('/usr/share/seabios/bios-256k.bin', firmware.code);
  if (firmware?.variables !== undefined) blank(firmware.variables, 64 * 1024);
}

function blank(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}
