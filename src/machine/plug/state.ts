import { QemuError } from '../../base/errors.ts';
import { parseMachineConfig } from '../../config/machine-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { ProcessInfo } from '../../system/process/process.ts';
import { describeMachine } from '../argv/build.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { readLaunchRecord } from '../run/launch-record.ts';
import { previewRequest } from '../start/launch-request.ts';
import { readJournal } from './journal.ts';
import type { Running } from './running.ts';

/**
 * What is noted of a machine that runs.
 *
 * @throws {QemuError} `QEMU_NOT_IMPLEMENTED` when the record of its start is lost.
 */
export async function notedState(host: MachineContext, target: MachineRef, process: ProcessInfo): Promise<Running> {
  const noted = readJournal(target.files, process);
  if (noted !== undefined) return noted;
  const launch = readLaunchRecord(target.files);
  const fresh = { plugged: [], leaving: {} };
  if (launch?.parts !== undefined) return { config: launch.config, parts: launch.parts, ...fresh };
  const config = launch && configOfText(host, target, launch.config);
  if (launch === undefined || config === undefined) {
    throw new QemuError('QEMU_NOT_IMPLEMENTED', `It is not known what "${target.longName}" was started with`, {
      hint: `restart it: qemu-init restart ${target.longName}`,
    });
  }
  // An earlier version noted only the configuration, which made the same then.
  return { config: launch.config, parts: describeMachine(await previewRequest(host, target, config)), ...fresh };
}

/** The configuration that a noted text is; undefined when this version does not take it. */
export function configOfText(host: MachineContext, target: MachineRef, text: string): MachineConfig | undefined {
  const path = target.configPath.replace(/\.json$/, '.cfg');
  return parseMachineConfig(text, { path, etcDir: host.paths.etcDir, allowGaps: true }).config;
}
