import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import { VERSION } from '../../../base/version.ts';
import { registerSteps, runSteps } from '../../../fleet/install/init-registration.ts';
import { type Change, installItems, refusePackaged } from '../../../fleet/install/install.ts';
import { COMMON_NODE, interpreterFor } from '../../../fleet/install/interpreter.ts';
import { collectItems } from '../../../fleet/install/items.ts';
import { layoutFor } from '../../../fleet/install/layout.ts';
import { packagesOf } from '../../../system/dpkg.ts';
import { initSystem } from '../../../system/services/init-system.ts';
import type { Context } from '../../run/context.ts';
import type { CommonArguments } from '../../run/options.ts';
import { PACKAGE } from '../../run/package-folder.ts';

export interface InstallArguments extends CommonArguments {
  readonly prefix?: string;
  readonly destdir?: string;
  readonly dryRun?: boolean;
}

export async function run(context: Context, args: InstallArguments): Promise<number> {
  const { prefix, destDir, dryRun } = place(args);
  const layout = layoutFor(prefix);
  // A tree for packages is for hosts of any kind.
  const host =
    destDir === ''
      ? { node: interpreterFor(process.execPath), initSystem: initSystem() }
      : { node: COMMON_NODE, initSystem: 'sysv' as const };
  const items = collectItems({ source: PACKAGE, layout, ...host });
  const packaged = await ownedBy(
    destDir,
    items.map(({ path }) => path),
    context.signal,
  );
  refusePackaged(items, packaged);
  const target = { destDir, manifest: layout.manifest, version: VERSION, dryRun, packaged };
  present(context, installItems(items, target), dryRun);
  if (dryRun || destDir !== '') return 0;
  await runSteps(registerSteps(host.initSystem), context.signal);
  // On a host without machines, shows the next step.
  if (context.fleet().list().length === 0) {
    context.output.note(
      'info',
      'next: qemu-init create NAME --disk 8G CDR1=FILE.iso; check the host: qemu-init doctor',
    );
  }
  return 0;
}

/** Paths of the host itself that packages own; with --destdir none. */
export async function ownedBy(
  destDir: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  return destDir === '' ? packagesOf(paths, signal) : new Map();
}

/**
 * The chosen folders.
 *
 * @throws {QemuError} `QEMU_USAGE`, and `QEMU_NOT_PERMITTED` for the host itself without the rights.
 */
export function place(args: InstallArguments): { prefix: string; destDir: string; dryRun: boolean } {
  const { destdir, dryRun = false } = args;
  const prefix = args.prefix ?? (destdir === undefined ? ownPrefix() : undefined) ?? '/usr';
  if (!isAbsolute(prefix)) throw new QemuError('QEMU_USAGE', `--prefix must be an absolute path, not "${prefix}"`);
  const destDir = destdir === undefined ? '' : resolve(destdir);
  if (destDir === '' && !dryRun && process.getuid?.() !== 0) {
    throw new QemuError('QEMU_NOT_PERMITTED', 'Only root can change this host', {
      hint: 'run it as root, or with --destdir or --dry-run',
    });
  }
  return { prefix: resolve(prefix), destDir: destDir === '/' ? '' : destDir, dryRun };
}

/** The prefix that this program was installed to, if it was. */
function ownPrefix(): string | undefined {
  return existsSync(join(PACKAGE, 'installed.json')) ? resolve(PACKAGE, '../..') : undefined;
}

/** Lists every path that is changed or kept; unchanged ones are only counted. */
export function present({ output }: Context, changes: readonly Change[], dryRun: boolean): void {
  if (output.json) {
    output.document(changes.map(({ kind, path }) => ({ path, change: kind, done: !dryRun })));
    return;
  }
  for (const { kind, path } of changes) if (kind !== 'unchanged') output.line(`${WORDS[kind]} ${path}`);
  const same = changes.filter(({ kind }) => kind === 'unchanged').length;
  if (same > 0) output.line(`${same} files are up to date`);
  const done = changes.length - same;
  if (done > 0 && !dryRun) output.line(`${done} files and links, all listed above`);
}

const WORDS = { write: 'write ', keep: 'keep  ', remove: 'remove', unchanged: '' } as const;
