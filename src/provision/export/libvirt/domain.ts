import type { MachineConfig } from '../../../config/types.ts';
import { element, renderXml, type XmlNode } from '../xml.ts';
import { deviceElements, type ExportInput } from './devices.ts';
import { type ExportLoss, losses } from './losses.ts';
import { processorElements } from './processors.ts';

/** A machine as the XML of a libvirt domain. */
export interface ExportedDomain {
  readonly text: string;
  readonly lost: readonly ExportLoss[];
}

/**
 * Writes a machine as the XML of a libvirt domain (https://libvirt.org/formatdomain.html), for `virsh define`. Images,
 * UUID and MAC addresses are the same, so only one of both may ever run.
 */
export function exportLibvirt(input: ExportInput): ExportedDomain {
  const { config } = input;
  const domain = element(
    'domain',
    { type: config.kvm === 'off' ? 'qemu' : 'kvm', ...(config.custom.length > 0 && { 'xmlns:qemu': QEMU_SCHEMA }) },
    [
      element('name', {}, config.name),
      element('uuid', {}, config.uuid),
      config.vmGenerationId === undefined ? undefined : genid(config.vmGenerationId),
      config.description === '' ? undefined : element('description', {}, config.description),
      element('memory', { unit: 'KiB' }, String(Math.floor(config.memoryBytes / 1024))),
      ...processorElements(config),
      operatingSystem(config),
      element('features', {}, [
        element('acpi'),
        element('apic'),
        config.firmware === 'uefi-secure' ? element('smm', { state: 'on' }) : undefined,
      ]),
      clock(config),
      element('on_poweroff', {}, 'destroy'),
      element('on_reboot', {}, 'restart'),
      element('on_crash', {}, config.onPanic === 'pause' ? 'preserve' : 'destroy'),
      element('pm', {}, [
        element('suspend-to-mem', { enabled: config.s3 ? 'yes' : 'no' }),
        element('suspend-to-disk', { enabled: config.s4 ? 'yes' : 'no' }),
      ]),
      element('devices', {}, deviceElements(input)),
      config.custom.length === 0 ? undefined : commandLine(config),
    ],
  );
  return { text: renderXml(domain), lost: losses(config) };
}

const QEMU_SCHEMA = 'http://libvirt.org/schemas/domain/qemu/1.0';

function genid(value: string): XmlNode {
  return value === 'on' ? element('genid') : element('genid', {}, value);
}

function operatingSystem(config: MachineConfig): XmlNode {
  const { machine, firmware, firmwareVariables, kernel, initrd, append, boot, targetArch } = config;
  const target = /qemu-system-(\w+)$/.exec(targetArch)?.[1] ?? 'x86_64';
  const arch = ARCHITECTURES[target] ?? target;
  const isUefi = firmware === 'uefi' || firmware === 'uefi-secure';
  const names: Readonly<Record<string, string>> = { disk: 'hd', cdrom: 'cdrom', network: 'network' };
  const hasIndex = [...config.disks, ...config.cdroms, ...config.nics].some(({ bootIndex }) => bootIndex !== undefined);
  return element('os', isUefi ? { firmware: 'efi' } : {}, [
    element('type', { arch, machine }, 'hvm'),
    isUefi
      ? element('firmware', {}, [
          element('feature', { enabled: firmware === 'uefi-secure' ? 'yes' : 'no', name: 'secure-boot' }),
        ])
      : undefined,
    !isUefi && firmware !== 'bios' ? element('loader', { readonly: 'yes', type: 'rom' }, firmware) : undefined,
    firmwareVariables === undefined ? undefined : element('nvram', {}, firmwareVariables),
    kernel === undefined ? undefined : element('kernel', {}, kernel),
    initrd === undefined ? undefined : element('initrd', {}, initrd),
    append === '' ? undefined : element('cmdline', {}, append),
    ...(hasIndex
      ? []
      : (boot ?? ['disk', 'cdrom', 'network']).map((device) => element('boot', { dev: names[device] }))),
  ]);
}

/** Names of architectures that are not those of QEMU. */
const ARCHITECTURES: Readonly<Record<string, string>> = { i386: 'i686', arm: 'armv7l' };

function clock({ rtc, hpet, pit }: MachineConfig): XmlNode {
  return element('clock', { offset: rtc.base }, [
    element('timer', { name: 'rtc', tickpolicy: rtc.driftFix === 'slew' ? 'catchup' : undefined }),
    element('timer', { name: 'pit', tickpolicy: pit }),
    element('timer', { name: 'hpet', present: hpet ? 'yes' : 'no' }),
  ]);
}

function commandLine({ custom }: MachineConfig): XmlNode {
  const words = custom.flatMap(({ args }) => args);
  return element(
    'qemu:commandline',
    {},
    words.map((value) => element('qemu:arg', { value })),
  );
}
