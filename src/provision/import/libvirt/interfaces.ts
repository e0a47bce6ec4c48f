import { isInterfaceName } from '../../../config/text/values.ts';
import type { DraftDevice, ImportDraft } from '../draft.ts';
import { rateOption } from '../rate.ts';
import { readBoot } from './disks.ts';
import { carry, change, lose } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** Models that have another name in QEMU. */
const MODELS: Readonly<Record<string, string>> = {
  virtio: 'virtio-net-pci',
  'virtio-transitional': 'virtio-net-pci-transitional',
  'virtio-non-transitional': 'virtio-net-pci-non-transitional',
};

/** The bridge of libvirt's network "default". */
const DEFAULT_NETWORK_BRIDGE = 'virbr0';

/** One `<interface>`: a NICx. */
export function readInterface(draft: ImportDraft, nic: XmlElement): void {
  const type = nic.attribute('type') ?? 'bridge';
  nic.ignore('managed');
  nic.ignoreUsual({ trustGuestRxFilters: 'no' });
  if (type === 'hostdev') {
    lose(nic, 'a function of a network card can be passed through by PCIx');
    return;
  }
  const model = nic.child('model');
  const written = model?.attribute('type');
  const name = written === undefined ? 'rtl8139' : (MODELS[written] ?? written);
  const device = draft.addDevice('NIC', name);
  if (model) carry(draft, model, device, name);
  readConnection(draft, nic, type, device);
  readAddress(draft, nic, device);
  readOptions(draft, nic, device);
  readBoot(draft, nic, device);
  readLimits(draft, nic.child('bandwidth'), device);
  const link = nic.child('link');
  if (link?.attribute('state') === 'up') carry(draft, link, device);
  for (const child of nic.children) {
    if (child.isNoted) continue;
    const reason = REASONS[child.name];
    if (reason !== undefined) lose(child, reason);
  }
}

function readConnection(draft: ImportDraft, nic: XmlElement, type: string, device: DraftDevice): void {
  const source = nic.child('source');
  const connect = (bridge: string, element: XmlElement, reason?: string): void => {
    device.options.push(['bridge', bridge]);
    if (reason === undefined) carry(draft, element, device, `bridge=${bridge}`);
    else change(draft, element, device, `bridge=${bridge}`, reason);
  };
  const backend = nic.child('backend')?.attribute('type');
  if (type === 'bridge' || type === 'network') {
    const bridge = source?.attribute('bridge');
    const network = source?.attribute('network');
    // A name of the running domain.
    source?.ignore('portid');
    carry(draft, nic, device);
    if (source && bridge !== undefined && isInterfaceName(bridge)) connect(bridge, source);
    else if (source && network === 'default') {
      connect(
        DEFAULT_NETWORK_BRIDGE,
        source,
        'the bridge of that network; its DHCP and NAT are still those of libvirt',
      );
    } else if (source) {
      device.options.push(['net', 'none']);
      change(draft, source, device, 'net=none', 'not connected: name the bridge of that network with bridge=');
    }
    return;
  }
  if (type === 'user' || backend === 'passt') {
    const net = backend === 'passt' ? 'passt' : 'user';
    device.options.push(['net', net]);
    carry(draft, nic, device, `net=${net}`);
    const element = nic.child('backend');
    if (element) carry(draft, element, device, `net=${net}`);
    readForwards(draft, nic, device);
    return;
  }
  device.options.push(['net', 'none']);
  change(draft, nic, device, 'net=none', `not connected: there are no networks of type "${type}"`);
  if (source) lose(source, `networks of type "${type}" are not supported`);
}

/** `<portForward>` of passt. */
function readForwards(draft: ImportDraft, nic: XmlElement, device: DraftDevice): void {
  for (const forward of nic.all('portForward')) {
    const protocol = forward.attribute('proto') ?? 'tcp';
    const address = forward.attribute('address') ?? '';
    carry(draft, forward, device);
    for (const range of forward.all('range')) {
      const start = Number(range.attribute('start'));
      const end = Number(range.attribute('end') ?? start);
      const to = Number(range.attribute('to') ?? start);
      if (range.attribute('exclude') === 'yes' || !(end - start < MOST_FORWARDS)) {
        lose(range, 'ranges of ports are given one by one');
        continue;
      }
      for (let port = start; port <= end; port += 1) {
        device.options.push(['hostfwd', `${protocol}:${address}:${port}-:${to + port - start}`]);
      }
      carry(draft, range, device, 'hostfwd');
    }
  }
}

/** More than these in one range are not written one by one. */
const MOST_FORWARDS = 32;

function readAddress(draft: ImportDraft, nic: XmlElement, device: DraftDevice): void {
  const mac = nic.child('mac');
  const address = mac?.attribute('address');
  mac?.ignore('type', 'check');
  if (!mac || address === undefined) return;
  device.options.push(['mac', address]);
  carry(draft, mac, device, `mac=${address}`);
}

function readOptions(draft: ImportDraft, nic: XmlElement, device: DraftDevice): void {
  const add = (element: XmlElement | undefined, option: string, value: string | undefined): void => {
    if (!element || value === undefined) return;
    device.options.push([option, value]);
    carry(draft, element, device, `${option}=${value}`);
  };
  const mtu = nic.child('mtu');
  add(mtu, 'mtu', mtu?.attribute('size'));
  const vlan = nic.child('vlan');
  const tags = vlan?.all('tag') ?? [];
  if (vlan?.attribute('trunk') !== 'yes' && tags.length === 1) add(tags[0], 'vlan', tags[0]?.attribute('id'));
  else if (vlan) lose(vlan, 'a NIC has one VLAN');
  const driver = nic.child('driver');
  driver?.ignoreUsual({ name: 'vhost', ioeventfd: 'on', event_idx: 'on' });
  add(driver, 'queues', driver?.attribute('queues'));
  if (driver && !driver.isNoted) carry(draft, driver, device);
  const port = nic.child('port');
  if (port?.attribute('isolated') === 'yes') add(port, 'isolated', 'on');
  const filter = nic.child('filterref');
  if (filter?.attribute('filter')?.startsWith('clean-traffic')) {
    device.options.push(['lock', 'on']);
    change(draft, filter, device, 'lock=on', 'the NIC can only send from its own addresses');
    for (const parameter of filter.all('parameter')) {
      if (parameter.attribute('name') === 'IP') add(parameter, 'ip', parameter.attribute('value'));
    }
  } else if (filter) lose(filter, 'filters of libvirt are not taken over: the NIC can send anything');
}

/** Bytes in the kilobyte of tc(8), which is what libvirt counts in. */
const KILOBYTE = 1000;

/** `<bandwidth>`: one rate for both directions is `rate=`. */
function readLimits(draft: ImportDraft, bandwidth: XmlElement | undefined, device: DraftDevice): void {
  if (!bandwidth) return;
  const [inbound, outbound] = [bandwidth.child('inbound'), bandwidth.child('outbound')];
  const average = inbound?.attribute('average');
  const rate = average === outbound?.attribute('average') ? rateOption(Number(average) * KILOBYTE) : undefined;
  const isConnected = !device.options.some(([name, value]) => name === 'net' && value !== 'bridge');
  if (!inbound || !outbound || rate === undefined || !isConnected) {
    const reason = 'rate= is one limit for both directions, from 64K on, of a NIC on a bridge';
    for (const each of bandwidth.children) lose(each, reason);
    return;
  }
  device.options.push(['rate', rate]);
  for (const each of [inbound, outbound]) carry(draft, each, device, `rate=${rate}`);
}

/** Why parts of an interface are lost. */
const REASONS: Readonly<Record<string, string>> = {
  address: 'PCI places are given by qemu-init; the name of the interface in the guest may change',
  alias: 'a name of the running domain',
  target: 'taps are named by qemu-init',
  link: 'the link is up at the start; see "qemu-init nic link"',
  virtualport: 'ports of Open vSwitch are not made',
  rom: 'the boot ROM is that of QEMU',
  tune: 'the tap is tuned by QEMU',
  coalesce: 'the tap is tuned by the kernel',
  teaming: 'teams of NICs are not made',
  ip: 'addresses of the host side are not set',
  route: 'routes are not set',
  guest: 'names in the guest are not set',
  acpi: 'the ACPI index is not set',
};
