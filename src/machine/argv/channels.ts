import { quoteComma } from '../../base/text.ts';
import { type Chipset, pciPlace } from './chipset.ts';
import { type Device, device, object, option, type Part } from './description.ts';
import { properties } from './option.ts';
import type { ArgvRequest } from './request.ts';

/** GnuTLS priority string: TLS 1.2 and later. QEMU adds the key exchanges with a pre-shared key. */
const TLS_PRIORITY = 'NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2';

/** Monitors, serial console and guest agent: everything that uses a socket. */
export function channelParts(request: ArgvRequest, chipset: Chipset): Part[] {
  const { machine } = request;
  return [
    option('', '-chardev', `socket,id=qmp,path=${quoteComma(machine.qmpSocket)},server=on,wait=off`),
    option('', '-mon', 'chardev=qmp,mode=control'),
    ...portOptions(request),
    ...serialOptions(request),
    ...agentParts(request, chipset),
  ];
}

/** MONPORT for people (HMP) and CTLPORT for programs (QMP), on both loopback addresses. */
function portOptions({ machine, allocation, ipv6, tls }: ArgvRequest): Part[] {
  const { monitorPort, controlPort } = allocation;
  if (monitorPort === undefined || controlPort === undefined) return [];
  const ports = [
    { id: 'mon', port: monitorPort, mode: 'readline' },
    { id: 'ctl', port: controlPort, mode: 'control' },
  ];
  // One chardev for each address family: with a host name QEMU would bind only the first address of getaddrinfo(3).
  const families = [
    { suffix: '4', host: '127.0.0.1', only: 'ipv6=off' },
    ...(ipv6 ? [{ suffix: '6', host: '::1', only: 'ipv4=off' }] : []),
  ];
  const credentials = { dir: machine.tlsDir, endpoint: 'server', priority: TLS_PRIORITY };
  return [
    ...(tls ? [object('TLS', 'tls-creds-psk', 'tls0', credentials)] : []),
    ...ports.flatMap(({ id, port, mode }) =>
      families.flatMap(({ suffix, host, only }) => [
        option(
          'MONPORT',
          '-chardev',
          properties(
            `socket,id=${id}${suffix},host=${host},port=${port},server=on,wait=off,${only}`,
            tls && 'tls-creds=tls0',
          ),
        ),
        option('MONPORT', '-mon', `chardev=${id}${suffix},mode=${mode}`),
      ]),
    ),
  ];
}

function serialOptions({ config, machine }: ArgvRequest): Part[] {
  if (!config.serial) return [];
  return [
    option(
      'SERIAL',
      '-chardev',
      properties(
        `socket,id=serial0,path=${quoteComma(machine.consoleSocket)}`,
        'server=on,wait=off',
        // Appending means O_APPEND: the file may be shortened while QEMU writes.
        `logfile=${quoteComma(machine.consoleLog)},logappend=on`,
      ),
    ),
    option('SERIAL', '-serial', 'chardev:serial0'),
  ];
}

/** Id of the character device that leads to QEMU's own agent. */
export const AGENT_CHANNEL = 'agent0';

/** The ports of both agents, of QEMU and of SPICE, on one controller. */
function agentParts({ config, machine }: ArgvRequest, chipset: Chipset): Part[] {
  const { agent, spice } = config;
  if (!agent && !spice) return [];
  const controller = chipset === 'other' ? 'virtio-serial' : 'virtio-serial-pci';
  return [
    device(agent ? 'QGA' : 'SPICE', controller, { id: 'vserial0', ...pciPlace(chipset, 'agent') }),
    ...(agent
      ? [
          option(
            'QGA',
            '-chardev',
            `socket,id=${AGENT_CHANNEL},path=${quoteComma(machine.agentSocket)},server=on,wait=off`,
          ),
          agentPort('QGA', 'agent', 1, AGENT_CHANNEL, 'org.qemu.guest_agent.0'),
        ]
      : []),
    ...(spice
      ? [
          option('SPICE', '-chardev', 'spicevmc,id=vdagent0,name=vdagent'),
          agentPort('SPICE', 'vdagent', 2, 'vdagent0', 'com.redhat.spice.0'),
        ]
      : []),
  ];
}

function agentPort(key: string, id: string, nr: number, chardev: string, name: string): Device {
  return device(key, 'virtserialport', { id, bus: 'vserial0.0' }, { nr, chardev, name });
}
