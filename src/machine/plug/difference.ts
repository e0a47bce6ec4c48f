import type { MachineConfig } from '../../config/types.ts';
import { unitOf } from '../../system/services/systemd.ts';
import { describeMachine } from '../argv/build.ts';
import type { Part } from '../argv/description.ts';
import type { ArgvRequest } from '../argv/request.ts';
import type { MachineContext } from '../context.ts';
import { canLimit, LIMIT_KEYS } from '../limits/apply-limits.ts';
import { compareParts } from './compare.ts';
import { type KeyFate, type Plan, planChanges } from './plan.ts';
import type { Reality } from './reality.ts';
import type { Running } from './running.ts';
import { shownText, type Texts, textsOf, textsOfConfig } from './texts.ts';

/** A key whose value is not the one that the machine runs with. */
export interface KeyDifference extends KeyFate {
  /** Its value as it runs; empty when there is none. */
  readonly running: string;
  /** Its value now. */
  readonly file: string;
}

/** What is to be done to a machine that runs, and why. */
export interface Difference extends Plan {
  readonly differences: readonly KeyDifference[];
  readonly wanted: readonly Part[];
  /** Values of the keys as they are to be. */
  readonly texts: Texts;
  /** Places in the boot order, by id of the device, when they are not those that run; else empty. */
  readonly bootOrder: ReadonlyMap<string, number>;
}

/** Compares a machine that runs with what its configuration gives. */
export async function findDifference(
  host: MachineContext,
  request: ArgvRequest,
  running: Running,
  reality: Reality & { readonly pid: number },
): Promise<Difference> {
  const wanted = describeMachine(request);
  const texts = textsOfConfig(request.config);
  const before = textsOf(running.config);
  const bootOrder = changedBootOrder(running.parts, wanted);
  const present = new Set(running.parts.map(({ key }) => key));
  const taps = await host.network.changedTaps(request.config);
  const plan = planChanges(running, wanted, {
    occupied: reality.occupied,
    freeCpus: reality.freeCpus,
    qemuMajor: reality.qemuMajor,
    taps: taps.filter((nic) => present.has(`NIC${nic}`)),
    otherKeys: [
      ...keysWithoutParts(request.config, before, texts),
      ...changedLimits(unitOf(reality.pid), before, texts),
    ],
  });
  const known = new Set(plan.keys.map(({ key }) => key));
  const reordered = orderKeys(bootOrder, wanted, before, texts).filter((key) => !known.has(key));
  const keys = [...plan.keys, ...reordered.map((key): KeyFate => ({ key, how: 'live' }))];
  const changes = new Map(compareParts(running, wanted).map((change) => [change.key, change]));
  return {
    ...plan,
    keys,
    wanted,
    texts,
    bootOrder,
    differences: keys.map((fate) => {
      const { was = [], becomes = [] } = changes.get(fate.key) ?? {};
      return {
        ...fate,
        running: shownText(fate.key, before, texts, was),
        file: shownText(fate.key, texts, before, becomes),
      };
    }),
  };
}

/** Keys that are in effect in other ways than through a part. */
function keysWithoutParts(config: MachineConfig, before: Texts, texts: Texts): KeyFate[] {
  const changed = (key: string): boolean => (before.get(key) ?? '') !== (texts.get(key) ?? '');
  const hasPassword = config.vnc.kind !== 'off' && config.vnc.passwordFile !== undefined;
  const hadPassword = /(?:^|,)password=/.test(before.get('VNC') ?? '');
  return [
    ...(changed('RUNAS')
      ? [{ key: 'RUNAS', how: 'restart', why: 'QEMU has its user from its start on' } as const]
      : []),
    ...(changed('VNC') && hasPassword && hadPassword ? [{ key: 'VNC', how: 'live' } as const] : []),
  ];
}

/** Whatever runs QEMU can say which processors it may run on. */
function changedLimits(unit: string | undefined, before: Texts, texts: Texts): KeyFate[] {
  const changed = LIMIT_KEYS.filter((key) => before.get(key) !== texts.get(key));
  return changed.map((key): KeyFate => {
    if (key === 'CPUSET' || canLimit(unit)) return { key, how: 'live' };
    return { key, how: 'restart', why: 'QEMU is in no unit or scope of systemd that has limits' };
  });
}

function changedBootOrder(running: readonly Part[], wanted: readonly Part[]): ReadonlyMap<string, number> {
  const [before, after] = [bootOrderOf(running), bootOrderOf(wanted)];
  const isSame = before.size === after.size && [...after].every(([id, place]) => before.get(id) === place);
  return isSame ? new Map() : after;
}

/** Places in the boot order by id of the device. */
export function bootOrderOf(parts: readonly Part[]): Map<string, number> {
  return new Map(
    parts.flatMap((part): [string, number][] => {
      if (part.kind !== 'device' || part.id === undefined) return [];
      const place = part.properties['bootindex'];
      return typeof place === 'number' ? [[part.id, place]] : [];
    }),
  );
}

/** The keys whose values are why the order is another one; none when it only follows from devices that come and go. */
function orderKeys(order: ReadonlyMap<string, number>, wanted: readonly Part[], before: Texts, texts: Texts): string[] {
  if (order.size === 0) return [];
  const keys = wanted.flatMap((part) => (part.kind === 'device' && order.has(part.id ?? '') ? [part.key] : []));
  return ['BOOT', ...keys].filter((key) => before.get(key) !== texts.get(key));
}
