import { QemuError } from '../../base/errors.ts';
import { type ExecResult, findProgram, run } from '../../system/process/exec.ts';
import { batchFailed, batchText, commandFailed, searchPath } from '../commands.ts';
import { hasIpv6, interfaceExists, readBridges } from '../sysfs.ts';
import { hasRules } from './lock-rules.ts';
import { ownerAlias } from './owner-alias.ts';
import { type FoundTap, findTapsOf, isOurs, scopeOf } from './ownership.ts';
import { type PlanLine, planRejoin, planRemoval, planTaps, type TapPlan } from './tap-plan.ts';
import { readTapRecord, removeTapRecord, writeTapRecords } from './tap-records.ts';
import type { TapSpec } from './tap-spec.ts';

export interface TapOptions {
  /** `tapsDir` of the scope. */
  readonly tapsDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * NETIF=managed: makes all taps of a machine in one call of `ip`, joined to their bridges and up. When it fails,
 * nothing is left over.
 *
 * @param options.user user (name or number) that QEMU runs as; undefined: the caller, who needs CAP_NET_ADMIN.
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when a bridge is missing, a name is taken or the kernel refuses,
 * `QEMU_NOT_PERMITTED`, `QEMU_NOT_INSTALLED` without `ip`, or without `nft` for `lock=on` and `rate=`.
 */
export async function setUpTaps(
  specs: readonly TapSpec[],
  options: TapOptions & { readonly user?: string | undefined },
): Promise<void> {
  if (specs.length === 0) return;
  const { tapsDir, signal, user } = options;
  const plan = planTaps(specs, {
    bridges: readBridges(specs.map(({ bridge }) => bridge)),
    leftovers: new Set(specs.filter((wish) => isLeftover(wish, tapsDir)).map(({ tap }) => tap)),
    scope: scopeOf(tapsDir),
    ipv6: hasIpv6(),
    user,
  });
  checkLockable(specs);
  writeTapRecords(specs, tapsDir);
  try {
    await execute(plan, signal);
  } catch (error) {
    const made = specs.map((spec) => {
      return { tap: spec.tap, exists: isOurs(spec.tap, spec.machine, tapsDir), locked: hasRules(spec) };
    });
    // The first error is the one to report; the notes stay for the next attempt.
    await removeTaps(made, tapsDir, undefined).catch(() => {});
    throw error;
  }
}

/**
 * Removes all taps, rules and notes of the machine, made by either mode of NETIF; it is fine if there are none. Its
 * QEMU must have ended. To be called after a stop, after a failed start, and before the next start.
 *
 * @param machine long name.
 * @param options.only name of one tap, for a machine that runs.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_COMMAND_FAILED` when one of its taps cannot be removed.
 */
export async function tearDownTaps(
  machine: string,
  { tapsDir, signal, only }: TapOptions & { readonly only?: string | undefined },
): Promise<void> {
  const taps = findTapsOf(machine, tapsDir).filter(({ tap }) => only === undefined || tap === only);
  await removeTaps(taps, tapsDir, signal);
}

/**
 * Takes a tap that its QEMU has open to another bridge or VLAN, or gives it other rules.
 *
 * @throws {QemuError} as {@link setUpTaps}; then it may be on no bridge, and the same call again puts it right.
 */
export async function rejoinTap(spec: TapSpec, { tapsDir, signal }: TapOptions): Promise<void> {
  const plan = planRejoin(spec, {
    bridges: readBridges([spec.bridge]),
    scope: scopeOf(tapsDir),
    ipv6: hasIpv6(),
    wasLocked: findTapsOf(spec.machine, tapsDir).some(({ tap, locked }) => tap === spec.tap && locked),
  });
  checkLockable([spec]);
  const noted = readTapRecord(spec.tap, tapsDir);
  const stays = noted?.bridge === spec.bridge && noted.vlan === spec.vlan && noted.isolated === spec.isolated;
  if (stays) {
    const alias = ownerAlias({ scope: scopeOf(tapsDir), machine: spec.machine, locked: hasRules(spec) });
    const mark = { tap: spec.tap, line: `link set dev ${spec.tap} alias ${alias}` };
    await execute({ ip: [mark], bridge: [], nft: plan.nft }, signal);
  } else {
    // The guest runs: it must not send anything before VLAN and rules are there.
    await execute({ ...plan, ip: plan.ip.slice(0, -1) }, signal);
    await runBatch('ip', plan.ip.slice(-1), signal);
  }
  // Last: a note that is as it is to be means that nothing is left to do.
  writeTapRecords([spec], tapsDir);
}

/**
 * Checks that `lock=on` and `rate=` are possible here.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when a tap needs it and `nft` is missing.
 */
export function checkLockable(specs: readonly TapSpec[]): void {
  const ruled = specs.find(hasRules);
  if (ruled === undefined || hasNft()) return;
  const { index, machine, lock } = ruled;
  const what = lock ? `lock NIC${index} of "${machine}" to its address` : `limit NIC${index} of "${machine}"`;
  throw new QemuError('QEMU_NOT_INSTALLED', `Cannot ${what}: program "nft" is missing`, {
    hint: `apt install nftables, or remove ${lock ? 'lock=on' : 'rate='}`,
  });
}

function isLeftover({ tap, machine }: TapSpec, tapsDir: string): boolean {
  if (!interfaceExists(tap)) return false;
  if (isOurs(tap, machine, tapsDir)) return true;
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot make tap "${tap}": an interface with that name already exists`, {
    hint: `look at it with: ip -d link show dev ${tap}`,
  });
}

async function execute(plan: TapPlan, signal: AbortSignal | undefined): Promise<void> {
  await runBatch('ip', plan.ip, signal);
  await runBatch('bridge', plan.bridge, signal);
  if (plan.nft === '') return;
  const result = await call('nft', ['-f', '-'], plan.nft, signal);
  if (result.exitCode !== 0) throw commandFailed('Cannot set the rules of lock=on and rate=', result.stderr);
}

async function runBatch(
  program: 'ip' | 'bridge',
  lines: readonly PlanLine[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (lines.length === 0) return;
  const result = await call(program, ['-batch', '-'], batchText(lines), signal);
  if (result.exitCode !== 0) throw batchFailed(program, lines, result.stderr);
}

async function removeTaps(taps: readonly FoundTap[], tapsDir: string, signal: AbortSignal | undefined): Promise<void> {
  const plan = planRemoval(taps);
  if (plan.ip.length > 0) {
    const result = await call('ip', ['-force', '-batch', '-'], batchText(plan.ip), signal);
    const left = plan.ip.find(({ tap }) => interfaceExists(tap));
    if (left !== undefined) throw commandFailed(`Cannot remove tap "${left.tap}"`, result.stderr);
  }
  if (plan.nft !== '' && hasNft()) {
    const result = await call('nft', ['-f', '-'], plan.nft, signal);
    if (result.exitCode !== 0) throw commandFailed('Cannot remove the rules of lock=on and rate=', result.stderr);
  }
  for (const { tap } of taps) removeTapRecord(tap, tapsDir);
}

function hasNft(): boolean {
  return findProgram('nft', searchPath(process.env)) !== undefined;
}

async function call(
  program: string,
  args: readonly string[],
  input: string,
  signal?: AbortSignal,
): Promise<ExecResult> {
  const env = { PATH: searchPath(process.env) };
  return await run(program, args, { input, env, timeoutMs: COMMAND_TIMEOUT_MS, signal });
}

/** Removing many interfaces waits for the kernel's grace periods. */
const COMMAND_TIMEOUT_MS = 60_000;
