import { isDeepStrictEqual } from 'node:util';
import type { Device, Drive, Part } from '../argv/description.ts';
import { compareParts, type PartsChange } from './compare.ts';
import { type Obstacle, Places, unplugObstacle } from './places.ts';
import { type FreeCpu, type Growth, growCpus, growMemory, growthOf } from './room.ts';
import { isController, plain, type Running } from './running.ts';

/** One thing that is done to a machine that runs. */
export type Step =
  /** Puts a disc into a drive; without a file takes out the one in it. */
  | { readonly do: 'medium'; readonly key: string; readonly drive: Drive }
  /** Sets how much a disk moves in a second. */
  | { readonly do: 'throttle'; readonly key: string; readonly drive: Drive; readonly device: Device }
  | { readonly do: 'unplug'; readonly key: string; readonly parts: readonly Part[] }
  | { readonly do: 'plug'; readonly key: string; readonly parts: readonly Part[] }
  /** Takes a tap to its bridge, VLAN and rules, while the card stays. */
  | { readonly do: 'tap'; readonly key: string; readonly nic: number }
  | { readonly do: 'vnc-password'; readonly key: string }
  /** Gives QEMU what it may use of the host. */
  | { readonly do: 'limits'; readonly key: string };

/** What becomes of a key whose value is not the one that runs. */
export interface KeyFate {
  readonly key: string;
  readonly how: 'live' | 'restart';
  /** Of what needs a restart, as a clause; undefined when it is simply that QEMU takes it only at a start. */
  readonly why?: Obstacle | undefined;
}

/** How a machine that runs becomes what it is to be. */
export interface Plan {
  /** In this order; to be done only when no key needs a restart. */
  readonly steps: readonly Step[];
  readonly keys: readonly KeyFate[];
}

/** What a plan depends on in addition to the parts. */
export interface PlanFacts {
  /** Names of ports that have something in them, whoever plugged it in. */
  readonly occupied: ReadonlySet<string>;
  /** Numbers of NICs whose taps are not as they are to be. */
  readonly taps: readonly number[];
  /** Keys that no part shows: RUNAS needs a restart, a VNC password is set. */
  readonly otherKeys: readonly KeyFate[];
  /** Processors that there is room for, in the order in which they are plugged in. */
  readonly freeCpus: readonly FreeCpu[];
  /** Of QEMU's version. */
  readonly qemuMajor: number;
}

/** Makes a plan. Pure. */
export function planChanges(running: Running, wanted: readonly Part[], facts: PlanFacts): Plan {
  const changes = compareParts(running, wanted);
  const places = new Places(running.parts, facts.occupied);
  const drafts = changes.map((change) => draft(change, running, wanted, facts));
  for (const { unplug } of drafts) for (const part of unplug) if (part.kind === 'device') places.release(part);
  const done = drafts.map((each) => settle(each, places));
  const keys = [...done.map(({ fate }) => fate), ...facts.otherKeys];
  const known = new Set(keys.map(({ key }) => key));
  const taps = facts.taps.filter((nic) => !known.has(`NIC${nic}`));
  const steps = done.flatMap(({ steps: each }) => each);
  return {
    keys: [...keys, ...taps.map((nic): KeyFate => ({ key: `NIC${nic}`, how: 'live' }))],
    steps: [
      ...steps.filter((step) => step.do === 'medium' || step.do === 'throttle'),
      ...taps.map((nic): Step => ({ do: 'tap', key: `NIC${nic}`, nic })),
      ...facts.otherKeys.flatMap(otherStep),
      // What goes makes room for what comes.
      ...steps.filter((step) => step.do === 'unplug'),
      ...steps.filter((step) => step.do === 'plug'),
    ],
  };
}

function otherStep({ key, how }: KeyFate): Step[] {
  if (how === 'restart') return [];
  return [{ do: key === 'VNC' ? 'vnc-password' : 'limits', key }];
}

/** A change before its devices have places. */
interface Draft {
  readonly key: string;
  readonly simple?: Step | undefined;
  readonly unplug: readonly Part[];
  readonly plug: readonly Part[];
  readonly why?: Obstacle | undefined;
}

/**
 * From this version of QEMU on a processor can be unplugged under TCG. Version 7.2 overwrites memory of its own then, so
 * that on a busy host it soon aborts ("malloc(): largebin double linked list corrupted") in about one of five cases;
 * version 10 did not. With KVM neither does.
 */
const SAFE_CPU_REMOVAL = 10;

/** The obstacle that needs no word. */
const AT_START = 'QEMU takes it only at a start';

function draft(change: PartsChange, running: Running, wanted: readonly Part[], facts: PlanFacts): Draft {
  const { key, was, becomes } = change;
  const stuck = (why: Obstacle): Draft => ({ key, unplug: [], plug: [], why });
  if (key === 'SMP' || key === 'RAM') {
    const growth = growthFor(change, running, facts);
    return typeof growth === 'string' ? stuck(growth) : { key, ...growth };
  }
  if (!/^(?:DSK|CDR|NIC|USB)\d*$/.test(key)) return stuck(AT_START);
  if (becomes.length > 0 && running.leaving[key] !== undefined) {
    return stuck('the guest was asked to release the device that has its place, and has not done so yet');
  }
  const simple = changedDrive(change, running);
  if (simple !== undefined) return { key, simple, unplug: [], plug: [] };
  if (was.length === 0) return { key, unplug: [], plug: becomes };
  if (becomes.length === 0) return { key, unplug: was, plug: [] };
  const own = (parts: readonly Part[]): Part[] => parts.filter((part) => part.key === key && !isController(part));
  if (key.startsWith('DSK') && hasSameImage(own(running.parts), own(wanted))) return stuck(AT_START);
  const controllers = becomes.filter(isController);
  return { key, unplug: own(running.parts), plug: [...controllers, ...own(wanted)] };
}

/** More or less of what there is room for. */
function growthFor({ key, was, becomes }: PartsChange, { parts }: Running, facts: PlanFacts): Growth {
  const [before, ...others] = was;
  const [after, ...more] = becomes;
  if (others.length + more.length > 0 || before?.kind !== 'option' || after?.kind !== 'option') return AT_START;
  const growth = growthOf(before, after);
  if (growth === undefined) return AT_START;
  if (key !== 'SMP') return growMemory(parts, growth);
  if (growth < 0 && facts.qemuMajor < SAFE_CPU_REMOVAL && isEmulated(parts)) {
    return `QEMU before version ${SAFE_CPU_REMOVAL} may crash when a processor that it emulates is unplugged`;
  }
  return growCpus(parts, growth, facts.freeCpus);
}

function isEmulated(parts: readonly Part[]): boolean {
  return parts.some((part) => part.kind === 'option' && part.args[0] === '-accel' && part.args[1] === 'tcg');
}

/** The change of a drive that stays: of the disc in it, or of how much a disk moves in a second. */
function changedDrive({ key, was, becomes }: PartsChange, { parts }: Running): Step | undefined {
  const [before, ...others] = was;
  const [after, ...more] = becomes;
  if (others.length + more.length > 0 || before?.kind !== 'drive' || after?.kind !== 'drive') return undefined;
  const without = (drive: Drive): object => plain({ ...drive, image: undefined, rate: undefined });
  if (!isDeepStrictEqual(without(before), without(after))) return undefined;
  if (key.startsWith('CDR')) return { do: 'medium', key, drive: after };
  const device = parts.find((part): part is Device => part.kind === 'device' && part.drive?.id === after.id);
  const isSame = hasSameImage(was, becomes) && before.image?.format === after.image?.format;
  return device !== undefined && isSame ? { do: 'throttle', key, drive: after, device } : undefined;
}

/** A disk whose image stays is in use: taken out and put in again it would be another disk to the guest. */
function hasSameImage(was: readonly Part[], becomes: readonly Part[]): boolean {
  const imageOf = (parts: readonly Part[]): string | undefined =>
    parts.find((part) => part.kind === 'drive')?.image?.file;
  return imageOf(was) !== undefined && imageOf(was) === imageOf(becomes);
}

interface Settled {
  readonly fate: KeyFate;
  readonly steps: readonly Step[];
}

/** Gives each device its place, or says what is in the way. */
function settle({ key, simple, unplug, plug, why }: Draft, places: Places): Settled {
  const steps: Step[] = simple === undefined ? [] : [simple];
  const obstacles: Obstacle[] = why === undefined ? [] : [why];
  if (unplug.length > 0) {
    obstacles.push(...unplug.flatMap((part) => (part.kind === 'device' ? (unplugObstacle(part) ?? []) : [])));
    obstacles.push(...unplug.filter(({ kind }) => kind === 'option').map(() => AT_START));
    steps.push({ do: 'unplug', key, parts: unplug });
  }
  const parts = plug.map((part) => placed(part, places));
  obstacles.push(...parts.filter((part) => typeof part === 'string'));
  if (plug.length > 0) steps.push({ do: 'plug', key, parts: parts.filter((part) => typeof part !== 'string') });
  const [obstacle] = obstacles;
  return obstacle === undefined
    ? { fate: { key, how: 'live' }, steps }
    : { fate: { key, how: 'restart', why: obstacle === AT_START ? undefined : obstacle }, steps: [] };
}

function placed(part: Part, places: Places): Part | Obstacle {
  switch (part.kind) {
    case 'device':
      return withoutBootIndex(places.place(part));
    case 'drive':
      return part.snapshot ? 'a disk with snapshot=on is made at a start' : part;
    case 'netdev':
      // Its socket is one that QEMU inherits.
      return part.arguments.type === 'stream' ? 'net=passt is set up at a start' : part;
    case 'option':
      return AT_START;
    case 'object':
      return part;
    default:
      return part satisfies never;
  }
}

/** QEMU refuses a place in the boot order that another device has; all of them are set anew afterwards. */
function withoutBootIndex(device: Device | Obstacle): Device | Obstacle {
  if (typeof device === 'string') return device;
  return { ...device, properties: { ...device.properties, bootindex: undefined } };
}
