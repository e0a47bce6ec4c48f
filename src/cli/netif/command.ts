import type { Argv } from 'yargs';
import { parseArguments } from '../run/parse-arguments.ts';
import { type Handle, runTool } from '../run/run-tool.ts';

/** Everything that hooks do not need. Returns the exit status. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  return await runTool('qemu-netif', argv, (handle) =>
    parseArguments('qemu-netif', argv, (parser) => define(parser, handle), missingIn(argv)),
  );
}

function missingIn(argv: readonly string[]): string {
  if (!argv.includes('bridge')) return 'tap';
  return argv.at(-1) === 'bridge' ? 'command' : 'bridge';
}

function define(parser: Argv<object>, handle: Handle): Argv<object> {
  const name = (sub: Argv<object>): Argv<object> =>
    sub.positional('name', { type: 'string', demandOption: true, describe: 'Name of the bridge' }) as Argv<object>;
  const tap = (sub: Argv<object>): Argv<object> =>
    sub.positional('tap', { type: 'string', demandOption: true, describe: 'Name of the tap' }) as Argv<object>;
  return parser
    .command({
      command: 'up <tap>',
      describe: 'Attach a tap to its bridge and bring it up',
      builder: (sub) =>
        tap(sub).option('bridge', {
          type: 'string',
          requiresArg: true,
          describe: 'Bridge (default: the one noted by start, else $BRIDGE_IFNAME, else br0)',
        }),
      handler: async (args) => handle((await import('./up-down.ts')).up, args),
    })
    .command({
      command: 'down <tap>',
      describe: 'Detach a tap from its bridge and bring it down',
      builder: (sub) => tap(sub),
      handler: async (args) => handle((await import('./up-down.ts')).down, args),
    })
    .command({
      command: 'bridge <command>',
      describe: 'Create, remove and show bridges',
      builder: (sub) =>
        sub
          .command({
            command: 'add <name>',
            describe: 'Create a bridge, or add missing settings to an existing one',
            builder: (add) =>
              name(add)
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
                .option('vlan-aware', { type: 'boolean', default: false, describe: 'For NICs with vlan=' }),
            handler: async (args) => handle((await import('./bridge.ts')).add, args),
          })
          .command({
            command: 'del <name>',
            describe: 'Remove a bridge created by "add"; its uplink gets the addresses back',
            builder: (del) => name(del),
            handler: async (args) => handle((await import('./bridge.ts')).del, args),
          })
          .command({
            command: 'show [names..]',
            describe: 'Show bridges with their ports',
            builder: (show) =>
              show.positional('names', { type: 'string', array: true, describe: 'Names of bridges (default: all)' }),
            handler: async (args) => handle((await import('./bridge.ts')).show, args),
          })
          .demandCommand(1, 1, 'No command was given', 'No command was given'),
      handler: () => undefined,
    })
    .command({
      command: 'check',
      describe: "Check the host's network for what the registered machines need",
      handler: async (args) => handle((await import('./check.ts')).run, args),
    })
    .usage('qemu-netif COMMAND [options]\n\nAttaches taps to bridges, using only ip(8).')
    .demandCommand(1, 1, 'No command was given', 'No command was given')
    .epilogue('Manual: qemu-netif(8)');
}
