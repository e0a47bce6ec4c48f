import { type MacCollision, macCollisions } from '../mac/mac-leases.ts';
import type { BridgeState, CheckedNic, NetworkFacts } from './network-facts.ts';

/** Something on the host that keeps machines from the network, or will. */
export interface Finding {
  /** `error`: a machine will not start, or be cut off. */
  readonly severity: 'error' | 'warning';
  readonly title: string;
  /** What was seen, and what it leads to. */
  readonly detail: string;
  /** What the operator can do. */
  readonly fix: string;
}

/** Checks what was seen on the host by what the machines need. Without a finding all is well. */
export function checkNetworkFindings(nics: readonly CheckedNic[], facts: NetworkFacts): Finding[] {
  const onBridges = nics.filter(({ net }) => net === 'bridge');
  return [
    ...checkPrograms(nics, facts),
    ...(onBridges.length > 0
      ? [...checkTunDevice(onBridges, facts), ...checkRights(facts), ...checkFilter(facts)]
      : []),
    ...facts.bridges.flatMap((bridge) => checkBridge(bridge, onBridges)),
    ...macCollisions(nics).map(collisionFinding),
    ...checkForeignNames(onBridges, facts),
    ...checkForeignMacs(onBridges, facts),
    ...checkLeftovers(facts),
  ];
}

function checkPrograms(nics: readonly CheckedNic[], { programs }: NetworkFacts): Finding[] {
  const needs: readonly [string, string, (nic: CheckedNic) => boolean][] = [
    ['ip', 'iproute2', ({ net }) => net === 'bridge'],
    ['bridge', 'iproute2', ({ net, vlan }) => net === 'bridge' && vlan !== undefined],
    ['nft', 'nftables', ({ net, lock }) => net === 'bridge' && lock],
    ['passt', 'passt', ({ net }) => net === 'passt'],
  ];
  return needs.flatMap(([program, name, isNeededBy]): Finding[] => {
    const nic = nics.find(isNeededBy);
    if (nic === undefined || programs.has(program)) return [];
    return [
      {
        severity: 'error',
        title: `Program "${program}" is missing`,
        detail: `NIC${nic.index} of "${nic.machine}" needs it`,
        fix: `apt install ${name}`,
      },
    ];
  });
}

function checkTunDevice(nics: readonly CheckedNic[], { tunDevice }: NetworkFacts): Finding[] {
  if (tunDevice === 'missing') {
    const detail = 'no tap can be made';
    return [
      {
        severity: 'error',
        title: 'There is no /dev/net/tun',
        detail,
        fix: 'modprobe tun; in a container: give it that device',
      },
    ];
  }
  const user = nics.find(({ runAs }) => runAs !== undefined)?.runAs;
  if (tunDevice === 'open to all' || user === undefined) return [];
  return [
    {
      severity: 'error',
      title: 'Only root may open /dev/net/tun',
      detail: `QEMU runs as "${user}" and cannot take the tap that was made for it`,
      fix: 'chmod 0666 /dev/net/tun (that is what udev does; making taps needs CAP_NET_ADMIN nevertheless)',
    },
  ];
}

function checkRights({ hasNetAdmin }: NetworkFacts): Finding[] {
  if (hasNetAdmin) return [];
  const detail = 'this user can start no machine with net=bridge';
  return [
    {
      severity: 'warning',
      title: 'No right to change the network',
      detail,
      fix: 'run qemu-init as root, or use net=user or net=passt',
    },
  ];
}

function checkFilter({ filteredBridging }: NetworkFacts): Finding[] {
  return filteredBridging.map((family) => {
    const key = family === 'ipv4' ? 'iptables' : 'ip6tables';
    return {
      severity: 'warning',
      title: `The firewall drops what ${family === 'ipv4' ? 'IPv4' : 'IPv6'} guests send to each other`,
      detail: 'br_netfilter passes bridged frames through FORWARD, whose policy is drop (Docker sets it so)',
      fix: `sysctl net.bridge.bridge-nf-call-${key}=0, or accept them: ${key} -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT`,
    };
  });
}

function checkBridge(bridge: BridgeState, onBridges: readonly CheckedNic[]): Finding[] {
  const { name, state, vlanAware, mtu } = bridge;
  const users = onBridges.filter((nic) => nic.bridge === name);
  const detail = users.length === 0 ? 'no machine uses it' : `it is the bridge of ${listNics(users)}`;
  switch (state) {
    case 'missing':
      return [
        { severity: 'error', title: `Bridge "${name}" does not exist`, detail, fix: `qemu-netif bridge add ${name}` },
      ];
    case 'no bridge':
      return [
        { severity: 'error', title: `"${name}" is not a bridge`, detail, fix: 'name another bridge in the cfg file' },
      ];
    case 'down':
      return [{ severity: 'error', title: `Bridge "${name}" is down`, detail, fix: `ip link set dev ${name} up` }];
    case 'up': {
      const tagged = vlanAware ? [] : users.filter(({ vlan }) => vlan !== undefined);
      const large = users.filter((nic) => (nic.mtu ?? 0) > mtu);
      return [
        ...(tagged.length === 0 ? [] : [vlanFinding(name, tagged)]),
        ...(large.length === 0 ? [] : [mtuFinding(name, mtu, large)]),
      ];
    }
  }
}

function vlanFinding(bridge: string, nics: readonly CheckedNic[]): Finding {
  return {
    severity: 'error',
    title: `Bridge "${bridge}" knows no VLANs`,
    detail: `${listNics(nics)} shall be in one`,
    fix: `ip link set dev ${bridge} type bridge vlan_filtering 1`,
  };
}

function mtuFinding(bridge: string, mtu: number, nics: readonly CheckedNic[]): Finding {
  return {
    severity: 'warning',
    title: `Bridge "${bridge}" has a smaller MTU than its guests`,
    detail: `it is ${mtu}, and larger frames of ${listNics(nics)} are lost`,
    fix: `ip link set dev ${bridge} mtu ${Math.max(...nics.map((nic) => nic.mtu ?? 0))}`,
  };
}

function collisionFinding({ mac, nics }: MacCollision): Finding {
  return {
    severity: 'error',
    title: `Address ${mac} is used more than once`,
    detail: `${listNics(nics)} have it`,
    fix: 'change mac= of all but one of them',
  };
}

function checkForeignNames(nics: readonly CheckedNic[], { foreignTaps }: NetworkFacts): Finding[] {
  return nics
    .filter(({ tap }) => foreignTaps.includes(tap))
    .map((nic) => ({
      severity: 'error',
      title: `Interface "${nic.tap}" is another program's`,
      detail: `the tap of ${listNics([nic])} has to have that name`,
      fix: `look at it with: ip -d link show dev ${nic.tap}`,
    }));
}

function checkForeignMacs(nics: readonly CheckedNic[], { learned }: NetworkFacts): Finding[] {
  const owners = new Map(nics.map((nic) => [nic.mac, nic]));
  return learned.flatMap(({ mac, port, bridge }): Finding[] => {
    const nic = owners.get(mac);
    if (nic === undefined || nic.tap === port || nic.bridge !== bridge) return [];
    return [
      {
        severity: 'error',
        title: `Address ${mac} is also used outside`,
        detail: `it is that of ${listNics([nic])}, and bridge "${bridge}" sees it at "${port}"`,
        fix: 'give the NIC another one with mac=',
      },
    ];
  });
}

function checkLeftovers({ unusedTaps }: NetworkFacts): Finding[] {
  return unusedTaps.map(({ tap, machine }) => ({
    severity: 'warning',
    title: `Tap "${tap}" is left over`,
    detail: `it was made for machine "${machine}", and no QEMU has it open`,
    fix: `the next start removes it; at once: ip link delete dev ${tap}`,
  }));
}

function listNics(nics: readonly { readonly machine: string; readonly index: number }[]): string {
  return nics.map(({ machine, index }) => `NIC${index} of "${machine}"`).join(', ');
}
