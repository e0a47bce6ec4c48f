import { BOOTINDEX_OPTION } from './boot.ts';
import type { KeySpec, OptionSpec } from './key-spec.ts';
import { NET_BACKENDS, NETIF_VALUES, SWITCH_VALUES } from './values.ts';

const NETWORK = 'Network';

const NIC_OPTIONS = [
  { name: 'bridge', type: 'text', default: '', doc: 'bridge that the tap joins; default: BRIDGE_IFNAME' },
  {
    name: 'mac',
    type: 'text',
    default: '',
    inDefaults: false,
    doc: 'address of the NIC, xx:xx:xx:xx:xx:xx; default: derived from NAME, OS and the number',
  },
  {
    name: 'net',
    type: 'choice',
    default: 'bridge',
    values: NET_BACKENDS,
    doc: "bridge: a tap on a bridge; user: QEMU's own NAT; passt: NAT by passt(1); none: not connected",
  },
  {
    name: 'hostfwd',
    type: 'text',
    default: '',
    repeated: true,
    doc: 'tcp or udp:HOST-ADDRESS:PORT-GUEST-ADDRESS:PORT for net=user and passt; an empty address means any',
  },
  {
    name: 'vlan',
    type: 'integer',
    default: '',
    min: 1,
    max: 4094,
    doc: 'VLAN of the bridge port',
  },
  { name: 'queues', type: 'integer', default: '', min: 1, max: 256, doc: 'number of queue pairs' },
  { name: 'mtu', type: 'integer', default: '', min: 68, max: 65535, doc: 'largest packet, in bytes' },
  {
    name: 'isolated',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: no traffic to other isolated ports of the bridge',
  },
  {
    name: 'lock',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: the NIC can send only from its own MAC and, with ip=, from those addresses',
  },
  {
    name: 'ip',
    type: 'text',
    default: '',
    repeated: true,
    inDefaults: false,
    doc: 'address, plain or CIDR, that lock=on permits',
  },
  {
    name: 'rate',
    type: 'text',
    default: '',
    doc: 'most bytes a second in each direction, such as 10M; more is dropped',
  },
  BOOTINDEX_OPTION,
] as const satisfies readonly OptionSpec[];

/** Keys of the group 'Network', in the order of the template. */
export const NETWORK_KEYS = [
  {
    name: 'NIC',
    family: true,
    group: NETWORK,
    type: 'nic',
    default: '',
    example: 'virtio-net-pci',
    max: 64,
    options: NIC_OPTIONS,
    otherNames: ['NET', 'NETWORK', 'NETDEV', 'ETH', 'INTERFACE', 'IFACE', 'PORT_FORWARDS'],
    doc: 'network card: the QEMU model, then options; the bare form is just the model',
    details: ['The model "virtio" means virtio-net-pci.'],
  },
  {
    name: 'BRIDGE_IFNAME',
    group: NETWORK,
    type: 'bridge',
    default: 'br0',
    otherNames: ['BRIDGE', 'BR', 'BRIDGE_IF'],
    doc: 'bridge of every NIC without bridge=',
  },
  {
    name: 'NETIF',
    group: NETWORK,
    type: 'choice',
    default: 'hook',
    values: NETIF_VALUES,
    doc: 'hook: QEMU calls qemu-brup and qemu-brdown for its taps; managed: qemu-init creates and removes them',
  },
] as const satisfies readonly KeySpec[];
