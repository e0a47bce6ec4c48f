import type { Argv } from 'yargs';
import type { Command } from '../help/command.ts';

const name = (parser: Argv<object>): Argv<object> =>
  parser.positional('name', { type: 'string', demandOption: true, describe: 'Name of the bridge' }) as Argv<object>;
const tap = (parser: Argv<object>): Argv<object> =>
  parser.positional('tap', { type: 'string', demandOption: true, describe: 'Name of the tap' }) as Argv<object>;

/** The commands of qemu-netif. */
export const COMMANDS: readonly Command[] = [
  {
    command: 'up <tap>',
    describe: 'Attach a tap to its bridge and bring it up',
    options: (parser) =>
      tap(parser).option('bridge', {
        type: 'string',
        requiresArg: true,
        describe: 'Bridge (default: the one noted by start, else $BRIDGE_IFNAME, else br0)',
      }),
    load: async () => ({ run: (await import('./up-down.ts')).up }),
  },
  {
    command: 'down <tap>',
    describe: 'Detach a tap from its bridge and bring it down',
    options: tap,
    load: async () => ({ run: (await import('./up-down.ts')).down }),
  },
  {
    command: 'bridge',
    describe: 'Create, remove and show bridges',
    verbs: [
      {
        command: 'add <name>',
        describe: 'Create a bridge, or add missing settings to an existing one',
        options: (parser) =>
          name(parser)
            .option('uplink', {
              type: 'string',
              requiresArg: true,
              describe: 'Interface to the outside network; its addresses move to the bridge',
            })
            .option('address', {
              type: 'string',
              requiresArg: true,
              describe: "The host's addresses with prefix length, separated by commas",
            })
            .option('mtu', { type: 'string', requiresArg: true, describe: 'Bytes (default: that of the uplink)' })
            .option('vlan-aware', { type: 'boolean', default: false, describe: 'For NICs with vlan=' }) as Argv<object>,
        examples: [
          ['br0 --uplink eth0', 'Guests are in the network of the host'],
          ['br1 --address 192.0.2.1/24', 'A network of the host and its guests'],
        ],
        load: async () => ({ run: (await import('./bridge.ts')).add }),
      },
      {
        command: 'del <name>',
        describe: 'Remove a bridge created by "add"; its uplink gets the addresses back',
        options: name,
        load: async () => ({ run: (await import('./bridge.ts')).del }),
      },
      {
        command: 'show [names..]',
        describe: 'Show bridges with their ports',
        options: (parser) =>
          parser.positional('names', { type: 'string', array: true, describe: 'Names of bridges (default: all)' }),
        load: async () => ({ run: (await import('./bridge.ts')).show }),
      },
    ],
  },
  {
    command: 'check',
    describe: "Check the host's network for what the registered machines need",
    load: async () => ({ run: (await import('./check.ts')).run }),
  },
];
