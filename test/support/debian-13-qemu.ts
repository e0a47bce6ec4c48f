import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apt, cacheFolder, unpackDeb } from './debian-package.ts';

/** What a QEMU with all its libraries consists of; the last two have devices that are modules of their own. */
const PACKAGES = ['qemu-system-x86', 'qemu-system-modules-opengl', 'qemu-system-modules-spice'];

/** Runs QEMU by the loader of its own Debian, so that neither a chroot nor root is needed. */
const WRAPPER = `#!/bin/sh
d=$(dirname "$0")
lib=$d/usr/lib/x86_64-linux-gnu
QEMU_MODULE_DIR=$lib/qemu exec "$d/usr/lib64/ld-linux-x86-64.so.2" --library-path "$lib" \\
  "$d/usr/bin/qemu-system-x86_64" -L "$d/usr/share/qemu" -L "$d/usr/share/seabios" "$@"
`;

/** A QEMU, or why there is none. */
export type OtherQemu =
  | { readonly program: string; readonly obstacle?: undefined }
  | { readonly program?: undefined; readonly obstacle: string };

/** The QEMU of Debian 13, unpacked below the user's cache folder and not installed; downloaded once, in some seconds. */
export function debian13Qemu(): OtherQemu {
  if (process.arch !== 'x64') return { obstacle: 'QEMU of Debian 13 is unpacked for x86-64 only' };
  const dir = join(cacheFolder(), 'trixie-qemu');
  try {
    if (!existsSync(dir)) unpack(dir);
    return { program: join(dir, 'qemu') };
  } catch (error) {
    return { obstacle: `QEMU of Debian 13 could not be downloaded: ${error instanceof Error ? error.message : error}` };
  }
}

/** Made aside and renamed, as another test may be doing the same. */
function unpack(dir: string): void {
  mkdirSync(join(dir, '..'), { recursive: true });
  const fresh = mkdtempSync(`${dir}.`);
  const files = join(fresh, 'files');
  try {
    mkdirSync(files);
    for (const deb of download(fresh)) unpackDeb(deb, files);
    rmSync(join(files, 'usr/share/doc'), { recursive: true, force: true });
    writeFileSync(join(files, 'qemu'), WRAPPER);
    chmodSync(join(files, 'qemu'), 0o755);
    renameSync(files, dir);
  } catch (error) {
    if (!existsSync(dir)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Has an apt with files of its own get the packages and all that they need, as if nothing were installed. */
function download(base: string): string[] {
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
  apt('apt-get', [...options, 'install', '--yes', '--download-only', '--quiet=2', ...PACKAGES]);
  const archives = join(base, 'cache/archives');
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name));
}
