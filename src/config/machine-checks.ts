import { basename } from 'node:path';
import { quote } from '../base/text.ts';
import { processorsOf } from './hardware/hardware.ts';
import { checkNuma } from './hardware/numa.ts';
import { checkSmbios } from './hardware/smbios.ts';
import { checkHugePages } from './rights/huge-pages.ts';
import { checkLimits } from './rights/resource-limits.ts';
import { renderSize } from './text/values.ts';
import type { MachineConfig } from './types.ts';

/** Reports a problem of a key that is set. */
type ReportKey = (key: string, message: string, hint?: string) => void;

/** Reports keys of one machine that contradict each other, without looking at the host. */
export function checkMachine(config: MachineConfig, report: ReportKey): void {
  checkKernel(config, report);
  checkImages(config, report);
  checkTags(config, report);
  checkSata(config, report);
  checkNics(config, report);
  checkBootIndexes(config, report);
  checkNuma(config, report);
  checkHugePages(config, report);
  checkSmbios(config, report);
  checkShutdown(config, report);
  checkRoom(config, report);
  checkLimits(config, report);
  if (/,accel=/.test(config.machine)) {
    report('MACHINE', `MACHINE ${quote(config.machine)} has accel=, which KVM= sets`, 'set KVM=on or off instead');
  }
  if (config.sound?.backend === 'spice' && !config.spice) {
    report('SOUND', 'SOUND has backend=spice, but SPICE is off', 'set SPICE=on');
  }
  if (/,hpet=/.test(config.machine) && config.origins.has('HPET')) {
    report('HPET', `HPET is set, but MACHINE ${quote(config.machine)} also has hpet=`, 'remove one of them');
  }
  if (config.kvm === 'off' && config.cpu?.split(',')[0] === 'host') {
    report('CPU', 'CPU "host" needs KVM, which is off', 'use CPU=max');
  }
  if (config.requires.some((id) => id === config.name || id === config.longName)) {
    report('REQUIRES', `REQUIRES ${quote(config.requires.join(','))} names the machine itself`);
  }
  const needsRoot = config.netif === 'hook' && config.nics.some(({ net }) => net === 'bridge');
  if (needsRoot && config.runAs !== undefined) {
    report('RUNAS', 'RUNAS needs NETIF=managed: QEMU could not make its taps', 'set NETIF=managed');
  }
  if (needsRoot && config.sandbox) {
    report('SANDBOX', 'SANDBOX needs NETIF=managed: QEMU could not run its hooks', 'set NETIF=managed');
  }
}

/** There must be room for what the machine begins with. */
function checkRoom({ smp, maxSmp, memoryBytes, maxMemoryBytes }: MachineConfig, report: ReportKey): void {
  if (maxMemoryBytes !== undefined && maxMemoryBytes < memoryBytes) {
    report('MAXRAM', `MAXRAM ${renderSize(maxMemoryBytes)} is less than RAM ${renderSize(memoryBytes)}`);
  }
  if (maxSmp === undefined) return;
  if (/maxcpus=/.test(smp)) {
    report('MAXSMP', 'MAXSMP is set, but SMP has maxcpus= as well', 'remove one of them');
  } else if (processorsOf(smp) > maxSmp) {
    report('MAXSMP', `MAXSMP ${maxSmp} is less than SMP ${processorsOf(smp)}`);
  }
}

/** No two devices may have the same place in the boot order. */
function checkBootIndexes({ disks, cdroms, nics }: MachineConfig, report: ReportKey): void {
  const seen = new Map<number, string>();
  const all = [
    ...disks.map(({ index, bootIndex }) => [`DSK${index}`, bootIndex] as const),
    ...cdroms.map(({ index, bootIndex }) => [`CDR${index}`, bootIndex] as const),
    ...nics.map(({ index, bootIndex }) => [`NIC${index}`, bootIndex] as const),
  ];
  for (const [key, bootIndex] of all) {
    const other = bootIndex === undefined ? undefined : seen.get(bootIndex);
    if (other !== undefined) report(key, `${key} has the same bootindex=${bootIndex} as ${other}`);
    else if (bootIndex !== undefined) seen.set(bootIndex, key);
  }
}

/** QEMU cannot save what these are connected to, so that each shutdown of the host would go another way than stated. */
function checkShutdown({ onShutdown, shares, pci, disks }: MachineConfig, report: ReportKey): void {
  if (onShutdown !== 'save') return;
  const share = shares.find(({ driver }) => driver === 'virtiofs');
  const thrownAway = disks.find(({ snapshot }) => snapshot);
  const obstacles = [
    ...(share === undefined ? [] : [`the folder of SHARE${share.index}`]),
    ...(pci.length === 0 ? [] : ['the device of PCI1']),
    ...(thrownAway === undefined ? [] : [`DSK${thrownAway.index}, which has snapshot=on,`]),
  ];
  for (const obstacle of obstacles) {
    report('ONSHUTDOWN', `ONSHUTDOWN is save, but ${obstacle} cannot be saved`, 'set ONSHUTDOWN=shutdown');
  }
}

/** The guest could not tell two shares of one name apart. */
function checkTags({ shares }: MachineConfig, report: ReportKey): void {
  for (const [position, { index, tag }] of shares.entries()) {
    const other = shares.slice(0, position).find((each) => each.tag === tag);
    if (other) report(`SHARE${index}`, `SHARE${index} has the same tag as SHARE${other.index}: ${quote(tag)}`);
  }
}

/** QEMU takes both with `-kernel` only. */
function checkKernel(config: MachineConfig, report: ReportKey): void {
  if (config.kernel !== undefined) return;
  if (config.initrd !== undefined) report('INITRD', 'INITRD is set without KERNEL');
  if (config.append !== '') report('APPEND', 'APPEND is set without KERNEL');
}

/** Two disks on one image destroy it, unless both are read-only. */
function checkImages({ disks }: MachineConfig, report: ReportKey): void {
  for (const [position, disk] of disks.entries()) {
    const other = disks.slice(0, position).find(({ file }) => file === disk.file);
    if (!other || (other.readonly && disk.readonly)) continue;
    report(
      `DSK${disk.index}`,
      `DSK${disk.index} is the same image as DSK${other.index}: ${quote(basename(disk.file))}`,
    );
  }
}

/** One PCI slot has room for eight controllers with six ports each. */
const LAST_SATA_DISK = 48;

function checkSata({ disks }: MachineConfig, report: ReportKey): void {
  for (const { index, interface: bus } of disks) {
    if ((bus !== 'sata' && bus !== 'ide') || index <= LAST_SATA_DISK) continue;
    report(`DSK${index}`, `DSK${index} cannot be if=${bus}: only DSK1 to DSK${LAST_SATA_DISK} can`);
  }
}

function checkNics({ nics }: MachineConfig, report: ReportKey): void {
  const macs = new Map<string, number>();
  const ports = new Map<string, number>();
  for (const { index, mac, hostForwards } of nics) {
    const key = `NIC${index}`;
    const sameMac = mac && macs.get(mac.toLowerCase());
    if (sameMac) report(key, `${key} has the same MAC address as NIC${sameMac}: ${quote(mac)}`);
    if (mac) macs.set(mac.toLowerCase(), index);
    for (const { protocol, hostAddress, hostPort } of hostForwards) {
      const port = `${protocol}:${hostAddress}:${hostPort}`;
      const samePort = ports.get(port);
      if (samePort !== undefined) report(key, `${key} forwards ${quote(port)}, which NIC${samePort} already forwards`);
      ports.set(port, index);
    }
  }
}
