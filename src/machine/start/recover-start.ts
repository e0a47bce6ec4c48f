import { existsSync } from 'node:fs';
import type { MachineConfig } from '../../config/types.ts';
import { markLog } from '../../system/files/log/log-mark.ts';
import { bootId, type ProcessInfo, readExecutable } from '../../system/process/process.ts';
import type { MachineRef } from '../context.ts';
import { connectOwn } from '../control/own-monitor.ts';
import { startedAt } from '../observe/status.ts';
import type { Located } from '../run/locate.ts';
import { type RunRecord, writeRecord } from '../run/record.ts';
import { stopSettingsOf } from '../run/stop-settings.ts';
import { goOnFromSpent } from '../state/load.ts';
import { setVncPassword } from './vnc-password.ts';

/** A QEMU that no command has waited for yet may still be starting. */
const READY_TIMEOUT_MS = 60_000;

/**
 * Takes over a QEMU whose start command was killed before it could finish, or whose record is lost: from then on it is
 * found as any other.
 *
 * @throws {QemuError} `QEMU_TIMEOUT` when one that was never waited for does not answer, `QEMU_ABORTED`.
 */
export async function recoverStart(
  target: MachineRef,
  config: MachineConfig,
  located: Extract<Located, { kind: 'alive' }>,
  signal: AbortSignal | undefined,
): Promise<RunRecord> {
  const { process, record } = located;
  if (record?.phase === 'running') {
    // It may have come from the copy.
    if (!existsSync(target.files.record)) writeRecord(target.files, record);
    return record;
  }
  if (record) await finishStart(target, config, record.preconfig, signal);
  const { pid, startTime } = process;
  const adopted: RunRecord = {
    ...(record ?? rebuild(target, config, process)),
    phase: 'running',
    pid,
    pidStartTime: startTime,
    executable: readExecutable(process)?.id,
  };
  writeRecord(target.files, adopted);
  return adopted;
}

async function finishStart(
  target: MachineRef,
  config: MachineConfig,
  preconfig: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const client = await connectOwn(target.files, READY_TIMEOUT_MS, signal);
  try {
    await client.execute('query-status', undefined, { timeoutMs: READY_TIMEOUT_MS, signal });
    if (!preconfig) await setVncPassword(config, client);
    await goOnFromSpent(target, client);
  } finally {
    await client.close();
  }
}

/**
 * What is left to know of a run whose record and its copy are both lost. Its command line is not asked for its ports.
 */
function rebuild(target: MachineRef, config: MachineConfig, { argv, startTime, uid }: ProcessInfo): RunRecord {
  return {
    phase: 'running',
    name: target.longName,
    configPath: target.configPath,
    pid: undefined,
    pidStartTime: undefined,
    bootId: bootId(),
    helpers: [],
    uid,
    gid: undefined,
    executable: undefined,
    slot: undefined,
    monitorPort: undefined,
    controlPort: undefined,
    tls: false,
    vnc: undefined,
    startedAt: new Date(startedAt(undefined, startTime)).toISOString(),
    preconfig: argv.includes('--preconfig'),
    // Where the run began in it is lost: what comes from now on is its own for sure.
    consoleLog: markLog(target.files.consoleLog),
    stop: stopSettingsOf(config),
  };
}
