import { QemuError } from '../../base/errors.ts';
import { INTERFACE_NAME_RULE, isInterfaceName } from '../../config/text/values.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { runSync, type SyncResult } from '../../system/process/exec-sync.ts';
import { batchFailed, batchText, commandFailed, searchPath } from '../commands.ts';
import { hasIpv6, interfaceExists, readAttribute, readBridges } from '../sysfs.ts';
import { hasRules, unlockRules } from './lock-rules.ts';
import { type PlanLine, planJoin } from './tap-plan.ts';
import { parseTapRecord } from './tap-records.ts';
import type { TapSpec } from './tap-spec.ts';

/** Bridge of a tap for which neither a note nor BRIDGE_IFNAME names one. */
const DEFAULT_BRIDGE = 'br0';

/**
 * Joins a tap to its bridge and sets it up, as QEMU expects of `script=`. The bridge is `bridge`, else the one in the
 * note that start wrote, else BRIDGE_IFNAME of the environment, else br0. A tap that is up and joined already stays so.
 *
 * Synchronous, with few imports, because QEMU waits for it.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when the tap or its bridge is missing or the note is damaged,
 * `QEMU_NOT_PERMITTED`.
 */
export function tapUp(tap: string, env: NodeJS.ProcessEnv, bridge?: string): void {
  const wish = wishFor(tap, env, bridge);
  if (!interfaceExists(tap)) {
    throw new QemuError('QEMU_COMMAND_FAILED', `Cannot attach tap "${tap}": no interface has that name`);
  }
  const plan = planJoin(wish, { bridges: readBridges([wish.bridge]), ipv6: hasIpv6() });
  runBatch('ip', plan.ip, env);
  runBatch('bridge', plan.bridge, env);
  if (plan.nft !== '') setRules(plan.nft, env);
}

/**
 * Takes a tap off its bridge and sets it down, as QEMU expects of `downscript=`. It is fine if the tap is gone.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_COMMAND_FAILED`.
 */
export function tapDown(tap: string, env: NodeJS.ProcessEnv): void {
  checkName('tap', tap);
  const note = readNote(tap, env);
  try {
    if (interfaceExists(tap)) runBatch('ip', [{ tap, line: `link set dev ${tap} nomaster down` }], env);
  } catch (error) {
    // QEMU may end, and the tap with it, at any moment.
    if (interfaceExists(tap)) throw error;
  }
  if (note !== undefined && hasRules(note)) setRules(unlockRules(tap), env);
}

function wishFor(tap: string, env: NodeJS.ProcessEnv, bridge: string | undefined): TapSpec {
  checkName('tap', tap);
  const note = readNote(tap, env);
  if (note !== undefined) return bridge === undefined ? note : { ...note, bridge };
  const name = bridge ?? (env['BRIDGE_IFNAME'] || DEFAULT_BRIDGE);
  checkName('bridge', name);
  const mac = readAttribute(tap, 'address') ?? '';
  // A tap that was attached before already has its permanent address.
  const isSet = mac.startsWith('fe:');
  return { ...PLAIN, tap, bridge: name, mac: isSet ? '' : mac };
}

/** A tap that qemu-init did not name. */
const PLAIN = { machine: '', index: 0, queues: 1, isolated: false, lock: false, addresses: [] };

function readNote(tap: string, env: NodeJS.ProcessEnv): TapSpec | undefined {
  const path = `${env['QEMU_INIT_RUN'] || '/run/qemu-init'}/.taps/${tap}`;
  const text = readTextIfExists(path);
  if (text === undefined) return undefined;
  const note = parseTapRecord(text);
  if (note !== undefined) return note;
  // On a bridge that we pick the guest might see a network that is not meant for it.
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot attach tap "${tap}": its note "${path}" is damaged`, {
    hint: 'stop the machine and start it again',
  });
}

function checkName(kind: string, name: string): void {
  if (!isInterfaceName(name))
    throw new QemuError('QEMU_USAGE', `Cannot use "${name}" as the name of a ${kind}`, { hint: INTERFACE_NAME_RULE });
}

function runBatch(program: 'ip' | 'bridge', lines: readonly PlanLine[], env: NodeJS.ProcessEnv): void {
  if (lines.length === 0) return;
  const result = call(program, ['-batch', '-'], batchText(lines), env);
  if (result.exitCode !== 0) throw batchFailed(program, lines, result.stderr);
}

function setRules(rules: string, env: NodeJS.ProcessEnv): void {
  const result = call('nft', ['-f', '-'], rules, env);
  if (result.exitCode !== 0) throw commandFailed('Cannot set the rules of lock=on and rate=', result.stderr);
}

function call(program: string, args: readonly string[], input: string, env: NodeJS.ProcessEnv): SyncResult {
  return runSync(program, args, { input, env: { PATH: searchPath(env) }, timeoutMs: 10_000 });
}
