import { LaunchError } from '../../base/errors.ts';
import { quote } from '../../base/text.ts';
import { formatIssue } from '../../config/text/issues.ts';
import type { MachineConfig } from '../../config/types.ts';
import { issueAt } from '../../machine/check/issues.ts';
import { listenIssues } from '../../machine/check/listen-issues.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { Paths } from '../../system/paths.ts';
import { probeKvm } from '../../system/probe/kvm-probe.ts';
import { findProgram } from '../../system/process/find-program.ts';
import { holderOfFile } from '../../system/process/holders.ts';

/**
 * A QEMU that did not come up, with the line of the file that explains it in place of a look at the log, where what
 * QEMU printed leads to one: a port that is taken, an image that another program has, KVM that does not work.
 *
 * @returns the cause itself when nothing more is known.
 */
export async function whyNotLaunched(
  paths: Paths,
  { files }: MachineRef,
  config: MachineConfig | undefined,
  cause: LaunchError,
): Promise<LaunchError> {
  if (config === undefined) return cause;
  const issues = [
    ...(/forwarding rule|available port|already in use|assign requested address/.test(cause.output)
      ? await listenIssues(config, files)
      : []),
    ...lockIssues(config, cause.output),
    ...(/kvm/i.test(cause.output) || cause.signal === 'SIGABRT' ? await kvmIssues(paths, config) : []),
  ];
  if (issues.length === 0) return cause;
  const hint = issues.map((issue) => formatIssue({ ...issue, severity: 'error' })).join('\n        ');
  return new LaunchError(cause.message, cause, { cause: cause.cause, hint });
}

/** QEMU and some other programs lock images; the holder has to be found, since QEMU does not know it. */
function lockIssues(config: MachineConfig, output: string): ReturnType<typeof issueAt>[] {
  if (!/Failed to get (?:shared )?".*" lock/.test(output)) return [];
  return config.disks.flatMap(({ index, file }) => {
    const holder = output.includes(file) ? holderOfFile(file) : undefined;
    if (holder === undefined) return [];
    return [
      issueAt(config, `DSK${index}`, `DSK${index} "${file}" is open in ${quote(holder.name)} (pid ${holder.pid})`),
    ];
  });
}

async function kvmIssues(paths: Paths, config: MachineConfig): Promise<ReturnType<typeof issueAt>[]> {
  const binary = findProgram(config.targetArch);
  if (config.kvm !== 'on' || binary === undefined) return [];
  const { usable, reason } = await probeKvm(binary, paths.probesDir);
  return usable ? [] : [issueAt(config, 'KVM', `KVM=on, but KVM does not work here: ${reason}`, 'set KVM=auto')];
}
