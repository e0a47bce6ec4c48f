import { asArray, asRecord } from '../../base/guards.ts';
import type { MachineConfig } from '../../config/types.ts';
import { qemuEnvironment } from '../../system/process/environment.ts';
import { run, withTimeoutCommand } from '../../system/process/exec.ts';
import { type FeatureWords, readFeatureWords } from '../move/same-processor.ts';
import { tryPrefix } from './try-start.ts';

/** Making a machine without devices takes a tenth of a second. */
const TRY_MS = 30_000;
/** For the case that this process is killed meanwhile. */
const LEASH_SECONDS = 40;

/** Where the first processor of a PC is. */
const FIRST = '/machine/unattached/device[0]';

/** A machine as a start would make it. */
export interface Tried {
  readonly config: MachineConfig;
  readonly binary: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly args: readonly string[];
  /** The type that its guest was started on. */
  readonly machineType: string | undefined;
}

/**
 * Lets QEMU make a machine that has nothing but the processors of another one, asks what they can do, and ends it.
 *
 * @returns undefined where that cannot be found out.
 */
export async function triedFeatures(tried: Tried, signal?: AbortSignal): Promise<FeatureWords | undefined> {
  const { config, binary, accelerator, args, machineType } = tried;
  const prefix = await tryPrefix(config, accelerator);
  if (typeof prefix === 'string') return undefined;
  const argv = [...prefix, binary, ...processorArgs(args, machineType)];
  const [program, ...rest] = withTimeoutCommand(argv, LEASH_SECONDS);
  const ask = [
    { execute: 'qmp_capabilities' },
    { execute: 'query-cpus-fast' },
    { execute: 'qom-get', arguments: { path: FIRST, property: 'feature-words' } },
    { execute: 'quit' },
  ];
  const { exitCode, stdout } = await run(program, rest, {
    cwd: config.dir,
    env: qemuEnvironment({ argv, asCaller: config.runAs === undefined }),
    input: ask.map((each) => `${JSON.stringify(each)}\n`).join(''),
    timeoutMs: TRY_MS,
    signal,
  });
  return exitCode === 0 ? readTriedFeatures(stdout) : undefined;
}

/** The command line for that. Pure. */
export function processorArgs(args: readonly string[], machineType: string | undefined): string[] {
  const value = (flag: string): string | undefined => {
    // QEMU takes the first accelerator that works, and of other options the last.
    const values = args.flatMap((arg, at) => (arg === flag ? (args[at + 1] ?? []) : []));
    return flag === '-accel' ? values[0] : values.at(-1);
  };
  // Properties of a board may name devices.
  const type = machineType ?? value('-machine')?.split(',')[0];
  const kept = [['-machine', type], ...['-accel', '-cpu', '-smp'].map((flag) => [flag, value(flag)])];
  const own = kept.flatMap(([flag = '', each]) => (each === undefined ? [] : [flag, each]));
  return ['-nodefaults', '-no-user-config', '-display', 'none', ...own, '-S', '-qmp', 'stdio'];
}

/** What it has answered. Pure. */
export function readTriedFeatures(stdout: string): FeatureWords | undefined {
  const answers = stdout.split('\n').flatMap((line) => {
    try {
      const { return: value } = asRecord(JSON.parse(line));
      return value === undefined ? [] : [value];
    } catch {
      return [];
    }
  });
  const [, processors, words] = answers;
  return asRecord(asArray(processors)[0])['qom-path'] === FIRST ? readFeatureWords(words) : undefined;
}
