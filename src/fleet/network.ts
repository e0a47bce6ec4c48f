import type { MachineConfig, NicConfig } from '../config/types.ts';
import type { NicLink } from '../machine/argv/request.ts';
import type { Network, Notify } from '../machine/host.ts';
import { tapName } from '../network/names.ts';
import { writeTapNotes } from '../network/notes.ts';
import { tearDownTaps } from '../network/taps.ts';
import { tapWishes } from '../network/wishes.ts';
import { ensureDir } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { peekMacs, takeMacs } from './leases.ts';

/** The network layer in the form that machines use it in. */
export function makeNetwork(paths: Paths, notify: Notify): Network {
  const { tapsDir } = paths;
  return {
    async links(config, lease) {
      const macs = lease ? await takeMacs(paths, config, notify) : peekMacs(paths, config);
      return config.nics.map((nic) => link(paths, config, nic, macs.get(nic.index) ?? ''));
    },
    async setUp(config) {
      const wishes = tapWishes(config, await takeMacs(paths, config, notify));
      if (wishes.length === 0) return;
      ensureDir(tapsDir, 0o700);
      writeTapNotes(wishes, tapsDir);
    },
    async tearDown(longName) {
      await tearDownTaps(longName, { tapsDir });
    },
  };
}

function link(paths: Paths, config: MachineConfig, nic: NicConfig, mac: string): NicLink {
  const id = `net${nic.index - 1}`;
  switch (nic.net) {
    case 'bridge': {
      const hooks = `script=${paths.bridgeUpHook},downscript=${paths.bridgeDownHook}`;
      return { mac, netdev: `tap,id=${id},${hooks},ifname=${tapName(config.longName, nic.index)}` };
    }
    case 'user': {
      const forwards = nic.hostForwards.map(
        (f) => `,hostfwd=${f.protocol}:${f.hostAddress}:${f.hostPort}-${f.guestAddress}:${f.guestPort}`,
      );
      return { mac, netdev: `user,id=${id}${forwards.join('')}` };
    }
    case 'passt':
    case 'none':
      return { mac, netdev: undefined };
    default:
      return nic.net satisfies never;
  }
}
