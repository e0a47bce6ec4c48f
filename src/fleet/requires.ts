import { QemuError } from '../errors.ts';
import type { Target } from '../machine/host.ts';

/** Machines and what each requires, by long name. */
export interface Requirements {
  /** Required machines first, each once. */
  readonly targets: readonly Target[];
  readonly of: (target: Target) => readonly Target[];
  /** Why a machine cannot have what it requires, by long name. */
  readonly errors: ReadonlyMap<string, unknown>;
}

/**
 * Adds what machines require, and what that requires. A machine that requires something unknown, or itself over others,
 * is among the errors.
 *
 * @param requiresOf the machines that one names in REQUIRES; may throw.
 */
export function withRequired(
  targets: readonly Target[],
  requiresOf: (target: Target) => readonly Target[],
): Requirements {
  const byName = new Map<string, Target>();
  const required = new Map<string, Target[]>();
  const errors = new Map<string, unknown>();
  const visit = (target: Target, path: readonly string[]): void => {
    const { longName } = target;
    if (required.has(longName)) return;
    const needs: Target[] = [];
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
 * Why a machine cannot have what it requires, or what that requires: an id that means no machine, or a circle.
 *
 * @param requiresOf as for {@link withRequired}.
 */
export function requirementError(
  target: Target,
  requiresOf: (target: Target) => readonly Target[],
): QemuError | undefined {
  const [first] = withRequired([target], requiresOf).errors;
  const [name, error] = first ?? [];
  if (!(error instanceof QemuError)) return undefined;
  if (name === target.longName) return error;
  return new QemuError(error.code, `Machine "${name}" cannot be started: ${error.message}`, { hint: error.hint });
}

/**
 * Which of these machines require which, the other way round: by long name, those that are to be stopped before it. Of
 * machines that require each other none is before the other: a circle has no order to stop in.
 *
 * @param idsOf the ids that one names in REQUIRES; those of other machines are passed over.
 */
export function dependentsOf(
  targets: readonly Target[],
  idsOf: (target: Target) => readonly string[],
): ReadonlyMap<string, readonly Target[]> {
  const byId = new Map(targets.flatMap((target) => idsOfTarget(target).map((id) => [id, target])));
  const needs = new Map(targets.map((target) => [target, idsOf(target).flatMap((id) => byId.get(id) ?? [])] as const));
  const leadsTo = (from: Target, to: Target, seen = new Set<Target>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (needs.get(from) ?? []).some((next) => leadsTo(next, to, seen));
  };
  const dependents = new Map<string, Target[]>();
  for (const target of targets) {
    for (const required of needs.get(target) ?? []) {
      if (leadsTo(required, target)) continue;
      dependents.set(required.longName, [...(dependents.get(required.longName) ?? []), target]);
    }
  }
  return dependents;
}

function idsOfTarget({ longName, shortName }: Target): string[] {
  return shortName === undefined ? [longName] : [longName, shortName];
}

function circle(names: readonly string[]): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', `Machines require each other: ${names.join(', ')}`, {
    hint: 'take one of them out of REQUIRES',
  });
}
