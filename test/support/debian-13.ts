import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apt, cacheFolder, unpackDeb } from './debian-package.ts';

/** A program of Debian 13 that runs on any Debian. */
export interface Debian13Program {
  /** Name of its folder below the user's cache folder, and of what starts it. */
  readonly folder: string;
  readonly name: string;
  /** What it consists of with all its libraries. */
  readonly packages: readonly string[];
  /** Last lines of the script that starts it: `$d` is the folder, `$loader` runs a program with the libraries in `$lib`. */
  readonly start: string;
}

/** A program, or why there is none. */
export type OtherProgram =
  | { readonly program: string; readonly obstacle?: undefined }
  | { readonly program?: undefined; readonly obstacle: string };

/** Runs by the loader of its own Debian, so that neither a chroot nor root is needed. */
const HEAD = `#!/bin/sh
d=$(dirname "$0")
lib=$d/usr/lib/x86_64-linux-gnu
loader=$d/usr/lib64/ld-linux-x86-64.so.2
`;

/** It is unpacked below the user's cache folder and not installed; downloaded once, in some seconds. */
export function debian13Program(wanted: Debian13Program): OtherProgram {
  if (process.arch !== 'x64') return { obstacle: `${wanted.name} of Debian 13 is unpacked for x86-64 only` };
  const dir = join(cacheFolder(), wanted.folder);
  try {
    if (!existsSync(dir)) unpack(dir, wanted);
    return { program: join(dir, wanted.name) };
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    return { obstacle: `${wanted.name} of Debian 13 could not be downloaded: ${why}` };
  }
}

/** Made aside and renamed, as another test may be doing the same. */
function unpack(dir: string, { name, packages, start }: Debian13Program): void {
  mkdirSync(join(dir, '..'), { recursive: true });
  const fresh = mkdtempSync(`${dir}.`);
  const files = join(fresh, 'files');
  try {
    mkdirSync(files);
    for (const deb of download(fresh, packages)) unpackDeb(deb, files);
    rmSync(join(files, 'usr/share/doc'), { recursive: true, force: true });
    writeFileSync(join(files, name), `${HEAD}${start}\n`);
    chmodSync(join(files, name), 0o755);
    renameSync(files, dir);
  } catch (error) {
    if (!existsSync(dir)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Has an apt with files of its own get the packages and all that they need, as if nothing were installed. */
function download(base: string, packages: readonly string[]): string[] {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  for (const folder of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(base, folder), { recursive: true });
  writeFileSync(join(base, 'status'), '');
  writeFileSync(join(base, 'sources.list'), `deb [signed-by=${keyring}] http://deb.debian.org/debian trixie main\n`);
  const options = [
    `Dir::State=${base}/state`,
    `Dir::State::status=${base}/status`,
    `Dir::Cache=${base}/cache`,
    `Dir::Etc::sourcelist=${base}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferences=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    'APT::Install-Recommends=0',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::Retries=0',
    'Acquire::http::Timeout=10',
    'Debug::NoLocking=1',
    'DPkg::Post-Invoke=',
  ].flatMap((each) => ['-o', each]);
  apt('apt-get', [...options, 'update', '--quiet=2']);
  apt('apt-get', [...options, 'install', '--yes', '--download-only', '--quiet=2', ...packages]);
  const archives = join(base, 'cache/archives');
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name));
}
