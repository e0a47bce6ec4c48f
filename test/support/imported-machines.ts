import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { QemuError } from '../../src/base/errors.ts';
import { parseMachineConfig } from '../../src/config/machine-config.ts';
import type { MachineConfig } from '../../src/config/types.ts';
import { importDefinition } from '../../src/provision/import/import.ts';
import { importOwnFile } from '../../src/provision/import/own-file.ts';
import { Fleet } from '../../src/provision/library/fleet.ts';
import { emptyKernel } from './empty-kernel.ts';
import type { Definition } from './import-files.ts';
import { repoRoot } from './repo.ts';
import type { TempRoot } from './temp-root.ts';

/** What became of a definition, when all went as it should. */
export type Fate =
  /** It is no machine here, and the import says why. */
  | { readonly kind: 'not imported'; readonly why: string }
  /** `check` says why it does not start. */
  | { readonly kind: 'not good'; readonly why: string }
  /** It does not start, and `check` warns of what only a start shows. */
  | { readonly kind: 'not tried'; readonly why: string }
  /** `check` finds no error, and QEMU is at the guest's first instruction. */
  | { readonly kind: 'started' };

/** How the host is prepared for the machines. */
export interface ImportHost {
  readonly root: TempRoot;
  readonly fleet: Fleet;
  /** QEMU for x86-64 instead of the one of this host. */
  readonly program?: string | undefined;
  /** Makes a bridge; without it no NIC is on one. */
  readonly makeBridge?: ((name: string) => void) | undefined;
}

export function importHost(root: TempRoot, more: Pick<ImportHost, 'program' | 'makeBridge'> = {}): ImportHost {
  for (const hook of ['qemu-brup', 'qemu-brdown']) {
    symlinkSync(join(repoRoot, 'bin/qemu-netif'), join(root.etcDir, hook));
  }
  return { root, fleet: Fleet.open({ root: root.dir, services: 'none' }), ...more };
}

/**
 * Imports a definition, makes the files that the machine names, asks `check`, and starts what is good up to its guest's
 * first instruction.
 *
 * @throws {Error} when a machine that `check` finds good does not start.
 */
export async function fateOf(host: ImportHost, definition: Definition): Promise<Fate> {
  const { root, fleet } = host;
  let text: string;
  try {
    text = importAt(root, definition);
  } catch (error) {
    if (error instanceof QemuError) return { kind: 'not imported', why: error.message };
    throw error;
  }
  rmSync(join(root.dir, 'img'), { recursive: true, force: true });
  const path = root.write(`etc/qemu/${NAME}-qemu.cfg`, onThisHost(host, text));
  const target = fleet.get(path);
  const { draft } = fleet.inspect(target);
  if (draft) makeFiles(host, draft);
  const [checked] = await fleet.checkMany([target], { tryStart: 'when needed' });
  if (!checked?.ok) throw new Error(`check failed: ${String(checked?.error)}`);
  const errors = checked.value.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    return { kind: 'not good', why: errors.map(({ key, message }) => `${key}: ${message}`).join('\n') };
  try {
    await fleet.start(target, { paused: true });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    // A bridge may become one for VLANs until the start, and some kernels have none; a socket may come.
    const isWarned = checked.value.some(({ message }) =>
      /only a start shows|VLAN-aware|"-chardev" in .* does not exist/.test(message),
    );
    if (isWarned) return { kind: 'not tried', why: said };
    throw new Error(`check finds it good, but: ${said}\n${definition.text}\n---\n${text}`, { cause });
  } finally {
    await fleet.stop(target, { force: true });
  }
  return { kind: 'started' };
}

const NAME = 'imported';

/** As if each file that a definition names were there, and each storage of Proxmox VE a folder. */
function importAt(root: TempRoot, { path, text, format }: Definition): string {
  const volumes = [...text.matchAll(/^(?:[a-z]+\d+|cdrom): *(?:file=)?([\w-]+):/gm)].map(([, name = '']) => name);
  const storages = new Map(volumes.map((name) => [name, `/${name}`]));
  const files = { dir: dirname(`/${path}`), exists: () => true, read: () => undefined, storages };
  if (format !== 'ozone') {
    return importDefinition(text, { path: `/${path}`, files, etcDir: '/etc/qemu', format, name: NAME }).text;
  }
  const json = root.write('definition.json', text);
  return importOwnFile(json, text, format, NAME).text;
}

/** The same machine without what only its own host can give: KVM, devices, sound, users, an uplink, and the folders of its files. */
function onThisHost({ root, program, makeBridge }: ImportHost, text: string): string {
  const { draft } = parseMachineConfig(text, { path: `/etc/qemu/${NAME}-qemu.cfg` });
  let moved = text
    .replaceAll(/^(?:USB|PCI)\d+=.*\n/gm, '')
    .replaceAll(/^(?:KVM|RUNAS|HUGEPAGES)=.*$/gm, (line) => (line.startsWith('KVM') ? 'KVM=off' : ''))
    .replaceAll(/^(SOUND="?\w+),backend=(?!none|spice)\w+/gm, '$1')
    .replaceAll(/^(NIC\d+=.*)net=passt/gm, '$1net=user')
    .replace(/^CPU="?host\b(?!-)/m, (line) => line.replace('host', 'max'));
  if (!makeBridge) moved = moved.replaceAll(/^NIC\d+=.*$/gm, offBridge);
  const own = draft ? filesOf(draft) : [];
  for (const file of [...new Set(own)].sort((one, other) => other.length - one.length)) {
    moved = moved.replaceAll(new RegExp(`(?<=[="])${escaped(file.replaceAll(',', ',,'))}(?=[,"\n])`, 'g'), () =>
      join(root.dir, 'img', file).replaceAll(',', ',,'),
    );
  }
  // The files that stand for its devices are none.
  moved = moved.replaceAll(/(^-blockdev .*?"?driver"?[=:]"?)host_(?:device|cdrom)/gm, '$1file');
  moved = moved.replaceAll(IN_CUSTOM, (_all, before: string, file: string) => {
    image(join(root.dir, 'img', file), file.endsWith('.qcow2') ? 'qcow2' : 'raw');
    return `${before}${join(root.dir, 'img', file)}`;
  });
  if (program === undefined || !/x86_64/.test(draft?.targetArch ?? '')) return moved;
  return `TGTARCH=${program}\n${moved.replace(/^TGTARCH=.*\n/m, '')}`;
}

/** Images that raw options name. */
const IN_CUSTOM = /(^-(?:drive|blockdev) .*?\bfile(?:name)?"?[=:]"?)(\/[^,"'\s]+)/gm;

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

function offBridge(line: string): string {
  if (/net=(?:user|none|passt)/.test(line)) return line;
  return line
    .replaceAll(/,(?:net|bridge|vlan|queues|rate|mtu|isolated|lock)=[^,"\n]*/g, '')
    .replace(/"?$/, ',net=none"')
    .replace(/="?/, '="');
}

function filesOf(config: MachineConfig): string[] {
  const all = [
    ...[...config.disks, ...config.cdroms].map(({ file }) => file),
    ...config.disks.flatMap(({ backing }) => backing),
    config.kernel,
    config.initrd,
    config.firmware,
    config.firmwareVariables,
    ...config.shares.map(({ path }) => path),
  ];
  return all.filter((file): file is string => file?.startsWith('/') === true);
}

function makeFiles({ makeBridge }: ImportHost, config: MachineConfig): void {
  for (const { file, format, backing } of config.disks) {
    for (const each of backing) image(each, 'qcow2');
    image(file, format ?? 'raw', backing[0]);
  }
  for (const { file } of config.cdroms) if (file !== undefined) image(file, 'raw');
  for (const { path } of config.shares) mkdirSync(path, { recursive: true });
  if (config.kernel !== undefined) put(config.kernel, emptyKernel());
  if (config.initrd !== undefined) put(config.initrd, Buffer.alloc(512));
  if (config.firmware.startsWith('/')) put(config.firmware, readFileSync('/usr/share/seabios/bios-256k.bin'));
  if (config.firmwareVariables !== undefined)
    put(config.firmwareVariables, readFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd'));
  if (makeBridge)
    for (const { net, bridge } of config.nics) if (net === 'bridge' && bridge !== undefined) makeBridge(bridge);
}

function put(file: string, content: Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** @param format the name of qemu-img for it. */
function image(file: string, format: string, backing?: string): void {
  if (existsSync(file)) return;
  put(file, new Uint8Array());
  if (format === 'raw') {
    truncateSync(file, 1024 ** 2);
    return;
  }
  const options = backing === undefined ? ['1M'] : [];
  const base = backing === undefined ? [] : ['-b', backing, '-F', 'qcow2'];
  rmSync(file);
  execFileSync('qemu-img', ['create', '-q', '-f', format, ...base, file, ...options]);
}
