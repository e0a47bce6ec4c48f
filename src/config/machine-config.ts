import { basename, dirname } from 'node:path';
import { hasErrors, type Problem } from '../base/problem.ts';
import { quote } from '../base/text.ts';
import { parseBackup } from './backup.ts';
import { parseCustom } from './custom.ts';
import { parseCdrom, parseDisk } from './disk.ts';
import {
  checkCpu,
  checkMachineType,
  checkUser,
  defaultBoard,
  parseBootDevices,
  parseFirmware,
  parseMemory,
  parseProgram,
  parseSmp,
  parseVmGenerationId,
} from './hardware/hardware.ts';
import { parseNuma } from './hardware/numa.ts';
import { defaultRtc, parseRtc } from './hardware/rtc.ts';
import { parseSmbios } from './hardware/smbios.ts';
import { parseSound } from './hardware/sound.ts';
import { parsePciHost } from './host-devices/pci-host.ts';
import { parseShare } from './host-devices/share.ts';
import { parseUsbHost } from './host-devices/usb-host.ts';
import { parseIds } from './ids.ts';
import { parseJsonMachine } from './json/json-machine.ts';
import {
  DEFAULT_MEMORY_BYTES,
  KEYMAP_VALUES,
  KVM_VALUES,
  NETIF_VALUES,
  PANIC_VALUES,
  PIT_VALUES,
  RESTART_VALUES,
  SHUTDOWN_VALUES,
  STOP_METHODS,
  VGA_VALUES,
  WATCHDOG_VALUES,
} from './keys/values.ts';
import { CUSTOM_SECTION, findKey, keySpec } from './keys.ts';
import { checkMachine } from './machine-checks.ts';
import { checkBridge, parseNic } from './nic.ts';
import { OWN_USER, ownUserName } from './own-user.ts';
import { SettingsReader } from './reader.ts';
import { readHugePages } from './rights/huge-pages.ts';
import { readLimits } from './rights/resource-limits.ts';
import { mergeSettings, type Settings } from './settings.ts';
import { parseIni } from './text/ini.ts';
import { sortIssues } from './text/issues.ts';
import { isValidName, NAME_RULE } from './text/names.ts';
import { readChoice } from './text/option-list.ts';
import { parseUuid } from './text/values.ts';
import type { CustomLine, MachineConfig } from './types.ts';
import { deriveUuid } from './uuid.ts';
import { parseVnc } from './vnc.ts';

export interface ParseOptions {
  /** Absolute path of the machine's file; one that ends in `.json` is a JSON machine. */
  readonly path: string;
  /** The host's `defaults-qemu.cfg`, when there is one. */
  readonly defaults?: { readonly path: string; readonly text: string } | undefined;
  /** Whether a file is there, for names in a JSON machine that can mean two files. */
  readonly exists?: ((path: string) => boolean) | undefined;
  /** Configuration folder of the scope; that of the system when absent. */
  readonly etcDir?: string | undefined;
  /** Whether numbers of a family may be missing, as in a machine that runs. */
  readonly allowGaps?: boolean | undefined;
}

/** What a configuration sets, and what is wrong with it. */
export interface Inspection {
  /** Present when no issue is an error. */
  readonly config?: MachineConfig | undefined;
  /** What could be read: keys that are wrong are as if they were not set. Not for anything but to look for more mistakes. */
  readonly draft?: MachineConfig | undefined;
  /** All problems at once: those of the machine's file, then those of the defaults, by line. */
  readonly issues: readonly Problem[];
  /** Keys that the machine's file sets to nothing, which takes them back to their own defaults. */
  readonly cleared?: readonly string[] | undefined;
}

/** Reads a machine's file over the host's defaults. Pure but for `exists`; never throws. */
export function parseMachineConfig(text: string, options: ParseOptions): Inspection {
  const { path, defaults, exists } = options;
  const machine = path.endsWith('.json') ? parseJsonMachine(text, path, exists) : parseIni(text, path, CUSTOM_SECTION);
  const below = defaults && parseIni(defaults.text, defaults.path, CUSTOM_SECTION);
  const issues: Problem[] = [...machine.issues, ...(below?.issues ?? [])];

  const settings = mergeSettings(
    [
      ...(defaults && below ? [{ path: defaults.path, entries: below.entries, isDefaults: true }] : []),
      { path, entries: machine.entries, isDefaults: false },
    ],
    issues,
    options.allowGaps,
  );
  const custom = [
    ...(defaults && below ? parseCustom(below.raw, defaults.path, issues) : []),
    ...parseCustom(machine.raw, path, issues),
  ];
  const draft = readMachine({ path, etcDir: options.etcDir ?? '/etc/qemu' }, settings, custom, issues);
  const sorted = sortIssues(issues, [path, ...(defaults ? [defaults.path] : [])]);
  const cleared = machine.entries.filter(({ key, value }) => value === '' && findKey(key)).map(({ key }) => key);
  return { config: hasErrors(sorted) ? undefined : draft, draft, issues: sorted, cleared };
}

/** The long name of the machine in a file: `web` of `web-qemu.cfg`, `web.cfg` or `web.json`. */
export function longNameOf(path: string): string {
  return basename(path).replace(/(?:-qemu)?\.cfg$|\.json$/, '');
}

function readMachine(
  { path, etcDir }: { readonly path: string; readonly etcDir: string },
  settings: Settings,
  custom: readonly CustomLine[],
  issues: Problem[],
): MachineConfig {
  const longName = longNameOf(path);
  if (!isValidName(longName)) {
    const message = `The file's name makes ${quote(longName)} the machine's long name; ${NAME_RULE}`;
    issues.push({ file: path, message, severity: 'error' });
  }
  const dir = dirname(path);
  const reader = new SettingsReader(settings, issues, dir);
  const name =
    reader.text('NAME', (text) => (isValidName(text) ? undefined : `is not a valid name; ${NAME_RULE}`)) || longName;
  const os = reader.text('OS');
  const targetArch = reader.read('TGTARCH', parseProgram) ?? keySpec('TGTARCH').default;
  const firmware = reader.read('FIRMWARE', parseFirmware);
  const kernel = reader.path('KERNEL');
  const cpu = reader.text('CPU', checkCpu);
  const runAs = reader.text('RUNAS', checkUser);
  const bridge = reader.text('BRIDGE_IFNAME', checkBridge);
  const maxSmp = reader.isSet('MAXSMP') ? reader.integer('MAXSMP') || undefined : undefined;
  const vmGenerationId = reader.read('VMGENID', parseVmGenerationId) ?? keySpec('VMGENID').default;
  const uuid = reader.read('UUID', (text, { report }) => {
    const parsed = parseUuid(text);
    if (parsed === undefined) report(`UUID must be 8-4-4-4-12 hexadecimal digits, not ${quote(text)}`);
    return parsed;
  });

  const config: MachineConfig = {
    longName,
    path,
    dir,
    name,
    os,
    description: reader.text('DESC'),
    targetArch,
    machine: reader.isSet('MACHINE') ? reader.text('MACHINE', checkMachineType) : defaultBoard(targetArch),
    cpu: cpu === 'auto' ? undefined : cpu,
    smp: reader.read('SMP', (text, context) => parseSmp(text, context, maxSmp)) ?? keySpec('SMP').default,
    memoryBytes: reader.read('RAM', parseMemory) ?? DEFAULT_MEMORY_BYTES,
    ...(maxSmp !== undefined && { maxSmp }),
    ...(reader.isSet('MAXRAM') && { maxMemoryBytes: reader.read('MAXRAM', parseMemory) }),
    ...readHugePages(reader),
    kvm: reader.choice('KVM', KVM_VALUES),
    get uuid() {
      return uuid ?? deriveUuid(name);
    },
    firmware: firmware?.image ?? keySpec('FIRMWARE').default,
    firmwareVariables: firmware?.variables,
    tpm: reader.switch('TPM'),
    kernel,
    // The defaults may have both for those machines that boot a kernel directly.
    initrd: kernel === undefined && reader.isFromDefaults('INITRD') ? undefined : reader.path('INITRD'),
    append: kernel === undefined && reader.isFromDefaults('APPEND') ? '' : reader.text('APPEND'),
    boot: reader.read('BOOT', parseBootDevices),
    disks: reader.family('DSK', parseDisk),
    cdroms: reader.family('CDR', parseCdrom),
    cloudInit: reader.path('CLOUDINIT'),
    backup: reader.read('BACKUP', parseBackup),
    nics: reader
      .family('NIC', parseNic)
      .map((nic) => ({ ...nic, bridge: nic.net === 'bridge' ? (nic.bridge ?? bridge) : '' })),
    bridge,
    netif: reader.choice('NETIF', NETIF_VALUES),
    vnc: reader.read('VNC', parseVnc) ?? {
      kind: 'tcp',
      host: '127.0.0.1',
      display: undefined,
      passwordFile: undefined,
    },
    vga: reader.choice('VGA', VGA_VALUES),
    serial: reader.switch('SERIAL'),
    agent: reader.switch('QGA'),
    rng: reader.switch('RNG'),
    balloon: reader.switch('BALLOON'),
    hotplug: reader.integer('HOTPLUG'),
    usbInput: reader.switch('USB'),
    sound: reader.read('SOUND', parseSound) ?? undefined,
    rtc: reader.read('RTC', parseRtc) ?? defaultRtc(os),
    hpet: reader.switch('HPET'),
    pit: reader.choice('PIT', PIT_VALUES),
    s3: reader.switch('S3'),
    s4: reader.switch('S4'),
    vmGenerationId: vmGenerationId === 'off' ? undefined : vmGenerationId,
    numa: reader.family('NUMA', parseNuma),
    smbios: reader.family('SMBIOS', parseSmbios),
    spice: reader.switch('SPICE'),
    keymap: reader.read('KEYMAP', (text, { key, report }) => readChoice(key, text, KEYMAP_VALUES, report)),
    runAs: runAs === OWN_USER ? ownUserName(longName, etcDir) : runAs || undefined,
    ownUser: runAs === OWN_USER,
    sandbox: reader.switch('SANDBOX'),
    ...readLimits(reader),
    autostart: reader.switch('AUTOSTART'),
    bootOrder: reader.integer('BOOTORDER'),
    bootDelaySeconds: reader.integer('BOOTDELAY'),
    requires: reader.read('REQUIRES', parseIds) ?? [],
    stopDelaySeconds: reader.integer('STOPDELAY'),
    stopMethod: reader.choice('STOPMETHOD', STOP_METHODS),
    preCommand: reader.command('PRECMD'),
    postCommand: reader.command('POSTCMD'),
    preStop: reader.command('PRESTOP'),
    postStop: reader.command('POSTSTOP'),
    onShutdown: reader.choice('ONSHUTDOWN', SHUTDOWN_VALUES),
    restart: reader.choice('RESTART', RESTART_VALUES),
    watchdog: reader.choice('WATCHDOG', WATCHDOG_VALUES),
    onPanic: reader.choice('ONPANIC', PANIC_VALUES),
    shares: reader.family('SHARE', parseShare),
    usb: reader.family('USBHOST', parseUsbHost),
    pci: reader.family('PCI', parsePciHost),
    custom,
    origins: settings.origins,
  };
  checkMachine(config, (key, message, hint) => reader.report(key, message, hint));
  return config;
}
