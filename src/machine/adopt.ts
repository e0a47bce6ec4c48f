import type { MachineConfig } from '../config/types.ts';
import { bootId, type ProcessInfo } from '../system/process.ts';
import { allocationOf } from './allocation.ts';
import type { Host, Target } from './host.ts';
import { type Located, slotFromArgv, vncFromArgv } from './locate.ts';
import { connectOwn } from './own-monitor.ts';
import { type RunRecord, writeRecord } from './record.ts';
import { startedAt } from './status.ts';
import { stopSettingsOf } from './stop-settings.ts';
import { setVncPassword } from './vnc-password.ts';

/** QEMU that nobody has waited for yet may still be at its start. */
const READY_TIMEOUT_MS = 60_000;

/**
 * Takes over a QEMU whose start command was killed before it could finish, or whose record is lost: from then on it is found
 * as any other.
 *
 * @throws {QemuError} `QEMU_TIMEOUT` when one that was never waited for does not answer, `QEMU_ABORTED`.
 */
export async function adopt(
  host: Host,
  target: Target,
  config: MachineConfig,
  located: Extract<Located, { kind: 'alive' }>,
  signal: AbortSignal | undefined,
): Promise<RunRecord> {
  const { process, record } = located;
  if (record?.phase === 'running') return record;
  if (record) await finishStart(target, config, record.preconfig, signal);
  const { pid, startTime } = process;
  const adopted: RunRecord = {
    ...(record ?? rebuild(host, target, config, process)),
    phase: 'running',
    pid,
    pidStartTime: startTime,
  };
  writeRecord(target.files, adopted);
  return adopted;
}

async function finishStart(
  target: Target,
  config: MachineConfig,
  preconfig: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const client = await connectOwn(target.files, READY_TIMEOUT_MS, signal);
  try {
    await client.execute('query-status', undefined, { timeoutMs: READY_TIMEOUT_MS, signal });
    if (!preconfig) await setVncPassword(config, client);
  } finally {
    await client.close();
  }
}

/** What can be told from the process alone. */
function rebuild(host: Host, target: Target, config: MachineConfig, { argv, startTime }: ProcessInfo): RunRecord {
  const slot = slotFromArgv(argv, host.monitor);
  const allocation = slot === undefined ? undefined : allocationOf(slot, host.monitor);
  return {
    phase: 'running',
    name: target.longName,
    configPath: target.configPath,
    pid: undefined,
    pidStartTime: undefined,
    bootId: bootId(),
    slot,
    monitorPort: allocation?.monitorPort,
    controlPort: allocation?.controlPort,
    tls: argv.some((argument) => argument.startsWith('tls-creds-psk,')),
    vnc: vncFromArgv(argv),
    startedAt: new Date(startedAt(undefined, startTime)).toISOString(),
    preconfig: argv.includes('--preconfig'),
    consoleLogOffset: 0,
    stop: stopSettingsOf(config),
  };
}
