import { ConfigError } from '../../../base/config-error.ts';
import { QemuError } from '../../../base/errors.ts';
import { processorsOf } from '../../../config/hardware/hardware.ts';
import { formatIssue } from '../../../config/text/issues.ts';
import { renderSize } from '../../../config/text/values.ts';
import { previewMacsOfAll } from '../../../fleet/macs.ts';
import { stateStyle } from '../../output/state-style.ts';
import type { Context } from '../../run/context.ts';
import { exitCodeOf, worst } from '../../run/exit-code.ts';
import { NO_MACHINE } from '../../shared/selection.ts';

export async function run(context: Context, args: { readonly macs: boolean }): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const mistakes = [...fleet.registryIssues, ...(fleet.monitorError?.issues ?? [])];
  for (const issue of mistakes) output.note(issue.severity, formatIssue(issue));
  const targets = fleet.list();
  const outcomes = await fleet.statusMany(targets);
  const configs = args.macs ? targets.flatMap((target) => fleet.inspect(target).config ?? []) : [];
  const macs = previewMacsOfAll(context.paths, configs);
  const rows = outcomes.map((outcome) => {
    const { target } = outcome;
    const { config } = fleet.inspect(target);
    return {
      name: target.longName,
      shortName: target.shortName,
      // Users without access to the run-time folder still see registered machines.
      state: outcome.ok ? outcome.value.state : 'unknown',
      memoryBytes: config?.memoryBytes,
      processors: config && processorsOf(config.smp),
      autostart: config?.autostart,
      bootOrder: config?.bootOrder,
      configPath: target.configPath,
      description: config?.description,
      problems: outcome.ok ? outcome.value.problems : [messageOf(outcome.error)],
      ...(args.macs ? { nics: macs.get(target.longName) ?? [] } : {}),
    };
  });
  if (output.json) output.document(rows);
  else if (rows.length > 0) {
    const last = args.macs ? 'ADDRESSES' : 'FILE';
    output.table(
      [
        ['NAME', 'SHORT', 'STATE', 'RAM', 'CPUS', 'AUTOSTART', 'ORDER', last, 'DESC'],
        ...rows.map(({ name, shortName, state, memoryBytes, processors, autostart, bootOrder, ...row }) => [
          name,
          shortName ?? '-',
          state,
          memoryBytes === undefined ? '?' : renderSize(memoryBytes),
          processors === undefined ? '?' : String(processors),
          autostart === undefined ? '?' : autostart ? 'on' : 'off',
          bootOrder === undefined ? '?' : String(bootOrder),
          row.nics === undefined ? row.configPath : row.nics.map(({ nic, mac }) => `NIC${nic}=${mac}`).join(' '),
          row.description ?? '',
        ]),
      ],
      {
        optional: args.macs ? ['ORDER', 'DESC', 'SHORT'] : ['FILE', 'ORDER', 'SHORT', 'AUTOSTART', 'DESC'],
        cut: 'DESC',
      },
      stateStyle,
    );
    for (const { name, problems } of rows)
      for (const problem of problems) output.note('warning', `${name}: ${problem}`);
  }
  if (rows.length === 0 && mistakes.length === 0 && !output.json) output.note('info', NO_MACHINE);
  return worst([
    ...mistakes.map((issue) => (issue.severity === 'error' ? exitCodeOf(new ConfigError('', [issue])) : 0)),
    ...outcomes.map((outcome) => (outcome.ok ? 0 : exitCodeOf(outcome.error))),
  ]);
}

function messageOf(error: unknown): string {
  if (error instanceof QemuError) return error.message;
  throw error;
}
