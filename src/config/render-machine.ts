import { renderBackup } from './backup.ts';
import { renderCustom } from './custom.ts';
import { renderCdrom, renderDisk } from './disk.ts';
import { renderFirmware } from './hardware/hardware.ts';
import { renderNuma } from './hardware/numa.ts';
import { defaultRtc, renderRtc } from './hardware/rtc.ts';
import { renderSmbios } from './hardware/smbios.ts';
import { renderSound } from './hardware/sound.ts';
import { renderShare } from './host-devices/share.ts';
import { renderUsbHost } from './host-devices/usb-host.ts';
import { CUSTOM_SECTION, findKey, KEYS, type KeyName } from './keys.ts';
import { renderNic } from './nic.ts';
import { OWN_USER } from './own-user.ts';
import { renderQuoted, renderValue } from './text/cfg-lines.ts';
import { joinWords } from './text/shell-words.ts';
import { renderSize } from './text/values.ts';
import type { MachineConfig } from './types.ts';
import { deriveUuid } from './uuid.ts';
import { renderVnc } from './vnc.ts';

/**
 * Writes a machine as a cfg file that reads back to an equal machine, whatever the defaults of the host: each key that the
 * machine's own file states, and what is not at its default otherwise. Paths are absolute, keys in the order of the table.
 *
 * @param cleared keys that the file sets to nothing.
 */
export function renderMachineConfig(config: MachineConfig, cleared: readonly string[] = []): string {
  const lines: string[] = [];
  for (const spec of KEYS) {
    const value = WRITERS[spec.name](config);
    const isStated = config.origins.get(spec.name)?.file === config.path;
    if (typeof value !== 'string') lines.push(...value.map(([key, text]) => `${key}=${renderQuoted(text)}`));
    else if (value !== spec.default || isStated) lines.push(`${spec.name}=${renderValue(value)}`);
    lines.push(...cleared.filter((key) => findKey(key)?.name === spec.name).map((key) => `${key}=`));
  }
  if (config.custom.length > 0) lines.push('', `[${CUSTOM_SECTION}]`, ...config.custom.map(renderCustom));
  return lines.map((line) => `${line}\n`).join('');
}

type FamilyText = readonly (readonly [key: string, text: string])[];

/** The value of each key; of a family its members. */
const WRITERS: Readonly<Record<KeyName, (config: MachineConfig) => string | FamilyText>> = {
  NAME: ({ name, longName, origins }) => (name === longName && !origins.has('NAME') ? '' : name),
  OS: ({ os }) => os,
  DESC: ({ description }) => description,
  UUID: ({ uuid, name, origins }) => (uuid === deriveUuid(name) && !origins.has('UUID') ? '' : uuid),
  TGTARCH: ({ targetArch }) => targetArch,
  MACHINE: ({ machine }) => machine,
  CPU: ({ cpu }) => cpu ?? 'auto',
  SMP: ({ smp }) => smp,
  RAM: ({ memoryBytes }) => renderSize(memoryBytes),
  MAXSMP: ({ maxSmp }) => maxSmp?.toString() ?? '',
  HUGEPAGES: ({ hugePages }) => hugePages ?? 'off',
  MAXRAM: ({ maxMemoryBytes }) => sizeOf(maxMemoryBytes),
  KVM: ({ kvm }) => kvm,
  RNG: ({ rng }) => onOff(rng),
  BALLOON: ({ balloon }) => onOff(balloon),
  USB: ({ usbInput }) => onOff(usbInput),
  SOUND: ({ sound }) => renderSound(sound),
  RTC: ({ rtc, os, origins }) =>
    origins.has('RTC') || renderRtc(rtc) !== renderRtc(defaultRtc(os)) ? renderRtc(rtc) : '',
  HPET: ({ hpet }) => onOff(hpet),
  PIT: ({ pit }) => pit,
  S3: ({ s3 }) => onOff(s3),
  S4: ({ s4 }) => onOff(s4),
  VMGENID: ({ vmGenerationId }) => vmGenerationId ?? 'off',
  NUMA: ({ numa }) => numa.map((node) => [`NUMA${node.index}`, renderNuma(node)]),
  SMBIOS: ({ smbios }) => smbios.map((table) => [`SMBIOS${table.index}`, renderSmbios(table)]),
  HOTPLUG: ({ hotplug }) => String(hotplug),
  WATCHDOG: ({ watchdog }) => watchdog,
  ONPANIC: ({ onPanic }) => onPanic,
  FIRMWARE: ({ firmware, firmwareVariables }) => renderFirmware(firmware, firmwareVariables),
  TPM: ({ tpm }) => onOff(tpm),
  BOOT: ({ boot }) => boot?.join(',') ?? '',
  KERNEL: ({ kernel }) => kernel ?? '',
  INITRD: ({ initrd }) => initrd ?? '',
  APPEND: ({ append }) => append,
  DSK: ({ disks }) => disks.map((disk) => [`DSK${disk.index}`, renderDisk(disk)]),
  CDR: ({ cdroms }) => cdroms.map((cdrom) => [`CDR${cdrom.index}`, renderCdrom(cdrom)]),
  CLOUDINIT: ({ cloudInit }) => cloudInit ?? '',
  BACKUP: ({ backup }) => renderBackup(backup),
  NIC: ({ nics }) => nics.map((nic) => [`NIC${nic.index}`, renderNic(nic)]),
  BRIDGE_IFNAME: ({ bridge }) => bridge,
  NETIF: ({ netif }) => netif,
  VNC: ({ vnc }) => renderVnc(vnc),
  VGA: ({ vga }) => vga,
  SPICE: ({ spice }) => onOff(spice),
  KEYMAP: ({ keymap }) => keymap ?? '',
  SERIAL: ({ serial }) => onOff(serial),
  QGA: ({ agent }) => onOff(agent),
  RUNAS: ({ runAs, ownUser }) => (ownUser ? OWN_USER : (runAs ?? '')),
  SANDBOX: ({ sandbox }) => onOff(sandbox),
  LIMIT_CPU: ({ limits }) => (limits?.cpuPercent === undefined ? '' : `${limits.cpuPercent}%`),
  LIMIT_MEMORY: ({ limits }) => sizeOf(limits?.memoryBytes),
  LIMIT_IO: ({ limits }) => sizeOf(limits?.ioBytes),
  CPUSET: ({ limits }) => limits?.cpuSet ?? '',
  AUTOSTART: ({ autostart }) => onOff(autostart),
  BOOTORDER: ({ bootOrder }) => String(bootOrder),
  BOOTDELAY: ({ bootDelaySeconds }) => String(bootDelaySeconds),
  REQUIRES: ({ requires }) => requires.join(','),
  STOPDELAY: ({ stopDelaySeconds }) => String(stopDelaySeconds),
  STOPMETHOD: ({ stopMethod }) => stopMethod,
  ONSHUTDOWN: ({ onShutdown }) => onShutdown,
  PRECMD: ({ preCommand }) => joinWords(preCommand),
  POSTCMD: ({ postCommand }) => joinWords(postCommand),
  PRESTOP: ({ preStop }) => joinWords(preStop),
  POSTSTOP: ({ postStop }) => joinWords(postStop),
  RESTART: ({ restart }) => restart,
  SHARE: ({ shares }) => shares.map((share) => [`SHARE${share.index}`, renderShare(share)]),
  USBHOST: ({ usb }) => usb.map((each) => [`USB${each.index}`, renderUsbHost(each)]),
  PCI: ({ pci }) => pci.map(({ index, address }) => [`PCI${index}`, address]),
};

function sizeOf(bytes: number | undefined): string {
  return bytes === undefined ? '' : renderSize(bytes);
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
