import type { MachineConfig, NicConfig } from '../config/types.ts';
import type { NicLink } from '../machine/argv/request.ts';
import type { Network, Notify } from '../machine/host.ts';
import { tapName } from '../network/names.ts';
import { netdevArgument, nicDeviceProperties } from '../network/netdev.ts';
import { writeTapNotes } from '../network/notes.ts';
import { passtFd, startPassts } from '../network/passt.ts';
import { checkLockable, setUpTaps, tearDownTaps } from '../network/taps.ts';
import { isVhostUsable } from '../network/vhost.ts';
import { tapWishes } from '../network/wishes.ts';
import { ensureDir } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { peekMacs, takeMacs } from './leases.ts';

/** The network layer in the form that machines use it in. */
export function makeNetwork(paths: Paths, notify: Notify): Network {
  const { tapsDir } = paths;
  return {
    async links(config, { lease, accelerator }) {
      const macs = lease ? await takeMacs(paths, config, notify) : peekMacs(paths, config);
      const vhost = isVhostUsable(accelerator);
      return config.nics.map((nic) => link(paths, config, nic, macs.get(nic.index) ?? '', vhost));
    },
    async setUp(config, { logPath, signal }) {
      // The links have leased them.
      const wishes = tapWishes(config, peekMacs(paths, config));
      if (wishes.length > 0) {
        ensureDir(tapsDir, 0o700);
        if (config.netif === 'managed') {
          await setUpTaps(wishes, { tapsDir, user: config.runAs, signal });
        } else {
          checkLockable(wishes);
          writeTapNotes(wishes, tapsDir);
        }
        const made = config.netif === 'managed' ? 'was made for' : "will be joined by QEMU's hook to";
        for (const { tap, bridge } of wishes) {
          notify({ level: 'debug', machine: config.longName, message: `tap "${tap}" ${made} bridge "${bridge}"` });
        }
      }
      return startPassts(config.nics, { logPath, cwd: config.dir, user: config.runAs, signal });
    },
    async tearDown(longName) {
      await tearDownTaps(longName, { tapsDir });
    },
  };
}

function link(paths: Paths, config: MachineConfig, nic: NicConfig, mac: string, vhost: boolean): NicLink {
  const netdev = netdevArgument(nic, {
    tap: tapName(config.longName, nic.index),
    netif: config.netif,
    upHook: paths.bridgeUpHook,
    downHook: paths.bridgeDownHook,
    vhost,
    passtFd: passtFd(config.nics, nic),
  });
  return { mac, netdev, deviceProperties: nicDeviceProperties(nic) };
}
