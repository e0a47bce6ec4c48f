import { isDeepStrictEqual } from 'node:util';
import type { NicConfig } from '../config/device-config.ts';
import type { MachineConfig } from '../config/types.ts';
import { netdevArguments, nicDeviceProperties } from '../machine/argv/netdev.ts';
import type { NicLink } from '../machine/argv/request.ts';
import { isVhostUsable } from '../machine/argv/vhost.ts';
import type { Network, Notify } from '../machine/context.ts';
import { passtFd, startPassts } from '../network/passt.ts';
import { tapName } from '../network/taps/tap-names.ts';
import { readTapRecord, writeTapRecords } from '../network/taps/tap-records.ts';
import { type TapSpec, tapSpecs } from '../network/taps/tap-spec.ts';
import { checkLockable, rejoinTap, setUpTaps, tearDownTaps } from '../network/taps/taps.ts';
import { ensureDir } from '../system/files/files.ts';
import type { Paths } from '../system/paths.ts';
import { leaseMacsOf, previewMacsOf } from './macs.ts';

/** The network layer as machines use it. */
export function makeNetwork(paths: Paths, notify: Notify): Network {
  const { tapsDir } = paths;
  // The links have leased them.
  const specsOf = (config: MachineConfig, longName = config.longName): TapSpec[] =>
    tapSpecs({ ...config, longName }, previewMacsOf(paths, config));
  const makeTaps = async (config: MachineConfig, specs: readonly TapSpec[], signal?: AbortSignal): Promise<void> => {
    if (specs.length === 0) return;
    ensureDir(tapsDir, 0o700);
    if (config.netif === 'managed') {
      await setUpTaps(specs, { tapsDir, user: config.runAs, signal });
    } else {
      checkLockable(specs);
      writeTapRecords(specs, tapsDir);
    }
    const made = config.netif === 'managed' ? 'was made for' : "will be joined by QEMU's hook to";
    for (const { tap, bridge } of specs) {
      notify({ level: 'debug', machine: config.longName, message: `tap "${tap}" ${made} bridge "${bridge}"` });
    }
  };
  return {
    async links(config, { lease, accelerator, tapsOf = config.longName }) {
      const macs = lease ? await leaseMacsOf(paths, config, notify) : previewMacsOf(paths, config);
      const vhost = isVhostUsable(accelerator);
      return config.nics.map((nic) =>
        link(paths, { ...config, longName: tapsOf }, nic, macs.get(nic.index) ?? '', vhost),
      );
    },
    async setUp(config, { logPath, signal, tapsOf }) {
      await makeTaps(config, specsOf(config, tapsOf), signal);
      return startPassts(config.nics, { logPath, cwd: config.dir, user: config.runAs, signal });
    },
    async tearDown(longName) {
      await tearDownTaps(longName, { tapsDir });
    },
    async plug(config, nics, signal) {
      const specs = specsOf(config).filter(({ index }) => nics.includes(index));
      await makeTaps(config, specs, signal);
    },
    async unplug(longName, nic) {
      await tearDownTaps(longName, { tapsDir, only: tapName(longName, nic) });
    },
    async changedTaps(config) {
      const specs = specsOf(config);
      return specs.filter((spec) => isOtherwise(readTapRecord(spec.tap, tapsDir), spec)).map(({ index }) => index);
    },
    async rejoin(config, nic, signal) {
      const spec = specsOf(config).find(({ index }) => index === nic);
      if (spec) await rejoinTap(spec, { tapsDir, signal });
    },
  };
}

/** Whether a tap is on another bridge, or has other rules, than it is to have. Without a note nothing is known. */
function isOtherwise(noted: TapSpec | undefined, wanted: TapSpec): boolean {
  const part = ({ bridge, vlan, isolated, lock, addresses, rate }: TapSpec): object => {
    return { bridge, vlan, isolated, lock, addresses, rate };
  };
  return noted !== undefined && !isDeepStrictEqual(part(noted), part(wanted));
}

function link(paths: Paths, config: MachineConfig, nic: NicConfig, mac: string, vhost: boolean): NicLink {
  const netdev = netdevArguments(nic, {
    tap: tapName(config.longName, nic.index),
    netif: config.netif,
    upHook: paths.bridgeUpHook,
    downHook: paths.bridgeDownHook,
    vhost,
    passtFd: passtFd(config.nics, nic),
  });
  return { mac, netdev, deviceProperties: nicDeviceProperties(nic) };
}
