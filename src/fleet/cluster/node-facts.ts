import { asArray, asNumber, asRecord, asText, optionalText } from '../../base/guards.ts';
import { oneLine } from '../../base/text.ts';

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

/** The facts that another node has sent. Pure. */
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
    problems: asArray(facts['problems']).map((each) => oneLine(asText(each))),
  };
}
