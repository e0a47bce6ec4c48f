import { QemuError } from '../../base/errors.ts';
import type { MachineRef } from '../../machine/context.ts';

/** Machines and what each requires, by long name. */
export interface Requirements {
  /** Required machines first, each once. */
  readonly targets: readonly MachineRef[];
  readonly of: (target: MachineRef) => readonly MachineRef[];
  /** Why the requirements of a machine cannot be met, by long name. */
  readonly errors: ReadonlyMap<string, unknown>;
}

/**
 * Adds what machines require, directly or indirectly. A machine that requires something unknown, or indirectly itself,
 * is among the errors.
 *
 * @param requiresOf the machines that one names in REQUIRES; may throw.
 */
export function withRequired(
  targets: readonly MachineRef[],
  requiresOf: (target: MachineRef) => readonly MachineRef[],
): Requirements {
  const byName = new Map<string, MachineRef>();
  const required = new Map<string, MachineRef[]>();
  const errors = new Map<string, unknown>();
  const visit = (target: MachineRef, path: readonly string[]): void => {
    const { longName } = target;
    if (required.has(longName)) return;
    const needs: MachineRef[] = [];
    required.set(longName, needs);
    try {
      for (const need of requiresOf(target)) {
        if (need.longName === longName || path.includes(need.longName))
          throw circle([...path, longName, need.longName]);
        visit(need, [...path, longName]);
        needs.push(need);
      }
    } catch (error) {
      errors.set(longName, error);
    }
    byName.set(longName, target);
  };
  for (const target of targets) visit(target, []);
  return {
    targets: [...byName.values()],
    of: (target) => (required.get(target.longName) ?? []).map((need) => byName.get(need.longName) ?? need),
    errors,
  };
}

/**
 * Why the requirements of a machine cannot be met, or theirs: an unknown id, or a cycle.
 *
 * @param requiresOf as for {@link withRequired}.
 */
export function requirementError(
  target: MachineRef,
  requiresOf: (target: MachineRef) => readonly MachineRef[],
): QemuError | undefined {
  const [first] = withRequired([target], requiresOf).errors;
  const [name, error] = first ?? [];
  if (!(error instanceof QemuError)) return undefined;
  if (name === target.longName) return error;
  return new QemuError(error.code, `Machine "${name}" cannot be started: ${error.message}`, { hint: error.hint });
}

/**
 * Which of these machines require which, the other way round: by long name, those that are to be stopped before it.
 * Machines that require each other are not ordered: a cycle has no order to stop in.
 *
 * @param idsOf the ids that one names in REQUIRES; those of other machines are ignored.
 */
export function dependentsOf(
  targets: readonly MachineRef[],
  idsOf: (target: MachineRef) => readonly string[],
): ReadonlyMap<string, readonly MachineRef[]> {
  const byId = new Map(targets.flatMap((target) => idsOfTarget(target).map((id) => [id, target])));
  const needs = new Map(targets.map((target) => [target, idsOf(target).flatMap((id) => byId.get(id) ?? [])] as const));
  const leadsTo = (from: MachineRef, to: MachineRef, seen = new Set<MachineRef>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (needs.get(from) ?? []).some((next) => leadsTo(next, to, seen));
  };
  const dependents = new Map<string, MachineRef[]>();
  for (const target of targets) {
    for (const required of needs.get(target) ?? []) {
      if (leadsTo(required, target)) continue;
      dependents.set(required.longName, [...(dependents.get(required.longName) ?? []), target]);
    }
  }
  return dependents;
}

function idsOfTarget({ longName, shortName }: MachineRef): string[] {
  return shortName === undefined ? [longName] : [longName, shortName];
}

function circle(names: readonly string[]): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', `Machines require each other: ${names.join(', ')}`, {
    hint: 'remove one of them from REQUIRES',
  });
}
