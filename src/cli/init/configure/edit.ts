import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../../../base/config-error.ts';
import { QemuError } from '../../../base/errors.ts';
import type { Problem } from '../../../base/problem.ts';
import { parseMachineConfig } from '../../../config/machine-config.ts';
import { parseMonitorConfig } from '../../../config/monitor-config.ts';
import { parseRegistry } from '../../../config/registry.ts';
import { formatIssue } from '../../../config/text/issues.ts';
import { shellCommand, splitWords } from '../../../config/text/shell-words.ts';
import { takenNames } from '../../../fleet/taken-names.ts';
import { readConfigText } from '../../../machine/config-text.ts';
import { fileError } from '../../../system/files/file-error.ts';
import { ensureDir } from '../../../system/files/files.ts';
import { removeWhole } from '../../../system/files/remove-tree.ts';
import { writeFileAtomic } from '../../../system/files/write-file.ts';
import { withLock } from '../../../system/lock/lock.ts';
import { runInteractive } from '../../../system/process/run-interactive.ts';
import { readTrustedText, trustPath } from '../../../system/trust/trusted-path.ts';
import { ask } from '../../input/ask.ts';
import type { Context } from '../../run/context.ts';

interface Arguments {
  readonly id?: string;
  readonly registry: boolean;
  readonly monitor: boolean;
  readonly defaults: boolean;
}

/** A file and the check for its text. */
interface Editable {
  readonly path: string;
  readonly check: (text: string) => readonly Problem[];
}

/**
 * Edits a copy, and puts it in place only when it is free of errors, as visudo(8) does. The copy is in a folder that is
 * closed to others: editors follow links, and write files next to the one they edit.
 */
export async function run(context: Context, args: Arguments): Promise<number> {
  const editable = await choose(context, args);
  const { path } = editable;
  const before = read(path);
  const folder = makeFolder();
  let keep = false;
  try {
    const copy = join(folder, basename(path));
    writeFileAtomic(copy, before ?? '', 0o600);
    const text = await editUntilGood(context, editable, copy);
    if (text === (before ?? '')) {
      context.output.line(`${path}: unchanged`);
      return 0;
    }
    keep = true;
    await install(context, path, before, text, copy);
    keep = false;
    context.output.line(`${path}: installed`);
    return 0;
  } finally {
    if (!keep) removeWhole(folder);
  }
}

/** Larger than any useful file: one that has grown too large can still be edited. */
const MOST_BYTES = 64 * 1024 ** 2;

/** Undefined when the file does not exist. Only files that others cannot change are edited. */
function read(path: string): string | undefined {
  return readTrustedText(path, MOST_BYTES);
}

function makeFolder(): string {
  const prefix = join(tmpdir(), 'qemu-init-edit-');
  let folder: string;
  try {
    folder = mkdtempSync(prefix);
  } catch (error) {
    throw fileError('make a folder at', prefix, error);
  }
  trustPath(folder);
  return folder;
}

/** Installs the text, unless another process changed the file while it was being edited. */
async function install(
  context: Context,
  path: string,
  before: string | undefined,
  text: string,
  copy: string,
): Promise<void> {
  const { paths, signal } = context;
  ensureDir(paths.runDir, 0o711);
  await withLock(paths.registryLock, { timeoutMs: LOCK_TIMEOUT_MS, signal, purpose: 'edit' }, async () => {
    if (read(path) !== before) {
      throw new QemuError('QEMU_IO', `"${path}" was changed by another process in the meantime`, {
        hint: `your text is in "${copy}"`,
      });
    }
    ensureDir(dirname(path), 0o755);
    writeFileAtomic(path, text, undefined, { durable: true });
  });
}

/** Runs the editor until the text is good or the user gives up; without a terminal, once. */
async function editUntilGood(context: Context, editable: Editable, copy: string): Promise<string> {
  const { output } = context;
  for (;;) {
    await runEditor(context, copy);
    const read = readConfigText(copy);
    const issues = 'text' in read ? editable.check(read.text) : [{ ...read.issue, file: editable.path }];
    const errors = issues.filter(({ severity }) => severity === 'error');
    if ('text' in read && errors.length === 0) {
      for (const issue of issues) output.note('warning', formatIssue(issue));
      return read.text;
    }
    if (!(process.stdin.isTTY && process.stderr.isTTY) || !(await wantsToGoOn(context, errors))) {
      throw new ConfigError(`"${editable.path}" was not changed: the edited text has mistakes`, errors);
    }
  }
}

async function runEditor({ paths }: Context, file: string): Promise<void> {
  const chosen = process.env['VISUAL'] || process.env['EDITOR'] || undefined;
  // VISUAL or EDITOR may be a script; vi would wait for keys that never come.
  if (chosen === undefined && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new QemuError('QEMU_USAGE', 'There is no terminal to edit on', {
      hint: `set EDITOR to a program that needs no terminal, or change the file directly, in ${shellCommand(paths.etcDir)}`,
    });
  }
  const editor = chosen ?? 'vi';
  const [program = 'vi', ...args] = splitWords(editor);
  const code = await runInteractive(program, [...args, file]);
  if (code !== 0) throw new QemuError('QEMU_COMMAND_FAILED', `The editor "${program}" ended with exit status ${code}`);
}

async function wantsToGoOn(context: Context, errors: readonly Problem[]): Promise<boolean> {
  for (const issue of errors) context.output.note('error', formatIssue(issue));
  const answer = await ask('Edit again (e) or leave the file unchanged (x)? ', context.signal);
  return answer !== '' && !answer.toLowerCase().startsWith('x');
}

const LOCK_TIMEOUT_MS = 60_000;

async function choose(context: Context, args: Arguments): Promise<Editable> {
  const { paths } = context;
  const given = [args.id !== undefined, args.registry, args.monitor, args.defaults].filter(Boolean).length;
  if (given > 1) throw new QemuError('QEMU_USAGE', 'More than one file to edit was given');
  if (args.monitor)
    return { path: paths.monitorFile, check: (text) => parseMonitorConfig(text, paths.monitorFile).issues };
  if (args.id === undefined && !args.defaults) {
    const check = (text: string): Problem[] => [
      ...parseRegistry(text, paths.registryFile).issues,
      ...takenNames(paths, text),
    ];
    return { path: paths.registryFile, check };
  }
  if (args.defaults) return { path: paths.defaultsFile, check: (text) => checkDefaults(text, paths.defaultsFile) };
  const { configPath: path } = await context.fleet().settled(args.id ?? '');
  return { path, check: (text) => checkMachineText(text, path, paths.defaultsFile) };
}

function checkMachineText(text: string, path: string, defaultsPath: string): readonly Problem[] {
  const below = read(defaultsPath);
  const defaults = below === undefined ? undefined : { path: defaultsPath, text: below };
  // Mistakes in the defaults are not caused by this edit.
  return parseMachineConfig(text, { path, defaults }).issues.filter(({ file }) => file === path);
}

/** The defaults as they would be for a machine whose own file is empty. */
function checkDefaults(text: string, path: string): readonly Problem[] {
  const machine = join(dirname(path), 'any-qemu.cfg');
  return parseMachineConfig('', { path: machine, defaults: { path, text } }).issues.filter(({ file }) => file === path);
}
