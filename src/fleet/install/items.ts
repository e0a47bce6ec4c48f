import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { InitSystem } from '../../system/services/init-system.ts';
import { COMMON_NODE, withInterpreter } from './interpreter.ts';
import type { Layout } from './layout.ts';

/** One thing to install. `path` is absolute, without the destination folder. */
export type Item =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly text: string | Uint8Array }
  /** Belongs to the administrator once installed: a changed one is kept. */
  | { readonly kind: 'config'; readonly path: string; readonly mode: number; readonly text: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface ItemOptions {
  /** Folder of the package: with `bin`, `dist`, `etc`, `systemd`. */
  readonly source: string;
  readonly layout: Layout;
  /** Program that runs the tools and the generator, absolute. */
  readonly node: string;
  /** Kind of the init script: that of OpenRC, or the LSB one, which the others read. */
  readonly initSystem: InitSystem;
}

const TOOLS = ['qemu-init', 'qemu-mon', 'qemu-cmd', 'qemu-netif'];

/** Everything to install, in the order of writing: files come before those that refer to them. */
export function collectItems({ source, layout, node, initSystem }: ItemOptions): Item[] {
  const fit = (text: string): string =>
    text
      .replaceAll(COMMON_NODE, node)
      .replaceAll('/usr/lib/qemu-init', layout.libDir)
      .replaceAll(/\/usr\/bin\/(qemu-(?:init|mon|cmd|netif))\b/g, `${layout.binDir}/$1`);
  const file = (path: string, from: string, mode = 0o644): Item => {
    const bytes = readFileSync(join(source, from));
    // All is text but the code cache.
    return { kind: 'file', path, mode, text: from.endsWith('.cache') ? bytes : bytes.toString('utf8') };
  };
  const fitted = (path: string, from: string, mode = 0o644): Item => {
    return { kind: 'file', path, mode, text: fit(readFileSync(join(source, from), 'utf8')) };
  };
  const tool = (item: Item): Item => {
    if (item.kind !== 'file' || typeof item.text !== 'string') return item;
    const isTool = dirname(item.path) === `${layout.libDir}/bin`;
    return isTool ? { ...item, text: withInterpreter(item.text, node) } : item;
  };
  const inFolder = (folder: string): string[] =>
    existsSync(join(source, folder)) ? readdirSync(join(source, folder)) : [];

  const program = [
    'dist/bin',
    'dist/man',
    'dist/web',
    'bin',
    'etc/qemu',
    'etc/init.d',
    'etc/openrc',
    'etc/completions',
    'etc/logrotate',
    'etc/ocf',
    'etc/polkit',
    'etc/sudoers',
    'systemd',
    'package.json',
    'LICENSE',
  ]
    .flatMap((part) => filesBelow(join(source, part)))
    .filter((path) => !path.endsWith('.map'))
    .map((path) => tool(file(join(layout.libDir, relative(source, path)), relative(source, path), modeOf(path))));
  const units = inFolder('systemd').flatMap((name): Item[] => {
    const from = join('systemd', name);
    if (name === 'user') return [];
    if (name.endsWith('.tmpfiles.conf')) return [fitted(`${layout.tmpfilesDir}/qemu-init.conf`, from)];
    if (name.endsWith('.sysusers.conf')) return [fitted(`${layout.sysusersDir}/qemu-init.conf`, from)];
    // Units call these in the program's own folder.
    if (['qemu-ended', 'qemu-reload', 'qemu-unlimited'].includes(name)) return [];
    if (name === 'qemu-generator') return [fitted(`${layout.generatorDir}/${name}`, from, 0o755)];
    return [fitted(`${layout.unitDir}/${name}`, from)];
  });
  const userUnits = inFolder('systemd/user').map((name) => {
    const from = join('systemd/user', name);
    if (name === 'qemu-user-generator') return fitted(`${layout.userGeneratorDir}/${name}`, from, 0o755);
    return fitted(`${layout.userUnitDir}/${name}`, from);
  });
  const manuals = inFolder('dist/man').flatMap((name): Item[] => {
    const section = /\.([1578])$/.exec(name)?.[1];
    return section === undefined ? [] : [file(`${layout.manDir}/man${section}/${name}`, join('dist/man', name))];
  });
  const completions = TOOLS.flatMap((tool): Item[] => [
    { kind: 'file', path: `${layout.bashDir}/${tool}`, mode: 0o644, text: readIfThere(source, 'qemu-init.bash') },
    { kind: 'file', path: `${layout.fishDir}/${tool}.fish`, mode: 0o644, text: readIfThere(source, `${tool}.fish`) },
  ]).concat({
    kind: 'file',
    path: `${layout.zshDir}/_qemu-init`,
    mode: 0o644,
    text: readIfThere(source, '_qemu-init'),
  });
  const polkit = inFolder('etc/polkit').map((name) => file(`${layout.polkitDir}/${name}`, join('etc/polkit', name)));
  const script = join(source, initSystem === 'openrc' ? 'etc/openrc/qemu-init' : 'etc/init.d/qemu-init');
  const initScript: Item[] = existsSync(script)
    ? [config(layout.initScript, fit(readFileSync(script, 'utf8')), 0o755)]
    : [];
  const logrotate = inFolder('etc/logrotate').map((name) =>
    config(`${layout.logrotateDir}/${name}`, readFileSync(join(source, 'etc/logrotate', name), 'utf8'), 0o644),
  );
  const agents = inFolder('etc/ocf').map((name) => fitted(`${layout.ocfDir}/${name}`, join('etc/ocf', name), 0o755));
  const configuration = inFolder('etc/qemu').map((name): Item => {
    const text = readFileSync(join(source, 'etc/qemu', name), 'utf8');
    return config(`${layout.etcDir}/${name}`, name === 'defaults-qemu.cfg' ? harden(text) : text, 0o644);
  });

  return [
    ...program,
    ...TOOLS.map(
      (tool): Item => ({ kind: 'link', path: `${layout.binDir}/${tool}`, target: `${layout.libDir}/bin/${tool}` }),
    ),
    ...['qemu-brup', 'qemu-brdown'].map(
      (name): Item => ({ kind: 'link', path: `${layout.etcDir}/${name}`, target: `${layout.binDir}/qemu-netif` }),
    ),
    ...configuration,
    ...initScript,
    ...logrotate,
    ...polkit,
    ...agents,
    ...manuals,
    ...completions.filter((item) => item.kind !== 'file' || item.text !== ''),
    ...units,
    ...userUnits,
    // Otherwise systemd-sysv-generator(8) would create a second service from the init script, in addition to the units.
    { kind: 'link', path: `${layout.unitDir}/qemu-init.service`, target: '/dev/null' },
  ];
}

/** Defaults of an installed host, stricter than the built-in ones: QEMU without rights, in its sandbox. */
const HARDENED: Readonly<Record<string, string>> = { NETIF: 'managed', RUNAS: 'auto', SANDBOX: 'on', VNC: 'unix' };

/** Sets the hardened values below their commented-out lines. */
function harden(text: string): string {
  return text.replaceAll(/^#([A-Z]+)=.*$/gm, (line, key: string) => {
    const value = HARDENED[key];
    return value === undefined ? line : `${key}=${value}`;
  });
}

function config(path: string, text: string, mode: number): Item {
  return { kind: 'config', path, mode, text };
}

function readIfThere(source: string, name: string): string {
  const path = join(source, 'etc/completions', name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Sorted: the packs of a build come before the tools that load them. */
function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]));
}

function modeOf(path: string): number {
  return (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755;
}
