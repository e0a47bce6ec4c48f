import type { Problem } from '../../base/problem.ts';
import { type MacCollision, macCollisions } from '../mac/mac-leases.ts';
import type { BridgeState, CheckedNic, NetworkFacts, StartFacts } from './network-facts.ts';

/** Checks the state of the host against what the machines need. No findings: all is well. */
export function checkNetworkFindings(nics: readonly CheckedNic[], facts: NetworkFacts): Problem[] {
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

/** What prevents these NICs from being connected at all: the part of {@link checkNetworkFindings} that a start would fail by. Pure. */
export function networkObstacles(nics: readonly CheckedNic[], facts: StartFacts): Problem[] {
  const onBridges = nics.filter(({ net }) => net === 'bridge');
  return [
    ...checkPrograms(nics, facts),
    ...(onBridges.length > 0 ? checkTunDevice(onBridges, facts) : []),
    // Taps join one that is down, too.
    ...facts.bridges.flatMap((bridge) =>
      checkBridge(bridge.state === 'down' ? { ...bridge, state: 'up' } : bridge, onBridges),
    ),
  ].filter(({ severity }) => severity === 'error');
}

function checkPrograms(nics: readonly CheckedNic[], { programs }: StartFacts): Problem[] {
  const needs: readonly [string, string, (nic: CheckedNic) => boolean][] = [
    ['ip', 'iproute2', ({ net }) => net === 'bridge'],
    ['bridge', 'iproute2', ({ net, vlan }) => net === 'bridge' && vlan !== undefined],
    ['nft', 'nftables', ({ net, lock, rate }) => net === 'bridge' && (lock || rate !== undefined)],
    ['passt', 'passt', ({ net }) => net === 'passt'],
  ];
  return needs.flatMap(([program, name, isNeededBy]): Problem[] => {
    const nic = nics.find((each) => each.isForeign !== true && isNeededBy(each));
    if (nic === undefined || programs.has(program)) return [];
    return [
      {
        severity: 'error',
        message: `Program "${program}" is missing`,
        detail: `NIC${nic.index} of "${nic.machine}" needs it`,
        hint: `apt install ${name}`,
      },
    ];
  });
}

function checkTunDevice(nics: readonly CheckedNic[], { tunDevice }: StartFacts): Problem[] {
  if (tunDevice === 'missing') {
    const detail = 'taps cannot be created';
    return [
      {
        severity: 'error',
        message: 'There is no /dev/net/tun',
        detail,
        hint: 'modprobe tun; in a container: give it that device',
      },
    ];
  }
  const user = nics.find(({ runAs }) => runAs !== undefined)?.runAs;
  if (tunDevice === 'open to all' || user === undefined) return [];
  return [
    {
      severity: 'error',
      message: 'Only root may open /dev/net/tun',
      detail: `QEMU runs as "${user}" and cannot open the tap that was made for it`,
      hint: 'chmod 0666 /dev/net/tun (as udev does; creating taps still needs CAP_NET_ADMIN)',
    },
  ];
}

function checkRights({ hasNetAdmin }: NetworkFacts): Problem[] {
  if (hasNetAdmin) return [];
  const detail = 'this user cannot start machines with net=bridge';
  return [
    {
      severity: 'warning',
      message: 'No right to change the network',
      detail,
      hint: 'run qemu-init as root, or use net=user or net=passt',
    },
  ];
}

function checkFilter({ filteredBridging }: NetworkFacts): Problem[] {
  return filteredBridging.map((family) => {
    const key = family === 'ipv4' ? 'iptables' : 'ip6tables';
    return {
      severity: 'warning',
      message: `The firewall drops what ${family === 'ipv4' ? 'IPv4' : 'IPv6'} guests send to each other`,
      detail: 'br_netfilter passes bridged frames through FORWARD, whose policy is drop (Docker sets it so)',
      hint: `sysctl net.bridge.bridge-nf-call-${key}=0, or accept them: ${key} -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT`,
    };
  });
}

function checkBridge(bridge: BridgeState, onBridges: readonly CheckedNic[]): Problem[] {
  const { name, state, vlanAware, mtu } = bridge;
  const users = onBridges.filter((nic) => nic.bridge === name);
  const detail = users.length === 0 ? 'no machine uses it' : `it is the bridge of ${listNics(users)}`;
  switch (state) {
    case 'missing':
      return [
        {
          severity: 'error',
          message: `Bridge "${name}" does not exist`,
          detail,
          hint: `qemu-netif bridge add ${name}`,
        },
      ];
    case 'no bridge':
      return [
        {
          severity: 'error',
          message: `"${name}" is not a bridge`,
          detail,
          hint: 'set a different bridge in the cfg file',
        },
      ];
    case 'down':
      return [{ severity: 'error', message: `Bridge "${name}" is down`, detail, hint: `ip link set dev ${name} up` }];
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

function vlanFinding(bridge: string, nics: readonly CheckedNic[]): Problem {
  return {
    severity: 'error',
    message: `Bridge "${bridge}" has VLAN filtering switched off`,
    detail: `${listNics(nics)} must be in a VLAN`,
    hint: `ip link set dev ${bridge} type bridge vlan_filtering 1`,
  };
}

function mtuFinding(bridge: string, mtu: number, nics: readonly CheckedNic[]): Problem {
  return {
    severity: 'warning',
    message: `Bridge "${bridge}" has a smaller MTU than its guests`,
    detail: `it is ${mtu}, and larger frames of ${listNics(nics)} are lost`,
    hint: `ip link set dev ${bridge} mtu ${Math.max(...nics.map((nic) => nic.mtu ?? 0))}`,
  };
}

function collisionFinding({ mac, nics }: MacCollision): Problem {
  return {
    severity: 'error',
    message: `Address ${mac} is used more than once`,
    detail: `${listNics(nics)} have it`,
    hint: 'change mac= on all but one of them',
  };
}

function checkForeignNames(nics: readonly CheckedNic[], { foreignTaps }: NetworkFacts): Problem[] {
  return nics
    .filter(({ tap }) => foreignTaps.includes(tap))
    .map((nic) => ({
      severity: 'error',
      message: `Interface "${nic.tap}" belongs to another program`,
      detail: `the tap of ${listNics([nic])} needs that name`,
      hint: `look at it with: ip -d link show dev ${nic.tap}`,
    }));
}

function checkForeignMacs(nics: readonly CheckedNic[], { learned }: NetworkFacts): Problem[] {
  const owners = new Map(nics.map((nic) => [nic.mac, nic]));
  return learned.flatMap(({ mac, port, bridge }): Problem[] => {
    const nic = owners.get(mac);
    if (nic === undefined || nic.tap === port || nic.bridge !== bridge) return [];
    return [
      {
        severity: 'error',
        message: `Address ${mac} is also used outside`,
        detail: `${listNics([nic])} has it, and bridge "${bridge}" also sees it at "${port}"`,
        hint: 'set a different address with mac=',
      },
    ];
  });
}

function checkLeftovers({ unusedTaps }: NetworkFacts): Problem[] {
  return unusedTaps.map(({ tap, machine }) => ({
    severity: 'warning',
    message: `Tap "${tap}" is left over`,
    detail: `it was made for machine "${machine}", and no QEMU has it open`,
    hint: `the next start removes it; at once: ip link delete dev ${tap}`,
  }));
}

function listNics(nics: readonly { readonly machine: string; readonly index: number }[]): string {
  return nics.map(({ machine, index }) => `NIC${index} of "${machine}"`).join(', ');
}
