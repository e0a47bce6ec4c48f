import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { anyOf } from '../../base/text.ts';
import { parseMachineConfig } from '../../config/machine-config.ts';
import { removeKey, setKey } from '../../config/text/edit-text.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { ProcessInfo } from '../../system/process/process.ts';
import { readConfigText } from '../config-text.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { editConfig, refuseJson } from '../edit-config.ts';
import { inspectText } from '../load-config.ts';
import type { Running } from '../plug/running.ts';
import { notedState } from '../plug/state.ts';
import { textsOf, textsOfConfig } from '../plug/texts.ts';
import { applyConfig, type ReloadOptions, type ReloadResult, runningState, whilePlugging } from './reload.ts';

/** How devices are attached and detached. */
export interface AttachOptions extends ReloadOptions {
  /** Whether the machine's file is changed as well; else all is as it was after the machine's next start. */
  readonly persist?: boolean | undefined;
}

/** Keys of devices that can come and go. */
const FAMILIES = ['DSKx', 'CDRx', 'NICx', 'USBx'] as const;
const DEVICE_KEY = /^(?:DSK|CDR|NIC|USB)[1-9]\d{0,2}$/;

/**
 * Plugs devices into a running machine, or puts discs into its drives.
 *
 * @param values values of keys as in the machine's file: `DSK2` → `data.qcow2,serial=x`.
 * @throws {QemuError} as {@link reloadMachine}; `QEMU_USAGE` for other keys, and for a disk or card that is there
 * already.
 * @throws {ConfigError} when a value is wrong, or names what this host does not have; nothing is done then.
 */
export async function attachDevices(
  host: MachineContext,
  target: MachineRef,
  values: ReadonlyMap<string, string>,
  options: AttachOptions = {},
): Promise<ReloadResult> {
  const keys = [...values.keys()];
  checkKeys(keys);
  const edit = (text: string): string => [...values].reduce((each, [key, value]) => setKey(each, key, value), text);
  return whilePlugging(target, 'attach', options, async (process) => {
    if (options.persist) previewEdit(host, target, edit);
    const running = await runningState(host, target, process, options.signal);
    const config = edited(host, target, running, edit);
    refusePresent(target, running, config, keys);
    const result = await apply(host, target, process, config, keys, options);
    if (options.persist) await persist(host, target, 'attach', edit, options);
    return result;
  });
}

/**
 * Unplugs devices of a running machine.
 *
 * @param keys `DSK2`, `NIC1` …
 * @throws {QemuError} as {@link reloadMachine}; `QEMU_USAGE` for other keys, `QEMU_DEVICE_UNKNOWN` for a device that is not there.
 */
export async function detachDevices(
  host: MachineContext,
  target: MachineRef,
  keys: readonly string[],
  options: AttachOptions = {},
): Promise<ReloadResult> {
  checkKeys(keys);
  const edit = (text: string): string => keys.reduce(removeKey, text);
  return whilePlugging(target, 'detach', options, async (process) => {
    const inFile = options.persist ? previewEdit(host, target, edit) : new Map<string, string>();
    // One that the guest has released in the meantime is as good as there.
    const noted = textsOf((await notedState(host, target, process)).config);
    const missing = keys.find((key) => !noted.has(key) && !inFile.has(key));
    if (missing !== undefined) {
      throw new QemuError('QEMU_DEVICE_UNKNOWN', `Machine "${target.longName}" has no ${missing}`);
    }
    const running = await runningState(host, target, process, options.signal);
    const result = await apply(host, target, process, edited(host, target, running, edit), keys, options);
    if (options.persist) await persist(host, target, 'detach', edit, options);
    return result;
  });
}

function checkKeys(keys: readonly string[]): void {
  if (keys.length === 0) throw new QemuError('QEMU_USAGE', 'No device was given', { hint: 'name one, such as DSK2' });
  const other = keys.find((key) => !DEVICE_KEY.test(key));
  if (other === undefined) return;
  const meant = other.toUpperCase();
  throw new QemuError('QEMU_USAGE', `"${other}" is not a device that can come and go: that is ${anyOf(FAMILIES)}`, {
    hint: DEVICE_KEY.test(meant) ? `did you mean "${meant}"?` : undefined,
  });
}

/** The configuration of the machine as it runs, with the change. */
function edited(
  host: MachineContext,
  target: MachineRef,
  { config: text }: Running,
  edit: (text: string) => string,
): MachineConfig {
  const path = target.configPath.replace(/\.json$/, '.cfg');
  const { config, issues } = parseMachineConfig(edit(text), { path, etcDir: host.paths.etcDir, allowGaps: true });
  if (config) return config;
  throw withoutLines(target, issues);
}

async function apply(
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  config: MachineConfig,
  keys: readonly string[],
  options: AttachOptions,
): Promise<ReloadResult> {
  try {
    return await applyConfig(host, target, process, { ...options, config, only: new Set(keys) });
  } catch (error) {
    throw error instanceof ConfigError ? withoutLines(target, error.issues) : error;
  }
}

/** Files and lines of issues are those of a text that nobody has. */
function withoutLines({ longName }: MachineRef, issues: readonly Problem[]): ConfigError {
  const found = issues.map(({ file: _file, line: _line, ...issue }) => issue);
  return new ConfigError(`Cannot change machine "${longName}"`, found);
}

/** A disc is exchanged in its drive. A disk or a card would be taken away from the guest. */
function refusePresent(
  { longName }: MachineRef,
  running: Running,
  config: MachineConfig,
  keys: readonly string[],
): void {
  const before = textsOf(running.config);
  const after = textsOfConfig(config);
  const taken = keys.find((key) => {
    return !key.startsWith('CDR') && before.has(key) && before.get(key) !== after.get(key);
  });
  if (taken === undefined) return;
  throw new QemuError('QEMU_USAGE', `Machine "${longName}" has another ${taken} already`, {
    hint: `take the next number, or first: qemu-init detach ${longName} ${taken}`,
  });
}

/**
 * The values of the machine's file before the change.
 *
 * @throws {ConfigError} when it would have mistakes after it.
 */
export function previewEdit(
  host: MachineContext,
  target: MachineRef,
  edit: (text: string) => string,
): ReadonlyMap<string, string> {
  refuseJson(target);
  const read = readConfigText(target.configPath);
  if ('issue' in read) throw new ConfigError(`Cannot change "${target.configPath}"`, [read.issue]);
  const { config, issues } = inspectText(target.configPath, edit(read.text), host.paths.defaultsFile);
  if (!config) throw new ConfigError(`Cannot change "${target.configPath}"`, issues);
  return textsOf(read.text);
}

async function persist(
  host: MachineContext,
  target: MachineRef,
  purpose: string,
  change: (text: string) => string,
  { signal }: AttachOptions,
): Promise<void> {
  await editConfig(host, target, { purpose, change, signal });
}
