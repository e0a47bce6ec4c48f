import { createHash } from 'node:crypto';
import { asArray, asNumber, asRecord, asText, optionalText } from '../../base/guards.ts';
import { formatIssue } from '../../config/text/issues.ts';
import { locate } from '../../machine/run/locate.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { lookUpUser } from '../../system/users.ts';
import { checkMachine } from '../check/check-machine.ts';
import type { Machines } from '../machines.ts';
import { previewMacsOf } from '../macs.ts';

/** A machine as one node of a cluster knows it. */
export interface NodeFacts {
  readonly name: string;
  readonly isRegistered: boolean;
  readonly shortName: string | undefined;
  /** Where its file is. */
  readonly cfg: string;
  /** Of its file, and of the host's defaults; undefined: there is none. */
  readonly cfgHash: string | undefined;
  readonly defaultsHash: string | undefined;
  /** Addresses by the numbers of its NICs. */
  readonly macs: readonly (readonly [nic: number, mac: string])[];
  /** Of the user that runs it, when that is not the caller. */
  readonly uid: number | undefined;
  readonly isRunning: boolean;
  /** What its check reports there, errors only. */
  readonly problems: readonly string[];
}

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

/** The same as another node has sent it. Pure. */
export function readNodeFacts(value: unknown): NodeFacts {
  const facts = asRecord(value);
  return {
    name: asText(facts['name']),
    isRegistered: facts['isRegistered'] === true,
    shortName: optionalText(facts['shortName']),
    cfg: asText(facts['cfg']),
    cfgHash: optionalText(facts['cfgHash']),
    defaultsHash: optionalText(facts['defaultsHash']),
    macs: asArray(facts['macs']).map((each) => {
      const [nic, mac] = asArray(each);
      return [asNumber(nic), asText(mac)] as const;
    }),
    uid: typeof facts['uid'] === 'number' ? facts['uid'] : undefined,
    isRunning: facts['isRunning'] === true,
    problems: asArray(facts['problems']).map(asText),
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
