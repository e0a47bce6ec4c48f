import { QemuError } from '../../../../base/errors.ts';
import { hasErrors } from '../../../../base/problem.ts';
import { formatIssue } from '../../../../config/text/issues.ts';
import type { MachineRef } from '../../../../machine/context.ts';
import type { CreateOptions } from '../../../../provision/create.ts';
import type { SeedOptions } from '../../../../provision/seed/seed-folder.ts';
import { sshAddress } from '../../../../provision/ssh-port.ts';
import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { commandOfAnswers, optionsOfAnswers } from './answers.ts';
import type { CreateArguments } from './arguments.ts';
import { startCreated, waitForCreated } from './start-created.ts';

/** What the command line has when it may lack the name. */
type GivenArguments = Omit<CreateArguments, 'name'> & { readonly name?: string };

/** Creates a machine; on a terminal without a name it asks for what it needs. */
export async function run(context: Context, given: GivenArguments): Promise<number> {
  const args = await complete(context, given);
  const { output, signal } = context;
  const fleet = context.fleet();
  const from = args.from === undefined ? undefined : fleet.get(args.from);
  const { target, issues, ports } = await showProgress(output, args.name, (onProgress) =>
    fleet.create(args.name, { ...optionsOf(args), from, signal, onProgress }),
  );
  for (const [old, port] of ports) output.note('info', `port ${port} of this host leads to it, in place of ${old}`);
  // The machine is created nevertheless: these problems only affect its start.
  for (const issue of issues) output.note(issue.severity, formatIssue(issue));
  const { longName, shortName, configPath } = target;
  const { config } = fleet.inspect(target);
  const ssh = config && sshAddress(config);
  const document = { name: longName, shortName, configPath, outcome: 'created', ssh };
  const notStarted = { pid: undefined, up: undefined, seconds: undefined };
  if (!output.json) output.line(text(target, hasErrors(issues), args.start === true));
  if (!args.start) {
    if (output.json) output.document([{ ...document, ...notStarted }]);
    return 0;
  }
  const began = performance.now();
  const started = await startCreated(context, target);
  const up = args.wait && config ? await waitForCreated(context, target, config, args) : undefined;
  const seconds = Math.round(performance.now() - began) / 1000;
  if (output.json) output.document([{ ...document, pid: started.pid, up, seconds }]);
  else output.line(`${longName}: ${up === undefined ? 'started' : 'up'} after ${seconds} s${loginLine(args, ssh)}`);
  return 0;
}

async function complete(context: Context, given: GivenArguments): Promise<CreateArguments> {
  const { name } = given;
  if (name !== undefined) return { ...given, name };
  const hasOptions =
    Object.values(optionsOf({ ...given, name: '' })).some(isGiven) || given.from !== undefined || given.start === true;
  if (hasOptions || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new QemuError('QEMU_USAGE', 'No name was given', { hint: 'for example: qemu-init create web --disk 8G' });
  }
  const { askForCreation } = await import('./guide.ts');
  const answers = await askForCreation(context);
  context.output.note('info', `without questions: ${commandOfAnswers(answers)}`);
  return { ...given, ...optionsOfAnswers(answers) };
}

/** Whether an option, or one in a group of options, was given. */
function isGiven(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.values(value).some(isGiven);
  return value !== undefined && value !== false;
}

function text({ longName, configPath }: MachineRef, isBroken: boolean, isStarted: boolean): string {
  const created = `${longName}: created as "${configPath}"`;
  if (isBroken) return `${created}; the problems above keep it from starting`;
  return isStarted ? created : `${created}; start it: qemu-init start ${longName}`;
}

function loginLine({ login, sshKey }: CreateArguments, ssh: { host: string; port: number } | undefined): string {
  if (ssh === undefined || sshKey === undefined) return '';
  return `; log in: ssh -p ${ssh.port} ${login ?? 'USER'}@${ssh.host}`;
}

function optionsOf(args: CreateArguments): CreateOptions {
  const { bridge, net, sshPort, firmware, tpm, iso, kernel, initrd, append, ram, cpus } = args;
  const { userData, metaData, networkConfig, sshKey, login, hostname } = args;
  const seed: SeedOptions = { userData, metaData, networkConfig, sshKey, login, hostname };
  return {
    settings: settingsOf(args.settings ?? []),
    short: { bridge, net, sshPort, firmware, tpm, iso, kernel, initrd, append, ram, cpus },
    disks: args.disk,
    image: args.image,
    linked: args.linked,
    seed,
    os: args.os,
    dir: args.output,
  };
}

function settingsOf(words: readonly string[]): (readonly [key: string, value: string])[] {
  return words.map((word) => {
    const [, key, value] = /^([A-Za-z0-9_]+)=(.*)$/s.exec(word) ?? [];
    if (key !== undefined && value !== undefined) return [key, value] as const;
    const hint = /^\d+[KMGT]i?B?$/i.test(word)
      ? `for a disk of that size: --disk ${word}; for memory: RAM=${word}`
      : undefined;
    throw new QemuError('QEMU_USAGE', `"${word}" is not KEY=VALUE`, { hint });
  });
}
