import { totalmem } from 'node:os';
import type { Problem } from '../../base/problem.ts';
import { nearest } from '../../base/text.ts';
import { processorsOf } from '../../config/hardware/hardware.ts';
import { renderSize } from '../../config/text/values.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { QemuProbe } from '../../system/probe/qemu-probe.ts';
import { panicDevice, watchdogDevice } from '../argv/build.ts';
import { chipsetOf } from '../argv/chipset.ts';
import { withLevel } from '../argv/cpu-levels.ts';
import { vgaDevice } from '../argv/display.ts';
import { needsPorts } from '../argv/hotplug.ts';
import { SOUND_DEVICES } from '../argv/sound.ts';
import { tpmDevice } from '../argv/tpm.ts';
import { virtio } from '../target.ts';
import { issueAt } from './issues.ts';

/** What the machine's QEMU does not have: board, processor, as many of them, devices. */
export function targetIssues(config: MachineConfig, probe: QemuProbe, accelerator: 'kvm' | 'tcg'): Problem[] {
  return [
    ...boardIssues(config, probe),
    ...cpuIssues(config, probe, accelerator),
    ...countIssues(config, probe, accelerator),
    ...nicIssues(config, probe),
    ...deviceIssues(config, probe),
    ...memoryIssues(config),
    ...spiceIssues(config, probe),
  ];
}

function boardIssues(config: MachineConfig, { machines, defaultMachine, version }: QemuProbe): Problem[] {
  const type = boardOf(config);
  if (machines.has(type)) return [];
  const near = nearest(type, [...machines.keys()]);
  const instead = near ?? (machines.has('virt') ? 'virt' : defaultMachine);
  const hint = instead === undefined ? '' : `set MACHINE=${instead}, or `;
  const message = `MACHINE "${type}" is unknown to QEMU ${version} of ${config.targetArch}`;
  return [issueAt(config, 'MACHINE', message, `${hint}see: ${config.targetArch} -machine help`)];
}

function boardOf({ machine }: MachineConfig): string {
  return machine.split(',')[0] ?? '';
}

/** Targets that take a model in any letter case, and those that take any name (cpu_class_by_name of each). */
const CASE_DOES_NOT_COUNT = /^(?:ppc|sh4|sparc)/;
const ANY_MODEL = /^(?:alpha|cris)/;

function cpuIssues(config: MachineConfig, probe: QemuProbe, accelerator: 'kvm' | 'tcg'): Problem[] {
  const [model = '', ...flags] = config.cpu === undefined ? [] : withLevel(config.cpu).split(',');
  if (model === '') return [];
  const issues: Problem[] = [];
  const target = targetOf(config);
  const isKnown = CASE_DOES_NOT_COUNT.test(target)
    ? [...probe.cpus].some((name) => name.toLowerCase() === model.toLowerCase())
    : probe.cpus.has(model);
  // Under TCG something else takes the place of "host".
  if (!isKnown && model !== 'host' && probe.cpus.size > 0 && !ANY_MODEL.test(target)) {
    const near = nearest(model, [...probe.cpus]);
    const hint = near === undefined ? `see: ${config.targetArch} -cpu help` : `did you mean "${near}"?`;
    issues.push(issueAt(config, 'CPU', `CPU "${model}" is unknown to QEMU ${probe.version}`, hint));
  }
  const hyperV = flags.filter((flag) => /^[+]?hv[-_]/.test(flag) && !/=(?:off|no|false)$/.test(flag));
  if (accelerator === 'tcg' && hyperV.length > 0) {
    const message = `CPU has ${hyperV.join(', ')}, which needs KVM; this machine runs without it`;
    issues.push(issueAt(config, 'CPU', message, 'remove it, or set KVM=on'));
  }
  if (accelerator === 'tcg' && config.cpu?.startsWith('x86-64-v4')) {
    const message = 'CPU "x86-64-v4" has AVX-512, which only a guest with KVM gets';
    issues.push({ ...issueAt(config, 'CPU', message, 'set CPU=x86-64-v3'), severity: 'warning' });
  }
  return issues;
}

/** `riscv64` of `/usr/bin/qemu-system-riscv64`. */
function targetOf({ targetArch }: MachineConfig): string {
  return /([^/-]+)$/.exec(targetArch)?.[1] ?? '';
}

/** Without the interrupt controller of KVM, x86 has no APIC ids past a byte. */
const MOST_EMULATED_X86 = 255;

function countIssues(config: MachineConfig, probe: QemuProbe, accelerator: 'kvm' | 'tcg'): Problem[] {
  const board = boardOf(config);
  const ofBoard = probe.maxCpus.get(probe.machines.get(board) ?? board);
  if (ofBoard === undefined) return [];
  const chipset = chipsetOf(board);
  const isEmulatedX86 = accelerator === 'tcg' && (chipset === 'q35' || chipset === 'pc');
  const most = isEmulatedX86 ? Math.min(ofBoard, MOST_EMULATED_X86) : ofBoard;
  const key = config.maxSmp === undefined ? 'SMP' : 'MAXSMP';
  const wanted = config.maxSmp ?? processorsOf(config.smp);
  if (wanted <= most) return [];
  const where = isEmulatedX86 && most < ofBoard ? ' without KVM' : '';
  return [issueAt(config, key, `${key} asks for ${wanted} processors; MACHINE "${board}" has at most ${most}${where}`)];
}

function nicIssues(config: MachineConfig, { nics, devices, version }: QemuProbe): Problem[] {
  const chipset = chipsetOf(config.machine);
  return config.nics.flatMap(({ index, model }) => {
    const key = `NIC${index}`;
    if (nics.size === 0 ? !devices.has(model) : !nics.has(model)) {
      const problem = devices.has(model) ? `"${model}" is not a network card` : `has no network card "${model}"`;
      const message = devices.has(model) ? `${key}: ${problem}` : `${key}: QEMU ${version} ${problem}`;
      const near = nearest(model, nics.keys());
      const hint = near === undefined ? '' : `did you mean "${near}"? `;
      return [issueAt(config, key, message, `${hint}see: ${config.targetArch} -device help`)];
    }
    const bus = nics.get(model);
    if (bus === undefined || chipset === 'other' || BUSES[chipset].includes(bus) || hasBus(config, bus)) return [];
    const message = `${key}: "${model}" needs a bus "${bus}", which MACHINE "${boardOf(config)}" does not have`;
    return [issueAt(config, key, message, 'use virtio-net-pci, or add a controller with that bus in [custom]')];
  });
}

/** Buses that a board has by itself. */
const BUSES: Readonly<Record<'q35' | 'pc' | 'virt', readonly string[]>> = {
  q35: ['PCI', 'ISA'],
  pc: ['PCI', 'ISA'],
  virt: ['PCI'],
};

/** Whether USB= or a line of `[custom]` brings the bus: `usb-bus` comes with any USB controller. */
function hasBus(config: MachineConfig, bus: string): boolean {
  const word = bus.split('-')[0] ?? '';
  const text = [config.machine, ...config.custom.flatMap(({ args }) => args)].join(' ');
  const hasUsb = config.usbInput || config.sound?.card === 'usb';
  return bus !== '' && (text.includes(word) || (bus === 'usb-bus' && hasUsb));
}

/** Devices of the other keys, of which one of each list has to be there. */
function deviceIssues(config: MachineConfig, { devices, version }: QemuProbe): Problem[] {
  const panic = panicDevice(config);
  const needs: (readonly [key: string, value: string, names: readonly string[]])[] = [
    ...(config.vga === 'none' ? [] : [['VGA', config.vga, [vgaDevice(config.vga, config.targetArch)]] as const]),
    ...(config.watchdog === 'off' ? [] : [['WATCHDOG', config.watchdog, [watchdogDevice(config)]] as const]),
    ...(panic === undefined || config.onPanic === 'none' ? [] : [['ONPANIC', config.onPanic, [panic]] as const]),
    ...(config.agent ? [['QGA', 'on', virtio('serial')] as const] : []),
    ...(config.rng ? [['RNG', 'on', virtio('rng')] as const] : []),
    ...(config.balloon ? [['BALLOON', 'on', virtio('balloon')] as const] : []),
    ...(config.tpm ? [['TPM', 'on', [tpmDevice(config)]] as const] : []),
    ...(config.vmGenerationId === undefined ? [] : [['VMGENID', 'on', ['vmgenid']] as const]),
    ...config.usb.map(({ index, device }) => [`USB${index}`, device, ['usb-host']] as const),
    ...config.pci.map(({ index, address }) => [`PCI${index}`, address, ['vfio-pci']] as const),
    ...(config.usbInput ? [['USB', 'on', ['qemu-xhci']] as const] : []),
    ...(config.sound ? [['SOUND', config.sound.card, [SOUND_DEVICES[config.sound.card]]] as const] : []),
    ...config.shares.map(({ index, driver }) => [`SHARE${index}`, driver, SHARE_DEVICES[driver]] as const),
    ...(config.hotplug > 0 && needsPorts(chipsetOf(config.machine, config.targetArch))
      ? [['HOTPLUG', String(config.hotplug), ['pcie-root-port']] as const]
      : []),
    ...config.disks.map((disk) => [`DSK${disk.index}`, `if=${disk.interface}`, CONTROLLERS[disk.interface]] as const),
  ];
  return needs.flatMap(([key, value, names]) => {
    if (names.some((name) => devices.has(name))) return [];
    const message = `${key}=${value} needs the device "${names[0]}", which QEMU ${version} of ${config.targetArch} does not have`;
    const issue = issueAt(config, key, key.startsWith('DSK') ? message.replace('=', ' ') : message);
    // Debian 13 has it in a separate package.
    const install = names[0]?.startsWith('qxl') === true ? 'apt install qemu-system-modules-spice, or ' : '';
    return [{ ...issue, hint: `${install}remove it, or choose another value` }];
  });
}

const SHARE_DEVICES = {
  '9p': ['virtio-9p-pci', 'virtio-9p-device', 'virtio-9p-ccw'],
  virtiofs: ['vhost-user-fs-pci', 'vhost-user-fs-device', 'vhost-user-fs-ccw'],
} as const;

const CONTROLLERS = {
  virtio: virtio('blk'),
  scsi: virtio('scsi'),
  ide: ['ich9-ahci', 'piix3-ide'],
  sata: ['ich9-ahci'],
  nvme: ['nvme'],
} as const;

/** More memory than the host has is not an error: a guest need not use all of its own. */
function memoryIssues(config: MachineConfig): Problem[] {
  const host = totalmem();
  if (config.memoryBytes <= host) return [];
  const has = renderSize(Math.floor(host / 1024 ** 2) * 1024 ** 2);
  const message = `RAM is ${renderSize(config.memoryBytes)}, and this host has ${has}`;
  return [
    { ...issueAt(config, 'RAM', message, 'the host may kill QEMU when the guest uses it all'), severity: 'warning' },
  ];
}

function spiceIssues(config: MachineConfig, { commands, version }: QemuProbe): Problem[] {
  if (!config.spice || commands.has('query-spice')) return [];
  const message = `SPICE=on needs a QEMU with SPICE, and QEMU ${version} of ${config.targetArch} is built without it`;
  return [issueAt(config, 'SPICE', message, 'set VNC= instead')];
}
