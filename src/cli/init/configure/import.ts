import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from '../../../base/config-error.ts';
import { QemuError } from '../../../base/errors.ts';
import { renderMachineConfig } from '../../../config/render-machine.ts';
import { formatIssue } from '../../../config/text/issues.ts';
import { isValidName } from '../../../config/text/names.ts';
import { deriveUuid } from '../../../config/uuid.ts';
import { inspectMachineConfig } from '../../../machine/load-config.ts';
import { ensureDir, writeFileAtomic } from '../../../system/files/files.ts';
import { trustPath } from '../../../system/trust/trusted-path.ts';
import type { Context } from '../../run/context.ts';

interface Arguments {
  readonly file: string;
  readonly name?: string;
  readonly output?: string;
  readonly force: boolean;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, paths } = context;
  const source = resolve(args.file);
  if (!existsSync(source)) throw new QemuError('QEMU_MACHINE_UNKNOWN', `There is no file "${source}"`);
  // Without defaults, so that the file means the same on another host.
  const { config, issues, cleared } = inspectMachineConfig(source, '');
  if (!config) throw new ConfigError(`Cannot import "${source}"`, issues);
  for (const issue of issues) output.note(issue.severity, formatIssue(issue));
  const longName = args.name ?? config.longName;
  if (!isValidName(longName)) {
    throw new QemuError('QEMU_USAGE', `"${longName}" is not a valid name for a machine`, {
      hint: 'a name has up to 40 letters, digits, dots, dashes and underscores, and begins with a letter or digit',
    });
  }
  // Values that depend on the file's name follow the new name.
  const name = config.origins.has('NAME') ? config.name : longName;
  const uuid = config.origins.has('UUID') ? config.uuid : deriveUuid(name);
  const text = renderMachineConfig({ ...config, longName, name, uuid }, cleared);
  if (args.output === '-') {
    output.raw(text);
    return 0;
  }
  const path = join(args.output === undefined ? paths.etcDir : resolve(args.output), `${longName}-qemu.cfg`);
  if (existsSync(path) && !args.force) {
    throw new QemuError('QEMU_IO', `File "${path}" exists already`, {
      hint: 'give --force to overwrite it, or --name',
    });
  }
  // Others could exchange the file before it is used.
  trustPath(path);
  ensureDir(dirname(path), 0o755);
  writeFileAtomic(path, text, 0o644, { durable: true });
  if (output.json) output.document([{ name: longName, configPath: path, outcome: 'imported' }]);
  else output.line(`${longName}: imported into "${path}"; register it: qemu-init register ${longName}`);
  return 0;
}
