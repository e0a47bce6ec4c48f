import { dirname, isAbsolute, join } from 'node:path';
import { renderOptionList } from '../../../config/text/option-list.ts';
import { splitWords } from '../../../config/text/shell-words.ts';
import { parseSize, renderSize } from '../../../config/text/values.ts';
import { ImportDraft, type ImportPlace } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { parseAssignment, textOf, type Variable } from './assignments.ts';
import { hardwareOf, systemOf } from './hardware.ts';

/**
 * Reads a configuration of quickemu. It is a shell script there; here only plain assignments are read, nothing is
 * executed, and a line with anything else is refused.
 */
export function readQuickemu(text: string, path: string, files: ImportFiles): ImportDraft {
  const draft = new ImportDraft();
  draft.name = path
    .split('/')
    .at(-1)
    ?.replace(/\.conf$/, '');
  const variables = new Map<string, Variable>();
  for (const [index, raw] of text.split('\n').entries()) {
    const place = { line: index + 1, source: raw };
    const line = raw.replace(/\r$/, '').trim();
    if (line === '' || line.startsWith('#')) continue;
    const variable = parseAssignment(line, index + 1);
    if (typeof variable === 'string') draft.refuse(place, variable);
    else variables.set(variable.name, variable);
  }
  // Its name until version 4.1.
  const bridge = variables.get('bridge');
  if (bridge && !variables.has('network')) {
    variables.delete('bridge');
    variables.set('network', { ...bridge, name: 'network' });
  }
  for (const variable of variables.values()) readVariable({ draft, variables, files }, variable);
  assumeDefaults({ draft, variables, files });
  return draft;
}

interface Source {
  readonly draft: ImportDraft;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly files: ImportFiles;
}

/** Names are relative to the folder that quickemu runs in, usually that of the configuration or the one above. */
function pathOf({ files }: Source, name: string): string {
  if (isAbsolute(name)) return name;
  const beside = join(files.dir, name);
  const above = join(files.dir, '..', name);
  return !files.exists(beside) && files.exists(above) ? above : beside;
}

type Reader = (source: Source, value: string, place: ImportPlace) => void;

/** Ports are forwarded by the network that QEMU itself makes. */
function readForward({ draft, variables }: Source, value: string, place: ImportPlace): void {
  const network = textOf(variables, 'network') ?? 'user';
  if (network === 'user')
    draft.change(place, 'NIC1', value, 'on this host only: quickemu listens on all its addresses');
  else draft.lose(place, `no port is forwarded with network="${network}"`);
}

const isOn = (value: string): boolean => ['on', 'true', 'yes', '1'].includes(value.toLowerCase());

const READERS: Readonly<Record<string, Reader>> = {
  guest_os: ({ draft }, value, place) => {
    if (/^(?:macos|darwin)/.test(value)) draft.refuse(place, 'macOS needs a key of Apple hardware');
    else draft.set(place, 'OS', value.toLowerCase());
  },
  disk_img: (source, value, place) => {
    const { draft, variables } = source;
    const path = pathOf(source, value);
    const format = textOf(variables, 'disk_format') ?? /\.(qcow2|raw|qcow|vdi|vmdk)$/.exec(value)?.[1] ?? 'qcow2';
    const { bus } = hardwareOf(variables);
    const device = draft.addDevice('DSK', path, [
      ['format', format],
      ...(bus === undefined ? [] : [['if', bus] as const]),
    ]);
    draft.carry(place, device, path);
    const written = variables.get('disk_format');
    if (written) draft.carry(placeOf(written), device, `format=${format}`);
  },
  disk_format: ({ draft, variables }, _value, place) => {
    if (textOf(variables, 'disk_img') === undefined) draft.lose(place, 'there is no disk image');
  },
  disk_size: ({ draft }, _value, place) => draft.lose(place, 'the image has its size'),
  disk: ({ draft }, _value, place) => draft.lose(place, 'the image has its size'),
  iso: readDisc,
  fixed_iso: readDisc,
  img: (source, value, place) => {
    const { draft, variables } = source;
    if (systemOf(variables) === 'batocera') {
      // What boots comes before the disk.
      const device = draft.addDevice('DSK', pathOf(source, value), [['format', 'raw']]);
      draft.devices.DSK.unshift(...draft.devices.DSK.splice(-1));
      draft.carry(place, device, value);
    } else draft.lose(place, 'an installer image of macOS');
  },
  floppy: ({ draft }, _value, place) => draft.lose(place, 'there are no floppy drives'),
  boot: (source, _value, place) => source.draft.set(place, 'FIRMWARE', firmwareOf(source)),
  secureboot: (source, _value, place) => source.draft.carry(place, 'FIRMWARE', firmwareOf(source)),
  tpm: ({ draft }, value, place) => draft.set(place, 'TPM', isOn(value) ? 'on' : 'off'),
  cpu_cores: ({ draft }, value, place) => draft.set(place, 'SMP', value),
  ram: ({ draft }, value, place) => {
    const bytes = parseSize(value);
    if (bytes === undefined) draft.refuse(place, 'not an amount of memory');
    else draft.set(place, 'RAM', renderSize(bytes));
  },
  macaddr: ({ draft }, value, place) => draft.carry(place, 'NIC1', `mac=${value}`),
  network: ({ draft }, value, place) => {
    if (value === 'restrict') draft.change(place, 'NIC1', 'net=none', 'a NIC that is connected to nothing');
    else draft.carry(place, 'NIC1', value);
  },
  bridge: ({ draft }, _value, place) => draft.lose(place, '"network" says it'),
  ssh_port: (source, value, place) => readForward(source, `hostfwd=tcp:127.0.0.1:${value}-:22`, place),
  port_forwards: readForward,
  arch: ({ draft }, value, place) => draft.set(place, 'TGTARCH', `qemu-system-${value}`),
  keyboard_layout: ({ draft }, value, place) => draft.set(place, 'KEYMAP', value),
  sound_card: ({ draft }, value, place) => {
    const cards: Readonly<Record<string, string>> = {
      'intel-hda': 'hda',
      'ich9-intel-hda': 'hda',
      ac97: 'ac97',
      es1370: 'es1370',
      'usb-audio': 'usb',
      none: 'off',
    };
    const card = cards[value];
    if (card === undefined) draft.setChanged(place, 'SOUND', 'hda', `there is no sound card "${value}"`);
    else draft.set(place, 'SOUND', card);
  },
  display: ({ draft }, value, place) => {
    if (value === 'spice' || value === 'spice-app')
      draft.setChanged(place, 'SPICE', 'on', 'no window is opened: qemu-init vnc');
    else draft.lose(place, 'no window is opened: qemu-init vnc');
  },
  usb_devices: readUsbDevices,
  public_dir: ({ draft }, value, place) => {
    if (value === 'none') draft.carry(place, '');
    else draft.lose(place, `folders are shared by SHAREx: ${value}`);
  },
  extra_args: (source, _value, place) => {
    const words = source.variables.get('extra_args')?.words.flatMap((word) => splitOr(word)) ?? [];
    source.draft.addArguments(place, words);
  },
};

/** Variables that have no place in a machine, and why. */
const LOST: Readonly<Record<string, string>> = {
  preallocation: 'belongs to the creation of the image',
  macos_release: 'a version of macOS',
  spice_port: 'SPICE is on a socket',
  monitor: 'monitors are at the ports of monitor.conf',
  monitor_telnet_host: 'monitors are at the ports of monitor.conf',
  monitor_telnet_port: 'monitors are at the ports of monitor.conf',
  monitor_cmd: 'see qemu-cmd',
  serial: 'the console is on a socket: qemu-init console',
  serial_telnet_host: 'the console is on a socket: qemu-init console',
  serial_telnet_port: 'the console is on a socket: qemu-init console',
  usb_controller: 'the controller is USB 3',
  mouse: 'USB=on has a tablet and a keyboard',
  keyboard: 'USB=on has a tablet and a keyboard',
  gl: 'there is no acceleration without a window',
  viewer: 'no window is opened: qemu-init vnc',
  width: 'the guest chooses the size of its screen',
  height: 'the guest chooses the size of its screen',
  screen: 'no window is opened: qemu-init vnc',
  screenpct: 'no window is opened: qemu-init vnc',
  fullscreen: 'no window is opened: qemu-init vnc',
  braille: 'braille displays are not passed on',
  ignore_msrs: 'a setting of the host',
};

function readVariable(source: Source, { name, words, line }: Variable): void {
  const value = words.join(' ');
  const place = placeOf({ name, words, line });
  const reader = READERS[name];
  if (value === '') source.draft.carry(place, '');
  else if (reader) reader(source, value, place);
  else source.draft.lose(place, LOST[name] ?? `"${name}" has no counterpart`);
}

function placeOf({ name, words, line }: Variable): ImportPlace {
  return { line, source: `${name}="${words.join(' ')}"` };
}

function splitOr(text: string): string[] {
  try {
    return splitWords(text);
  } catch {
    return [text];
  }
}

function readDisc(source: Source, value: string, place: ImportPlace): void {
  const path = pathOf(source, value);
  // The installer may be gone when the system is installed.
  const device = source.draft.addDevice('CDR', path, [['optional', 'on']]);
  source.draft.carry(place, device, path);
}

function readUsbDevices({ draft, variables }: Source, _value: string, place: ImportPlace): void {
  for (const device of variables.get('usb_devices')?.words ?? []) {
    draft.carry(place, draft.addDevice('USB', device), device);
  }
}

/** The variables of UEFI are in the folder of the disk. */
function firmwareOf(source: Source): string {
  const { variables, files } = source;
  const boot = textOf(variables, 'boot') ?? 'efi';
  if (boot === 'legacy' || boot === 'bios') return 'bios';
  const kind = isOn(textOf(variables, 'secureboot') ?? 'off') ? 'uefi-secure' : 'uefi';
  const image = textOf(variables, 'disk_img');
  const store = image === undefined ? undefined : join(dirname(pathOf(source, image)), 'OVMF_VARS.fd');
  return store !== undefined && files.exists(store) ? renderOptionList(kind, [['vars', store]]) : kind;
}

type Option = readonly [name: string, value: string];

/** What quickemu does when a variable is not set. */
function assumeDefaults(source: Source): void {
  const { draft, variables } = source;
  const system = systemOf(variables);
  const { machine, cpu, sound, vga } = hardwareOf(variables);
  const isWindows = system.startsWith('windows');
  draft.assume('FIRMWARE', firmwareOf(source));
  draft.assume('MACHINE', textOf(variables, 'arch') === 'aarch64' ? 'virt' : (machine ?? 'q35'));
  if (cpu !== undefined) draft.assume('CPU', cpu);
  draft.assume('RAM', '4G');
  draft.assume('SMP', '2');
  draft.assume('USB', 'on');
  draft.assume('SOUND', sound ?? 'hda');
  draft.assume('VGA', vga ?? 'virtio');
  draft.assume('RTC', isWindows || /^(?:reactos|freedos)$/.test(system) ? 'localtime,driftfix=slew' : 'utc');
  if (isWindows) for (const key of ['HPET', 'S3']) draft.assume(key, 'off');
  addNic(source);
}

function addNic({ draft, variables }: Source): void {
  const network = textOf(variables, 'network') ?? 'user';
  if (network === 'none') return;
  const mac = textOf(variables, 'macaddr');
  const [back, ...forwards] = connectionOf(variables, network);
  draft.addDevice('NIC', hardwareOf(variables).nic ?? 'virtio-net-pci', [
    back,
    ...(mac === undefined ? [] : [['mac', mac] as const]),
    ...forwards,
  ]);
}

/** The back end, then the ports that are forwarded. */
function connectionOf(variables: ReadonlyMap<string, Variable>, network: string): [Option, ...Option[]] {
  if (network === 'restrict') return [['net', 'none']];
  if (network !== 'user') return [['bridge', network]];
  const port = textOf(variables, 'ssh_port') ?? '22220';
  const forwards = variables.get('port_forwards')?.words ?? [];
  return [
    ['net', 'user'],
    ['hostfwd', `tcp:127.0.0.1:${port}-:22`],
    ...forwards.flatMap((pair) => {
      const [outside, inside = ''] = pair.split(':');
      return ['tcp', 'udp'].map((kind): Option => ['hostfwd', `${kind}:127.0.0.1:${outside}-:${inside}`]);
    }),
  ];
}
