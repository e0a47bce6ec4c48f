import type { DraftDevice } from '../draft.ts';
import { defaultCard, isChip, targetOf } from './names.ts';
import { type CommandOption, others, property } from './options.ts';
import type { CommandSource } from './source.ts';

const MODELS = /^(?:virtio-net-\S+|e1000\S*|igb|rtl8139|pcnet|i8255\S*|ne2k_pci|vmxnet3|tulip|usb-net|sungem|sunhme)$/;

/** Parts of a device that are places or follow from others. */
const PLACES = [
  'driver',
  'netdev',
  'id',
  'bus',
  'addr',
  'multifunction',
  'mq',
  'vectors',
  'mac',
  'host_mtu',
  'bootindex',
  'romfile',
];

/** Network cards, in the order of the command line. */
export function readNics(source: CommandSource): void {
  for (const option of source.options) {
    if (option.isUsed) continue;
    if (option.name === 'device' && MODELS.test(property(option, 'driver') ?? '')) readNicDevice(source, option);
    else if (option.name === 'nic') readShortNic(source, option);
    else if (option.name === 'net') readOldNic(source, option);
  }
}

function readNicDevice(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const name = property(option, 'netdev');
  const netdev = source.byId(name, 'netdev');
  const options = netdev ? connectionOf(netdev) : ([['net', 'none']] satisfies [string, string][]);
  if (name !== undefined && !options) return;
  const device = draft.addDevice('NIC', property(option, 'driver') ?? '', options ?? []);
  for (const [from, to] of [
    ['mac', 'mac'],
    ['host_mtu', 'mtu'],
    ['bootindex', 'bootindex'],
  ] as const) {
    const value = property(option, from);
    if (value !== undefined) device.options.push([to, value]);
  }
  draft.carry(source.use(option), device);
  if (netdev) noteNetdev(source, netdev, device);
  source.loseParts(option, others(option, ...PLACES), 'has no counterpart');
}

/** Parts of a back end that are given by qemu-init. */
const TAP_PARTS = [
  'type',
  'id',
  'ifname',
  'script',
  'downscript',
  'queues',
  'br',
  'helper',
  'vhost',
  'fd',
  'fds',
  'vhostfd',
  'vhostfds',
];

/** What NICx says of a back end; undefined for one that is not understood. */
function connectionOf(netdev: CommandOption): [string, string][] | undefined {
  const type = property(netdev, 'type');
  const queues = property(netdev, 'queues');
  if (type === 'user') {
    const forwards = netdev.properties.filter(([name]) => name === 'hostfwd');
    return [['net', 'user'], ...forwards.map(([, value]): [string, string] => ['hostfwd', value])];
  }
  if (type === 'tap' || type === 'bridge') {
    const bridge = property(netdev, 'br');
    return [
      ['net', 'bridge'],
      ...(bridge === undefined ? [] : [['bridge', bridge] as [string, string]]),
      ...(queues === undefined || queues === '1' ? [] : [['queues', queues] as [string, string]]),
    ];
  }
  // passt is connected by a descriptor.
  if (type === 'stream' && property(netdev, 'addr.type') === 'fd') return [['net', 'passt']];
  return undefined;
}

function noteNetdev(source: CommandSource, netdev: CommandOption, device: DraftDevice): void {
  const { draft } = source;
  const type = property(netdev, 'type');
  source.use(netdev);
  if (type === 'user') {
    draft.carry(netdev, device);
    source.loseParts(
      netdev,
      others(netdev, 'type', 'id', 'hostfwd'),
      'addresses and services of the NAT are those of QEMU',
    );
    return;
  }
  if (type === 'stream') {
    others(netdev, 'server', 'addr.str', 'addr.type');
    draft.carry(netdev, device, 'net=passt');
    return;
  }
  const script = property(netdev, 'script');
  if (script?.endsWith('/qemu-brup') === true) {
    draft.settings.set('NETIF', 'hook');
    draft.carry(netdev, device);
  } else if (script === 'no') {
    draft.settings.set('NETIF', 'managed');
    draft.change(netdev, device, undefined, 'the tap is made by qemu-init, on the bridge of BRIDGE_IFNAME');
  } else if (property(netdev, 'br') !== undefined)
    draft.carry(netdev, device, `bridge=${property(netdev, 'br') ?? ''}`);
  else draft.change(netdev, device, undefined, 'the tap is made by qemu-init, on the bridge of BRIDGE_IFNAME');
  source.loseParts(netdev, others(netdev, ...TAP_PARTS), 'has no counterpart');
}

/** `-nic user,model=virtio-net-pci`. */
function readShortNic(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const type = property(option, 'type');
  if (type === 'none') {
    draft.carry(source.use(option), '');
    return;
  }
  const connection = connectionOf(option);
  if (!connection) return;
  const model = property(option, 'model') ?? defaultModel(source);
  if (isChip(model)) return;
  const device = draft.addDevice('NIC', model === 'virtio' ? 'virtio-net-pci' : model, connection);
  const mac = property(option, 'mac');
  if (mac !== undefined) device.options.push(['mac', mac]);
  noteNetdev(
    source,
    { ...option, properties: option.properties.filter(([name]) => name !== 'model' && name !== 'mac') },
    device,
  );
  source.use(option);
}

/** `-net nic -net user`: one hub with all of them. */
function readOldNic(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  if (property(option, 'type') === 'none') {
    draft.carry(source.use(option), '');
    return;
  }
  if (property(option, 'type') !== 'nic') return;
  const back = source.unused('net').find((each) => !['nic', 'none'].includes(property(each, 'type') ?? ''));
  const connection = back ? connectionOf(back) : ([['net', 'none']] satisfies [string, string][]);
  if (!connection) return;
  const model = property(option, 'model') ?? defaultModel(source);
  if (isChip(model)) return;
  const device = draft.addDevice('NIC', model === 'virtio' ? 'virtio-net-pci' : model, connection);
  const mac = property(option, 'macaddr');
  if (mac !== undefined) device.options.push(['mac', mac]);
  draft.carry(source.use(option), device);
  if (back) noteNetdev(source, back, device);
}

/** What QEMU takes when no model is named. */
function defaultModel(source: CommandSource): string {
  return boardCard(source) ?? 'virtio-net-pci';
}

function boardCard({ draft }: CommandSource): string | undefined {
  return defaultCard(targetOf(draft.settings.get('TGTARCH')), draft.settings.get('MACHINE') ?? 'pc');
}

/** Without any network option QEMU gives most boards a card on its own NAT. */
export function assumeNic(source: CommandSource): void {
  if (source.has('nodefaults', 'net', 'nic', 'netdev')) return;
  if (source.draft.devices.NIC.length > 0) return;
  const card = boardCard(source);
  if (card !== undefined) source.draft.addDevice('NIC', card, [['net', 'user']]);
}
