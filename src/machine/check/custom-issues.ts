import type { Problem } from '../../base/problem.ts';
import { nearest } from '../../base/text.ts';
import type { MonitorConfig } from '../../config/monitor-config.ts';
import type { CustomLine, MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { NO_SLOT } from '../allocation.ts';
import { bootIndexes } from '../argv/boot-order.ts';
import { buildOptions } from '../argv/build.ts';
import type { Option } from '../argv/option.ts';
import { pciSlotOf } from '../argv/pci-slot.ts';
import { readValues } from './option-values.ts';

/**
 * Ids, PCI slots and places in the boot order that lines of `[custom]` want and that are taken, by a device of
 * qemu-init or by an earlier line, and `-set` of what does not exist. QEMU refuses each of them.
 */
export function customIssues(config: MachineConfig, files: MachinePaths, monitor: MonitorConfig): Problem[] {
  if (config.custom.length === 0) return [];
  const taken = new Map<string, string>();
  for (const { key, args } of ownOptions(config, files, monitor))
    claim(args, (name) => taken.set(name, key || 'qemu-init'));
  const bootOrder = [...bootIndexes(config)];
  for (const [key, index] of bootOrder) taken.set(`bootindex ${index}`, key);
  const free = bootOrder.length === 0 ? 0 : Math.max(...bootOrder.map(([, index]) => index)) + 1;
  return config.custom.flatMap((line) => [...collisions(line, taken, free), ...badSets(line, taken)]);
}

/** The options that are ours, as far as ids and places go: formats, ports and the like do not matter. */
function ownOptions(config: MachineConfig, files: MachinePaths, { monitor, tls }: MonitorConfig): readonly Option[] {
  const options = buildOptions({
    config,
    machine: files,
    allocation: monitor === 'off' ? NO_SLOT : { ...NO_SLOT, monitorPort: 1, controlPort: 1 },
    accelerator: 'tcg',
    binary: '',
    ipv6: true,
    tls: tls === 'psk' && monitor === 'tcp',
    images: [],
    cdroms: config.cdroms,
    links: config.nics.map(({ index, net }) => ({
      mac: '',
      netdev: net === 'none' ? undefined : { type: 'user', id: `net${index - 1}` },
    })),
    firmware: undefined,
    paused: false,
    preconfig: false,
  });
  return options.filter(({ key }) => key !== '[custom]');
}

function collisions({ args, origin }: CustomLine, taken: Map<string, string>, free: number): Problem[] {
  const issues: Problem[] = [];
  claim(args, (name, where) => {
    const owner = taken.get(name);
    if (owner === undefined) {
      taken.set(name, '[custom]');
      return;
    }
    const of = owner === '[custom]' ? 'another line of [custom]' : owner;
    const message = `"${where}" in [custom] has ${name}, which ${of} has already`;
    const hint = name.startsWith('bootindex') ? `use ${free} or higher` : 'choose another one';
    issues.push({ ...origin, message, severity: 'error', hint });
  });
  return issues;
}

/** Calls back for each id and place that an option takes. */
function claim(args: readonly string[], take: (name: string, option: string) => void): void {
  for (const [at, arg] of args.entries()) {
    const option = arg.replace(/^--?/, '');
    const group = GROUPS[option];
    const value = args[at + 1];
    if (!arg.startsWith('-') || group === undefined || value === undefined) continue;
    const values = readValues(value);
    const id = values.get('id');
    if (id !== undefined) take(`the id "${id}" of ${group}`, arg);
    if (option === 'drive' || option === 'blockdev') {
      for (const name of ['node-name', 'file.node-name']) {
        const node = values.get(name);
        if (node !== undefined && node !== id) take(`the id "${node}" of ${group}`, arg);
      }
    }
    if (option !== 'device') continue;
    const place = pciSlotOf(values);
    if (place !== undefined) take(`the PCI slot 0x${place.slot.toString(16)}.${place.fn}`, arg);
    const bootIndex = values.get('bootindex');
    if (bootIndex !== undefined) take(`bootindex ${Number(bootIndex)}`, arg);
  }
}

/** What shares one space of ids (qemu-system(1)). Drives and block nodes do. */
const GROUPS: Readonly<Record<string, string>> = {
  device: 'a device',
  drive: 'a drive',
  blockdev: 'a drive',
  netdev: 'a netdev',
  chardev: 'a chardev',
  object: 'an object',
  audiodev: 'an audiodev',
};

/** `-set device.ID.PROPERTY=VALUE` of a device that is not there. */
function badSets({ args, origin }: CustomLine, taken: ReadonlyMap<string, string>): Problem[] {
  return args.flatMap((arg, at): Problem[] => {
    const [, group = '', id = ''] = /^([a-z]+)\.([^.=]+)\./.exec(args[at + 1] ?? '') ?? [];
    const words = GROUPS[group];
    if (!/^--?set$/.test(arg) || words === undefined || taken.has(`the id "${id}" of ${words}`)) return [];
    const ids = [...taken.keys()].flatMap((name) => (name.endsWith(` of ${words}`) ? (name.split('"')[1] ?? []) : []));
    const near = nearest(id, ids);
    const hint = near === undefined ? `there are ${ids.join(', ')}` : `did you mean "${near}"?`;
    return [
      {
        ...origin,
        message: `"-set" in [custom] names ${words} "${id}", which does not exist`,
        severity: 'error',
        hint,
      },
    ];
  });
}
