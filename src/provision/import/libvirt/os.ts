import type { ImportDraft } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { carry, change, lose, refuse, set, setChanged } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** Devices of `<boot dev=>` as BOOT has them. */
const BOOT_DEVICES: Readonly<Record<string, string>> = { hd: 'disk', cdrom: 'cdrom', network: 'network' };

/** `<os>`: machine type, firmware, boot order, direct boot of a kernel. */
export function readOs(draft: ImportDraft, root: XmlElement, files: ImportFiles): void {
  const os = root.child('os');
  if (os === undefined) return;
  readType(draft, os, root, files);
  readFirmware(draft, os, files);
  readBoot(draft, os);
  for (const [name, key] of [
    ['kernel', 'KERNEL'],
    ['initrd', 'INITRD'],
    ['cmdline', 'APPEND'],
  ] as const) {
    const element = os.child(name);
    const text = element?.ownText();
    if (element && text !== undefined) set(draft, element, key, text);
  }
  const tree = os.child('dtb');
  const path = tree?.ownText();
  if (tree && path !== undefined) {
    tree.isNoted = true;
    draft.addCustom(tree, ['-dtb', path], 'an option of QEMU');
  }
}

/** Architectures whose QEMU has another name. */
const TARGETS: Readonly<Record<string, string>> = {
  i686: 'i386',
  armv6l: 'arm',
  armv7l: 'arm',
  armv7b: 'arm',
  ppc64le: 'ppc64',
};

/** What libvirt takes for a domain that names no machine type, where it is not that of a PC. */
const BOARDS: Readonly<Record<string, string>> = {
  aarch64: 'virt',
  armv7l: 'virt',
  riscv64: 'virt',
  loongarch64: 'virt',
  ppc64: 'pseries',
  ppc64le: 'pseries',
  s390x: 's390-ccw-virtio',
};

function readType(draft: ImportDraft, os: XmlElement, root: XmlElement, files: ImportFiles): void {
  const type = os.child('type');
  const machine = type?.attribute('machine');
  if (type && machine !== undefined) set(draft, type, 'MACHINE', machine);
  else draft.assume('MACHINE', BOARDS[type?.attribute('arch') ?? 'x86_64'] ?? 'pc');
  const arch = type?.attribute('arch');
  if (type && type.ownText() !== 'hvm') refuse(draft, type, 'only full virtualisation (hvm) is QEMU');
  const emulator = root.child('devices')?.child('emulator');
  const program = emulator?.ownText();
  const native = `qemu-system-${TARGETS[arch ?? ''] ?? arch ?? 'x86_64'}`;
  if (emulator && program !== undefined) {
    const isOurs = program.endsWith(`/${native}`);
    if (isOurs && files.exists(program)) set(draft, emulator, 'TGTARCH', program);
    else if (isOurs)
      setChanged(draft, emulator, 'TGTARCH', native, 'found by its name, since this host does not have that path');
    else if (files.exists(program)) set(draft, emulator, 'TGTARCH', program);
    else setChanged(draft, emulator, 'TGTARCH', native, 'the QEMU of this host for that architecture');
  } else draft.assume('TGTARCH', native);
  if (type && !type.isNoted) carry(draft, type, 'TGTARCH');
}

function readFirmware(draft: ImportDraft, os: XmlElement, files: ImportFiles): void {
  const loader = os.child('loader');
  const nvram = os.child('nvram');
  const firmware = os.child('firmware');
  const features = new Map(
    firmware?.all('feature').map((each) => [each.attribute('name'), each.attribute('enabled') === 'yes']),
  );
  const isSecure = loader?.attribute('secure') === 'yes' || features.get('secure-boot') === true;
  const path = loader?.ownText();
  const isFlash = loader?.attribute('type') === 'pflash';
  const isUefi = os.attribute('firmware') === 'efi' || isFlash;
  loader?.ignoreUsual({ readonly: 'yes', stateless: isUefi ? 'no' : 'yes no' });
  const format = loader?.attribute('format');
  if (loader && format === 'qcow2') lose(loader, 'the firmware of this host is taken');
  if (isUefi) {
    const kind = isSecure ? 'uefi-secure' : 'uefi';
    const store = nvram?.ownText() ?? nvram?.child('source')?.attribute('file');
    const isThere = store !== undefined && files.exists(store);
    draft.settings.set('FIRMWARE', isThere ? `${kind},vars=${store.replaceAll(',', ',,')}` : kind);
    if (os.attributes.has('firmware')) carry(draft, os, 'FIRMWARE', kind);
    if (loader && path !== undefined) change(draft, loader, 'FIRMWARE', kind, 'the image of this host for that kind');
    else if (loader) carry(draft, loader, 'FIRMWARE', kind);
    if (firmware) carry(draft, firmware, 'FIRMWARE', kind);
    nvram?.ignore('template', 'templateFormat', 'format', 'type');
    if (nvram && isThere) carry(draft, nvram, 'FIRMWARE', store);
    else if (nvram)
      change(draft, nvram, 'FIRMWARE', kind, 'new variables: boot entries are found again, enrolled keys are not');
    return;
  }
  if (os.attribute('firmware') === 'bios') set(draft, os, 'FIRMWARE', 'bios');
  else if (loader && path !== undefined) set(draft, loader, 'FIRMWARE', path);
  else draft.assume('FIRMWARE', 'bios');
}

function readBoot(draft: ImportDraft, os: XmlElement): void {
  const boots = os.all('boot');
  const devices: string[] = [];
  for (const boot of boots) {
    const device = BOOT_DEVICES[boot.attribute('dev') ?? ''];
    if (device === undefined) {
      lose(boot, 'machines boot from disks, CD-ROMs and networks');
      continue;
    }
    if (!devices.includes(device)) devices.push(device);
    carry(draft, boot, 'BOOT', device);
  }
  if (devices.length > 0) draft.settings.set('BOOT', devices.join(','));
  readMenu(draft, os.child('bootmenu'));
}

function readMenu(draft: ImportDraft, menu: XmlElement | undefined): void {
  if (!menu) return;
  const timeout = menu.attribute('timeout');
  if (menu.attribute('enable') !== 'yes') {
    carry(draft, menu, '', 'no menu');
    return;
  }
  menu.isNoted = true;
  const wait = timeout !== undefined && /^\d+$/.test(timeout) ? `,splash-time=${timeout}` : '';
  draft.addCustom(menu, ['-boot', `menu=on${wait}`], 'an option of QEMU');
}
