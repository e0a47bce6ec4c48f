import { existsSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import type { CdromConfig, MachineConfig } from '../../config/types.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { buildOptions } from '../argv/build.ts';
import type { Option } from '../argv/option.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { readLaunchRecord } from '../run/launch-record.ts';
import { locate } from '../run/locate.ts';
import { previewRequest } from '../start/launch-request.ts';

export interface ReloadResult {
  /** Keys whose new values were applied to the running machine, such as `CDR1`. */
  readonly applied: readonly string[];
}

const TIMEOUT_MS = 10_000;

/**
 * Applies what can be changed while a machine runs, which is the discs in its CD-ROM drives. What is only read when the
 * machine stops, such as STOPDELAY, needs no reload.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_NOT_IMPLEMENTED`, with nothing applied, when something else changed.
 */
export async function reloadMachine(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
): Promise<ReloadResult> {
  const located = locate(target.files);
  if (located.kind !== 'alive') {
    throw notRunning(target);
  }
  const request = await previewRequest(host, target, config);
  const stuck = changedKeys(
    buildOptions(request),
    readLaunchRecord(target.files)?.args ?? located.process.argv.slice(1),
  );
  if (stuck.length > 0) {
    throw new QemuError(
      'QEMU_NOT_IMPLEMENTED',
      `Cannot change ${stuck.join(', ')} of "${target.longName}" while it runs`,
      {
        hint: `restart it: qemu-init restart ${target.longName}`,
      },
    );
  }
  return withOwnMonitor(host, target, { timeoutMs: TIMEOUT_MS }, async (client) => ({
    applied: await changeDiscs(client, request.cdroms),
  }));
}

/** Keys whose options are not as they run; discs do not count. */
function changedKeys(wanted: readonly Option[], running: readonly string[]): string[] {
  const fixed = wanted.filter(({ key, args }) => !isDisc(key, args[0]));
  const left = running.filter((argument) => argument !== '-S' && argument !== '--preconfig' && !isDiscDrive(argument));
  const changed = new Set<string>();
  for (const { key, args } of fixed) {
    for (const argument of args) {
      const at = left.indexOf(argument);
      if (at < 0) changed.add(key === '' ? argument : key);
      else left.splice(at, 1);
    }
  }
  // What is left over is the old value of a key that changed, or of one that is gone.
  return changed.size === 0 && left.some((argument) => !argument.startsWith('-')) ? ['options'] : [...changed];
}

function isDisc(key: string, first: string | undefined): boolean {
  return key.startsWith('CDR') && first === '-drive';
}

function isDiscDrive(argument: string): boolean {
  return /(^|,)id=cdr\d+,media=cdrom/.test(argument);
}

async function changeDiscs(client: QmpClient, cdroms: readonly CdromConfig[]): Promise<string[]> {
  const inserted = await insertedFiles(client);
  const applied: string[] = [];
  for (const cdrom of cdroms) {
    const id = `cdr${cdrom.index}-dev`;
    if (inserted.get(id) === cdrom.file) continue;
    if (cdrom.file === undefined) await client.executeRaw('eject', { id, force: true }, { timeoutMs: TIMEOUT_MS });
    else {
      const medium = {
        id,
        filename: cdrom.file,
        format: 'raw',
        'read-only-mode': 'read-only',
        force: true,
      };
      await insert(client, cdrom.file, medium);
    }
    applied.push(`CDR${cdrom.index}`);
  }
  return applied;
}

async function insert(client: QmpClient, file: string, medium: Readonly<Record<string, unknown>>): Promise<void> {
  try {
    await client.executeRaw('blockdev-change-medium', medium, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    const isHidden =
      error instanceof QemuError && /No such file|Permission denied/.test(error.message) && existsSync(file);
    if (!isHidden) throw error;
    throw new QemuError(error.code, error.message, {
      cause: error,
      hint: `"${file}" exists, but the running QEMU cannot open it: see HARDENING in qemu-init(8), or restart the machine`,
    });
  }
}

/** The file in each drive, by the id of its device. */
async function insertedFiles(client: QmpClient): Promise<Map<string, string | undefined>> {
  const blocks = await client.executeRaw('query-block', undefined, { timeoutMs: TIMEOUT_MS });
  const files = new Map<string, string | undefined>();
  for (const block of Array.isArray(blocks) ? blocks : []) {
    const qdev: unknown = block?.qdev;
    const file: unknown = block?.inserted?.file;
    if (typeof qdev === 'string') files.set(qdev, typeof file === 'string' ? file : undefined);
  }
  return files;
}
