import { renderSize } from '../../../config/text/values.ts';
import type { ImportDraft } from '../draft.ts';
import { carry, lose, set, setChanged } from './sweep.ts';
import { bytesOf } from './units.ts';
import type { XmlElement } from './xml.ts';

/** Microseconds in which the kernel counts, unless another period is written. */
const DEFAULT_PERIOD = 100_000;

/** libvirt writes about this many bytes (2^63) for no limit. */
const UNLIMITED = 2 ** 53;

/** What a domain may use of the host: `<cputune>`, `<memtune>` and the processors that it runs on. */
export function readLimits(draft: ImportDraft, root: XmlElement): void {
  const vcpu = root.child('vcpu');
  const cpuset = vcpu?.attribute('cpuset');
  if (vcpu && cpuset !== undefined) {
    const place = { line: vcpu.line, source: `<vcpu> cpuset='${cpuset}'` };
    if (IS_CPUSET.test(cpuset)) draft.set(place, 'CPUSET', cpuset);
    else draft.lose(place, 'processors are named by numbers and ranges, see CPUSET');
  }
  const count = Number(vcpu?.ownText() ?? '1');
  const cputune = root.child('cputune');
  if (cputune) {
    readPins(draft, cputune, count);
    readQuotas(draft, cputune, count);
  }
  readMemoryLimit(draft, root.child('memtune'));
}

const IS_CPUSET = /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/;

/** Pins of single processors are one set for the machine, if all of them are pinned. */
function readPins(draft: ImportDraft, cputune: XmlElement, count: number): void {
  const pins = cputune.children.filter(({ name }) => /^(?:vcpu|emulator|iothread)pin$/.test(name));
  const sets = pins.map((pin) => pin.attribute('cpuset') ?? '');
  const isWhole = pins.filter(({ name }) => name === 'vcpupin').length >= count;
  const canBe = isWhole && sets.every((set) => IS_CPUSET.test(set)) && !draft.settings.has('CPUSET');
  const union = rangesOf(sets);
  for (const pin of pins) {
    pin.ignore('vcpu', 'iothread');
    if (canBe) setChanged(draft, pin, 'CPUSET', union, 'all threads of QEMU share the processors of all pins');
    else lose(pin, 'threads are not pinned one by one; see CPUSET');
  }
}

/** `0-3,8` for `0,2,3,1` and `8`. */
function rangesOf(sets: readonly string[]): string {
  const numbers = new Set(
    sets.flatMap((set) =>
      set.split(',').flatMap((range) => {
        const [first = 0, last = first] = range.split('-').map(Number);
        return last - first > MOST_CPUS ? [] : Array.from({ length: last - first + 1 }, (_, at) => first + at);
      }),
    ),
  );
  const ranges: [number, number][] = [];
  for (const number of [...numbers].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}

/** Hosts have no more. */
const MOST_CPUS = 8192;

function readQuotas(draft: ImportDraft, cputune: XmlElement, count: number): void {
  const numberOf = (name: string): number | undefined => {
    const text = cputune.child(name)?.ownText();
    return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
  };
  for (const prefix of ['global_', '', 'emulator_', 'iothread_']) {
    const quota = cputune.child(`${prefix}quota`);
    const period = cputune.child(`${prefix}period`);
    const most = numberOf(`${prefix}quota`) ?? -1;
    const percent = Math.round((100 * most) / (numberOf(`${prefix}period`) ?? DEFAULT_PERIOD));
    const parts = [quota, period].flatMap((each) => each ?? []);
    if (most <= 0) for (const part of parts) carry(draft, part, '', 'no limit');
    else if (prefix === 'global_' && percent >= 1)
      for (const part of parts) set(draft, part, 'LIMIT_CPU', `${percent}%`);
    else if (prefix === '' && percent >= 1 && !draft.settings.has('LIMIT_CPU')) {
      const reason = 'for all processors together, not for each of them';
      for (const part of parts) setChanged(draft, part, 'LIMIT_CPU', `${percent * count}%`, reason);
    } else for (const part of parts) lose(part, 'single threads of QEMU are not limited; see LIMIT_CPU');
  }
  for (const each of cputune.children) {
    if (each.name === 'shares') lose(each, 'machines have no weights; see LIMIT_CPU');
  }
}

const KIB = 1024;

function readMemoryLimit(draft: ImportDraft, memtune: XmlElement | undefined): void {
  for (const each of memtune?.children ?? []) {
    const bytes = bytesOf(each) ?? UNLIMITED;
    const isLimit = bytes > 0 && bytes < UNLIMITED;
    if (!isLimit) carry(draft, each, '', 'no limit');
    else if (each.name !== 'hard_limit') lose(each, 'only the most memory is limited, by LIMIT_MEMORY');
    else set(draft, each, 'LIMIT_MEMORY', renderSize(Math.ceil(bytes / KIB) * KIB));
  }
}
