import { createHash } from 'node:crypto';
import { interfaceExists, interfaceNames, readAttribute } from '../sysfs.ts';
import { hasRules } from './lock-rules.ts';
import { parseOwnerAlias } from './owner-alias.ts';
import { tapMatcher } from './tap-names.ts';
import { readTapRecord, recordedTaps } from './tap-records.ts';

/** A tap of a machine, or what is left of one. */
export interface FoundTap {
  readonly tap: string;
  /** The interface is there. */
  readonly exists: boolean;
  /** It has, or may have, rules in the packet filter. */
  readonly locked: boolean;
}

/** A short name for the scope that has this folder of notes. */
export function scopeOf(tapsDir: string): string {
  return createHash('sha256').update(tapsDir).digest('hex').slice(0, 8);
}

/** The taps of a machine that are there or noted. */
export function findTapsOf(machine: string, tapsDir: string): FoundTap[] {
  const isOfMachine = tapMatcher(machine);
  const noted = new Set(recordedTaps(tapsDir).filter(isOfMachine));
  const present = interfaceNames().filter((name) => isOfMachine(name) && isOurs(name, machine, tapsDir));
  return [...new Set([...noted, ...present])].map((tap) => ({
    tap,
    exists: present.includes(tap),
    locked: isNotedWithRules(tap, tapsDir) || readOwner(tap)?.locked === true,
  }));
}

/** Whether the interface of that name is there and a tap that was made for this machine. */
export function isOurs(name: string, machine: string, tapsDir: string): boolean {
  if (!interfaceExists(name)) return false;
  const alias = readAttribute(name, 'ifalias') ?? '';
  // A process that is killed between making a tap and marking it leaves a note and a tap without any alias.
  if (alias === '')
    return readAttribute(name, 'tun_flags') !== undefined && readTapRecord(name, tapsDir)?.machine === machine;
  const owner = parseOwnerAlias(alias);
  return owner?.scope === scopeOf(tapsDir) && owner.machine === machine;
}

function isNotedWithRules(tap: string, tapsDir: string): boolean {
  const note = readTapRecord(tap, tapsDir);
  return note !== undefined && hasRules(note);
}

function readOwner(name: string): ReturnType<typeof parseOwnerAlias> {
  return parseOwnerAlias(readAttribute(name, 'ifalias'));
}
