import type { MonitorConfig } from '../../src/config/monitor-config.ts';
import type { MachineContext, MachineRef, Notice } from '../../src/machine/context.ts';
import { machinePaths, resolvePaths } from '../../src/system/paths.ts';

/** A host below a folder, without a network, that keeps the notices. */
export interface TestHost extends MachineContext {
  readonly notices: Notice[];
}

export function testHost(dir: string, monitor: Partial<MonitorConfig> = {}): TestHost {
  const notices: Notice[] = [];
  return {
    paths: resolvePaths({ root: dir }, {}, 0, '/'),
    monitor: { monitorPort: 30_320, monitor: 'tcp', tls: 'psk', vncDisplay: 0, ...monitor },
    storageInUse: () => [],
    otherWithDisk: () => () => undefined,
    moves: {
      settleAt: () => Promise.resolve(),
      tell: () => Promise.resolve(),
      forget: () => Promise.resolve(),
    },
    network: {
      links: () => Promise.resolve([]),
      setUp: () => Promise.resolve([]),
      tearDown: () => Promise.resolve(),
      plug: () => Promise.resolve(),
      unplug: () => Promise.resolve(),
      changedTaps: () => Promise.resolve([]),
      rejoin: () => Promise.resolve(),
    },
    notify: (notice) => notices.push(notice),
    notices,
  };
}

/** A machine of that host, whether there is one or not. */
export function testMachine(host: MachineContext, longName: string): MachineRef {
  const configPath = `${host.paths.etcDir}/${longName}-qemu.cfg`;
  return { longName, shortName: longName, configPath, files: machinePaths(host.paths, longName) };
}
