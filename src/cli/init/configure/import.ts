import { resolve } from 'node:path';
import { abortError } from '../../../base/abort.ts';
import { QemuError } from '../../../base/errors.ts';
import { formatIssue } from '../../../config/text/issues.ts';
import type { ImportItem } from '../../../provision/import/draft.ts';
import { definitionsIn, isFolder } from '../../../provision/import/folder.ts';
import type { ImportFormat } from '../../../provision/import/format.ts';
import { LARGEST_DEFINITION } from '../../../provision/import/import.ts';
import type { ImportResult, ImportSource } from '../../../provision/import/import-file.ts';
import { readAll } from '../../input/read-all.ts';
import { showProgress } from '../../output/progress.ts';
import { describeError, errorDocument } from '../../output/report.ts';
import type { Context } from '../../run/context.ts';
import { exitCodeOf, worst } from '../../run/exit-code.ts';

interface Arguments {
  readonly files?: readonly string[];
  readonly pid?: string;
  readonly format?: ImportFormat;
  readonly name?: string;
  readonly output?: string;
  readonly storage?: readonly string[];
  readonly force: boolean;
  readonly copyDisks?: boolean;
  readonly dryRun?: boolean;
}

/** How one definition went. */
type Row = { readonly imported: ImportResult } | { readonly name: string; readonly error: unknown };

/** Imports definitions of machines of other programs; every one is tried. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output } = context;
  const sources = await sourcesOf(args, context.signal);
  const rows: Row[] = [];
  for (const source of sources) rows.push(await importOne(context, source, args));
  for (const row of rows) await show(context, row, args);
  if (output.json && args.output !== '-') output.document(rows.map((row) => documentOf(row, args)));
  const tried = rows.flatMap((row) => ('imported' in row ? [row.imported] : []));
  if (!output.json && sources.length > 1) output.line(summary(tried, rows.length));
  return worst(rows.map(codeOf));
}

async function sourcesOf(args: Arguments, signal: AbortSignal): Promise<ImportSource[]> {
  const { files: named = [], pid, name, output, copyDisks, force } = args;
  if (pid !== undefined && !/^[1-9]\d{0,9}$/.test(pid))
    throw new QemuError('QEMU_USAGE', `"${pid}" is not a process ID`);
  if ((named.length === 0) === (pid === undefined)) {
    throw new QemuError('QEMU_USAGE', 'Give files to import, or --pid', {
      hint: 'for example: qemu-init import web.xml',
    });
  }
  const files = named.flatMap((path) => (path !== '-' && isFolder(path) ? definitionsIn(path) : [path]));
  if (files.length > 1 && (name !== undefined || output === '-')) {
    throw new QemuError('QEMU_USAGE', `${name === undefined ? '--output -' : '--name'} is for one file`);
  }
  if (copyDisks && (force || output === '-')) {
    throw new QemuError('QEMU_USAGE', `--copy-disks cannot be combined with ${force ? '--force' : '--output -'}`);
  }
  if (pid !== undefined) return [{ kind: 'process', pid: Number(pid) }];
  const sources: ImportSource[] = [];
  for (const path of files) {
    sources.push(
      path === '-' ? { kind: 'text', text: await readAll(LARGEST_DEFINITION + 1, signal) } : { kind: 'file', path },
    );
  }
  return sources;
}

async function importOne(context: Context, source: ImportSource, args: Arguments): Promise<Row> {
  const { output, signal } = context;
  const { format, name, copyDisks, force } = args;
  const storages = storagesOf(args.storage ?? []);
  const isShown = args.output === '-';
  const options = { format, name, storages, copyDisks, force, signal, dryRun: isShown || args.dryRun };
  const dir = isShown ? undefined : args.output;
  try {
    const imported = await showProgress(output, name ?? labelOf(source), (onProgress) =>
      context.fleet().import(source, { ...options, dir, onProgress }),
    );
    return { imported };
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    return { name: labelOf(source), error };
  }
}

function labelOf(source: ImportSource): string {
  if (source.kind === 'file') return source.path;
  return source.kind === 'process' ? `process ${source.pid}` : 'standard input';
}

function storagesOf(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) throw new QemuError('QEMU_USAGE', `"${word}" is not NAME=PATH`);
      return [word.slice(0, at), resolve(word.slice(at + 1))];
    }),
  );
}

/** Shows what became of a definition: on standard error what is not as it was, on standard output what was made. */
async function show(context: Context, row: Row, args: Arguments): Promise<void> {
  const { output } = context;
  if ('error' in row) {
    const error = describeError(row.error, output.debug);
    // A mistake in a file has the place in it.
    output.note('error', error.startsWith(`${row.name}:`) ? error : `${row.name}: ${error}`);
    return;
  }
  const { imported } = row;
  const { longName, items, text, configPath: path, copied } = imported;
  for (const issue of imported.issues) output.note(issue.severity, formatIssue(issue));
  for (const item of items) {
    if (item.outcome === 'carried' || item.isPart === true) continue;
    output.note(item.outcome === 'refused' ? 'error' : 'warning', `${longName}: ${lineOf(item)}`);
  }
  if (args.output === '-') {
    output.raw(text);
    return;
  }
  if (path !== undefined) await check(context, path);
  if (output.json) return;
  for (const { key, from, path: to } of copied) output.note('info', `${longName}: ${key}: "${from}" copied to "${to}"`);
  const counts = `(${countsOf(items)})`;
  if (path === undefined) output.line(`${longName}: would be imported ${counts}`);
  else output.line(`${longName}: imported into "${path}" ${counts}; register it: qemu-init register ${longName}`);
}

function lineOf({ line, source, outcome, key, value, reason }: ImportItem): string {
  const now = key === undefined || key === '' ? '' : ` now ${key}${value === undefined ? '' : `=${value}`}`;
  return `line ${line}: ${source}: ${outcome}${now}${reason === undefined ? '' : `: ${reason}`}`;
}

/** What keeps the machine from starting on this host, such as a missing image. */
async function check(context: Context, path: string): Promise<void> {
  const fleet = context.fleet();
  const target = fleet.get(path);
  for (const issue of await fleet.check(target)) {
    context.output.note(issue.severity, formatIssue(issue));
  }
}

const OUTCOMES = ['carried', 'changed', 'lost', 'refused'] as const;

function countsOf(items: readonly ImportItem[]): string {
  return OUTCOMES.map((outcome) => `${items.filter((item) => item.outcome === outcome).length} ${outcome}`).join(', ');
}

function summary(tried: readonly ImportResult[], all: number): string {
  return `${tried.length} of ${all} imported: ${countsOf(tried.flatMap(({ items }) => items))}`;
}

function documentOf(row: Row, args: Arguments): object {
  if ('error' in row) return { name: row.name, outcome: 'failed', error: errorDocument(row.error) };
  const { longName: name, format, items, configPath, copied } = row.imported;
  return {
    name,
    configPath: configPath ?? null,
    outcome: args.dryRun === true ? 'would-import' : 'imported',
    format,
    copied: copied.map(({ key, from, path }) => ({ key, from, path })),
    items: items.map(({ line, source, outcome, key, value, reason }) => ({
      line,
      source,
      outcome,
      key,
      value,
      reason,
    })),
    lost: items
      .filter(({ outcome, isPart }) => (outcome === 'lost' || outcome === 'refused') && isPart !== true)
      .map(({ line, source, reason }) => ({ line, source, reason })),
  };
}

/** Refused parts make the machine incomplete: `QEMU_CONFIG_INVALID`. */
function codeOf(row: Row): number {
  if ('error' in row) return exitCodeOf(row.error);
  const isIncomplete = row.imported.items.some(({ outcome }) => outcome === 'refused');
  return isIncomplete ? exitCodeOf(new QemuError('QEMU_CONFIG_INVALID', '')) : 0;
}
