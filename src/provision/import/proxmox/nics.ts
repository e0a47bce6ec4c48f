import type { ImportPlace } from '../draft.ts';
import { rateOption } from '../rate.ts';
import { parseProperties } from './conf.ts';
import { bootIndexOf, type ProxmoxSource } from './source.ts';

const MODELS: Readonly<Record<string, string>> = { virtio: 'virtio-net-pci' };

/** Words that are the model of a NIC, with its MAC address as value. */
const IS_MODEL = /^(?:e1000\S*|i8255\S*|ne2k_(?:isa|pci)|pcnet|rtl8139|virtio|vmxnet3)$/;

const MIB = 1024 ** 2;

/** net0 …: `virtio=MAC,bridge=vmbr0,tag=5`. */
export function readNic(source: ProxmoxSource, value: string, place: ImportPlace): void {
  const { draft } = source;
  const words = parseProperties(value, 'model');
  const key = place.source.split(':')[0] ?? '';
  const [written = 'virtio', mac] = modelOf(words);
  const device = draft.addDevice('NIC', MODELS[written] ?? written);
  const bridge = words.find(([name]) => name === 'bridge')?.[1];
  // Without a bridge it is NAT.
  device.options.push(bridge === undefined ? ['net', 'user'] : ['bridge', bridge]);
  if (mac !== undefined) device.options.push(['mac', mac]);
  draft.carry(place, device, [device.head, ...device.options.map((option) => option.join('='))].join(','));
  const index = bootIndexOf(source, key);
  if (index !== undefined) device.options.push(['bootindex', index]);
  for (const [name, text] of words) {
    const at = { line: place.line, source: `${key}: ${name}=${text}` };
    const add = (option: string, word: string): void => {
      device.options.push([option, word]);
      draft.carry(at, device, `${option}=${word}`);
    };
    if (IS_MODEL.test(name) || ['model', 'bridge', 'macaddr'].includes(name)) continue;
    if (name === 'tag') add('vlan', text);
    else if (name === 'queues') add('queues', text);
    else if (name === 'mtu' && text !== '1') add('mtu', text);
    else if (name === 'mtu') draft.lose(at, 'the MTU of the bridge is taken by itself');
    else if (name === 'firewall') {
      if (text === '0') draft.carry(at, device);
      else
        draft.lose(at, 'the firewall of Proxmox is not taken over: the NIC can send and receive anything; see lock=');
    } else if (name === 'trunks') draft.lose(at, 'a NIC has one VLAN');
    else if (name === 'rate') {
      const rate = bridge === undefined ? undefined : rateOption(Number(text) * MIB);
      if (rate === undefined) draft.lose(at, 'rate= is from 64K on, for a NIC on a bridge');
      else add('rate', rate);
    } else if (name === 'link_down' && text === '0') draft.carry(at, device);
    else if (name === 'link_down') draft.lose(at, 'the link is up at the start; see "qemu-init nic link"');
    else draft.lose(at, 'has no counterpart');
  }
}

function modelOf(words: readonly (readonly [string, string])[]): [string | undefined, string | undefined] {
  const named = words.find(([name]) => IS_MODEL.test(name));
  if (named) return [named[0], named[1]];
  return [words.find(([name]) => name === 'model')?.[1], words.find(([name]) => name === 'macaddr')?.[1]];
}
