import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { apt, debianPackage, updateLists } from './debian-package.ts';

/** A kernel as its Debian package has it, unpacked below the user's cache folder. */
export interface DebianKernel {
  /** Path of vmlinuz. */
  readonly image: string;
  /** The module of that name and all that it needs, in the order in which they are to be loaded. None when built in. */
  modulesFor(names: readonly string[]): ReadonlyMap<string, Uint8Array>;
}

/** `cloud`: small; `full`: with the modules that no cloud needs, as that of 9p. */
export type KernelFlavour = 'cloud' | 'full';

const META_PACKAGES = { cloud: 'linux-image-cloud-amd64', full: 'linux-image-amd64' };

/** The current kernel of this Debian; downloaded once, without being installed. */
export function debianKernel(flavour: KernelFlavour = 'cloud'): DebianKernel {
  const name = packageName(META_PACKAGES[flavour]);
  const dir = debianPackage(name);
  const release = name.replace(/^linux-image-/, '');
  const modules = findModules(join(dir, modulesPath(dir), release));
  return {
    image: join(dir, 'boot', `vmlinuz-${release}`),
    modulesFor: (names) => closure(names, modules),
  };
}

function packageName(metaPackage: string): string {
  const find = (): string | undefined =>
    /^ *Depends: (linux-image-\S+)$/m.exec(apt('apt-cache', ['depends', metaPackage]))?.[1];
  const name = find() ?? (updateLists() ? find() : undefined);
  if (name === undefined) throw new Error(`apt knows no ${metaPackage}; run: sudo apt-get update`);
  return name;
}

/** Debian 13 has moved it below /usr. */
function modulesPath(dir: string): string {
  return existsSync(join(dir, 'usr/lib/modules')) ? 'usr/lib/modules' : 'lib/modules';
}

interface Modules {
  /** Path by name, with underscores. */
  readonly paths: ReadonlyMap<string, string>;
  readonly builtIn: ReadonlySet<string>;
}

function findModules(dir: string): Modules {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) => /\.ko(\.xz)?$/.test(file));
  const builtIn = readFileSync(join(dir, 'modules.builtin'), 'utf8').trim().split('\n');
  return {
    paths: new Map(files.map((file) => [moduleName(file), join(dir, file)])),
    builtIn: new Set(builtIn.map(moduleName)),
  };
}

function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');
}

function closure(names: readonly string[], modules: Modules): Map<string, Uint8Array> {
  const result = new Map<string, Uint8Array>();
  const add = (name: string): void => {
    if (result.has(name) || modules.builtIn.has(name)) return;
    const path = modules.paths.get(name);
    if (path === undefined) throw new Error(`The kernel has no module "${name}"`);
    const data = readModule(path);
    for (const needed of dependencies(data)) add(needed);
    result.set(name, data);
  };
  for (const name of names) add(name);
  return result;
}

function readModule(path: string): Buffer {
  if (!path.endsWith('.xz')) return readFileSync(path);
  return execFileSync('busybox', ['unxz', '-c', path], { maxBuffer: 64 * 1024 * 1024 });
}

/** The list that modinfo(8) prints as "depends"; a module without the field needs none. */
function dependencies(module: Buffer): string[] {
  const field = '\0depends=';
  const start = module.indexOf(field);
  if (start < 0) return [];
  const list = module.subarray(start + field.length, module.indexOf(0, start + field.length)).toString();
  return list === '' ? [] : list.split(',').map((name) => name.replaceAll('-', '_'));
}
