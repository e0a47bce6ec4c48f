import type { DraftDevice, ImportDraft } from '../draft.ts';
import { carry, lose, refuse } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** `<hostdev>`: USB and PCI devices of the host. */
export function readHostDevice(draft: ImportDraft, hostdev: XmlElement): void {
  const type = hostdev.attribute('type');
  hostdev.ignore('mode', 'managed');
  const source = hostdev.child('source');
  const address = source?.child('address');
  if (type === 'usb') {
    const vendor = hex(source?.child('vendor')?.attribute('id'), 4);
    const product = hex(source?.child('product')?.attribute('id'), 4);
    const isNumber = address?.attribute('device') !== undefined;
    const head = vendor && product ? `${vendor}:${product}` : undefined;
    if (head === undefined) {
      refuse(
        draft,
        hostdev,
        isNumber ? 'that number is another one after each plugging in: name its IDs' : 'names no device',
      );
      return;
    }
    const isOptional = source?.attributes.get('startupPolicy') === 'optional';
    source?.ignoreUsual({ startupPolicy: 'mandatory optional' });
    noteAll(draft, hostdev, draft.addDevice('USB', head, isOptional ? [['optional', 'on']] : []), head);
    return;
  }
  if (type === 'pci') {
    const [domain, bus, slot] = [
      hex(address?.attribute('domain') ?? '0', 4),
      hex(address?.attribute('bus'), 2),
      hex(address?.attribute('slot'), 2),
    ];
    const fn = hex(address?.attribute('function') ?? '0', 1);
    if (domain === undefined || bus === undefined || slot === undefined || fn === undefined) {
      refuse(draft, hostdev, 'names no device');
      return;
    }
    const head = `${domain}:${bus}:${slot}.${fn}`;
    noteAll(draft, hostdev, draft.addDevice('PCI', head), head);
    const driver = hostdev.child('driver');
    driver?.ignoreUsual({ name: 'vfio' });
    if (driver) carry(draft, driver, '');
    const rom = hostdev.child('rom');
    if (rom) lose(rom, 'the boot ROM is that of the device');
    return;
  }
  refuse(draft, hostdev, `devices of type "${type ?? ''}" are not passed through`);
}

/** The element, and what names the device in it. */
function noteAll(draft: ImportDraft, hostdev: XmlElement, device: DraftDevice, head: string): void {
  carry(draft, hostdev, device, head);
  const source = hostdev.child('source');
  for (const part of source ? [source, ...source.children] : []) carry(draft, part, device);
}

/** Lower-case hexadecimal digits without 0x, with leading zeros. */
function hex(text: string | undefined, digits: number): string | undefined {
  const match = /^(?:0x)?([0-9a-f]+)$/i.exec(text ?? '');
  return match?.[1]
    ?.toLowerCase()
    .padStart(digits, '0')
    .slice(-Math.max(digits, match[1].replace(/^0+/, '').length));
}

/** `<filesystem>`: a folder of the host in the guest. */
export function readFilesystem(draft: ImportDraft, filesystem: XmlElement): void {
  const type = filesystem.attribute('type') ?? 'mount';
  const dir = filesystem.child('source')?.attribute('dir');
  const tag = filesystem.child('target')?.attribute('dir');
  if (type !== 'mount' || dir === undefined || tag === undefined) {
    refuse(draft, filesystem, 'only folders of the host can be shared');
    return;
  }
  const driver = filesystem.child('driver');
  const isVirtiofs = driver?.attribute('type') === 'virtiofs';
  filesystem.ignoreUsual({
    ...{ accessmode: isVirtiofs ? 'passthrough' : 'mapped', multidevs: 'remap' },
    model: 'virtio virtio-non-transitional',
  });
  driver?.ignore('name');
  const device = draft.addDevice('SHARE', dir, [
    ['tag', tag],
    ['driver', isVirtiofs ? 'virtiofs' : '9p'],
  ]);
  carry(draft, filesystem, device, dir);
  for (const name of ['source', 'target']) {
    const part = filesystem.child(name);
    if (part) carry(draft, part, device);
  }
  if (driver) carry(draft, driver, device);
  const readonly = filesystem.child('readonly');
  if (readonly) {
    device.options.push(['readonly', 'on']);
    carry(draft, readonly, device, 'readonly=on');
  }
  for (const name of ['binary', 'space_hard_limit', 'space_soft_limit', 'idmap']) {
    const part = filesystem.child(name);
    if (part) lose(part, 'the program that serves the folder is set up by qemu-init');
  }
}
