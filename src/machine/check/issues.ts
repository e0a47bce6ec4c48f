import { readdirSync } from 'node:fs';
import { basename, dirname, parse } from 'node:path';
import { isNotFound, QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { nearest } from '../../base/text.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';

/** An issue with the line of the key; without a line when the value is a default. */
export function issueAt(config: MachineConfig, key: string, message: string, hint?: string): Problem {
  const origin = config.origins.get(key);
  return {
    file: origin?.file ?? config.path,
    line: origin?.line,
    key,
    message,
    severity: 'error',
    hint,
  };
}

/** What stopped a look at the host, as an issue with the key that led to it. */
export function issueOf(config: MachineConfig, key: string, error: QemuError): Problem {
  const cause = error.cause instanceof Error ? `: ${error.cause.message.split('\n')[0]}` : '';
  const code = error.code === 'QEMU_CONFIG_INVALID' ? undefined : error.code;
  return { ...issueAt(config, key, `${error.message}${cause}`, error.hint), code };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? ` (${cause.message})` : '';
}

/** What to do about a file that is not there. */
export function missingHint(key: string, file: string): string | undefined {
  const name = basename(file);
  if (/\/~|\$/.test(file)) return '"~" and "$" are not expanded: write the full path';
  if (/\/[A-Za-z]:\\/.test(file)) return 'write a path of this host, with "/"';
  const isDisk = /^DSK\d+$/.test(key);
  if (isDisk && /^\d+[KMGT]i?B?$/i.test(name)) {
    return `the value is the path of an image; to create one of that size: qemu-img create -f qcow2 disk.qcow2 ${name}`;
  }
  const near = nearFile(name, namesIn(dirname(file)));
  if (near !== undefined) return `did you mean "${near}"?`;
  return isDisk ? `create it: ${shellCommand('qemu-img', 'create', '-f', formatOf(name), file, '8G')}` : undefined;
}

/** A file of the same kind whose name is near, or one of another kind with the same name. */
function nearFile(name: string, names: readonly string[]): string | undefined {
  const { name: stem, ext } = parse(name);
  const stems = names.map((each) => parse(each)).filter((each) => each.ext === ext);
  const near = nearest(
    stem,
    stems.map((each) => each.name),
  );
  return near === undefined ? names.find((each) => parse(each).name === stem) : `${near}${ext}`;
}

/** What may be meant in a folder: files of the configuration are not. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !/-qemu\.cfg$|\.reg$|\.conf$/.test(name));
  } catch {
    return [];
  }
}

function formatOf(name: string): string {
  return /\.(?:img|raw)$/i.test(name) ? 'raw' : 'qcow2';
}

/** An issue with a file that could not be read. */
export function fileIssue(config: MachineConfig, key: string, file: string, error: unknown): Problem {
  if (!(error instanceof QemuError)) throw error;
  const { cause, code, hint } = error;
  if (cause === undefined && code === 'QEMU_NOT_PERMITTED') return issueOf(config, key, error);
  if (isNotFound(cause)) return issueAt(config, key, `${key} "${file}" does not exist`, missingHint(key, file));
  const issue = issueAt(config, key, `${key} "${file}" cannot be read${reasonOf(cause)}`, hint);
  return code === 'QEMU_NOT_PERMITTED' ? { ...issue, code } : issue;
}
