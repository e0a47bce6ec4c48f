import { createHash } from 'node:crypto';
import { formatIssue } from '../../config/text/issues.ts';
import { locate } from '../../machine/run/locate.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { lookUpUser } from '../../system/users.ts';
import { checkMachine } from '../check/check-machine.ts';
import type { Machines } from '../machines.ts';
import { previewMacsOf } from '../macs.ts';
import type { NodeFacts } from './node-facts.ts';

/** What this node knows of a machine, registered or not. */
export async function nodeFacts(machines: Machines, name: string): Promise<NodeFacts> {
  const { paths } = machines.host;
  const registered = machines.list().find(({ longName }) => longName === name);
  const target = registered ?? machines.listWithRunning().find(({ longName }) => longName === name);
  const defaultsHash = hashOf(paths.defaultsFile);
  const nothing = { name, isRegistered: false, shortName: undefined, cfg: '', cfgHash: undefined, defaultsHash };
  if (target === undefined) return { ...nothing, macs: [], uid: undefined, isRunning: false, problems: [] };
  const { config } = machines.inspect(target);
  const found = await checkMachine(machines, target, undefined, { cluster: true });
  return {
    ...nothing,
    isRegistered: registered !== undefined,
    shortName: target.shortName,
    cfg: target.configPath,
    cfgHash: hashOf(target.configPath),
    macs: config === undefined ? [] : [...previewMacsOf(paths, config)],
    uid: config?.runAs === undefined ? undefined : (await lookUpUser(config.runAs))?.uid,
    isRunning: locate(target.files).kind === 'alive',
    problems: found.filter(({ severity }) => severity === 'error').map(formatIssue),
  };
}

function hashOf(path: string): string | undefined {
  try {
    const text = readTextIfExists(path);
    return text === undefined ? undefined : createHash('sha256').update(text).digest('hex');
  } catch {
    // Its check tells why it cannot be read.
    return undefined;
  }
}
