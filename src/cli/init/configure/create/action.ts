import type { Argv } from 'yargs';
import type { Action } from '../../action.ts';
import { seconds } from '../../parameters.ts';

/** An option with a value. */
function value(describe: string): { type: 'string'; requiresArg: true; describe: string } {
  return { type: 'string', requiresArg: true, describe };
}

/** A machine from nothing. */
export const CREATE: Action = {
  command: 'create [name] [settings..]',
  settlesFirst: true,
  group: 'Configure',
  examples: [
    ['web --disk 8G RAM=2G NIC1=br0', 'A machine with an empty disk'],
    [
      'web --image debian.qcow2 --disk 20G --ssh-key ~/.ssh/id_ed25519.pub --start --wait',
      'From a cloud image to a login',
    ],
    ['web --iso debian.iso --disk 20G --os debian', 'To be installed from a CD-ROM'],
  ],
  describe: 'Create a machine with its disks, and register it',
  options: (parser) =>
    seeding(
      hardware(
        parser
          .positional('name', { type: 'string', describe: 'Long name (on a terminal: asks)' })
          .positional('settings', {
            type: 'string',
            array: true,
            describe: 'Keys of the file: KEY=VALUE',
          }) as Argv<object>,
      ),
    )
      .option('output', value('Folder for the files'))
      .option('start', { type: 'boolean', describe: 'Start it' })
      .option('wait', { type: 'boolean', describe: 'With --start: until the guest is up' })
      .option('timeout', { ...value('Seconds for --wait'), default: '900', coerce: seconds })
      .implies('wait', 'start'),
  load: () => import('./create.ts'),
};

function port(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 65_535) throw new Error(`--ssh-port must be a port, not "${text}"`);
  return number;
}

/** What it is made of. */
function hardware(parser: Argv<object>): Argv<object> {
  return parser
    .option('disk', { ...value('New disk of that size, such as 8G; with --image the first is its size'), array: true })
    .option('image', value('Copy that image to the first new disk'))
    .option('from', value('Begin as a clone of that machine, which may run'))
    .option('linked', {
      type: 'boolean',
      describe: 'Use the image, or the disks of --from, as a base instead of copying',
    })
    .option('iso', value('CD-ROM to install from'))
    .option('kernel', value('Linux kernel to boot directly'))
    .option('initrd', value('Initial RAM disk of --kernel'))
    .option('append', value('Command line of --kernel'))
    .option('ram', value('Memory, such as 2G'))
    .option('cpus', value('Number of processors'))
    .option('bridge', value('Bridge that its network card is connected to'))
    .option('net', value('What it is connected to instead: user, passt or none'))
    .option('ssh-port', { ...value('Port of this host that leads to the SSH server of the guest'), coerce: port })
    .option('firmware', value('bios, uefi or uefi-secure'))
    .option('tpm', { type: 'boolean', describe: 'With a TPM 2.0' })
    .option('os', value('Start from the preset of that system: windows11, debian')) as Argv<object>;
}

/** What cloud-init tells its guest. */
function seeding(parser: Argv<object>): Argv<object> {
  return parser
    .option('ssh-key', value('Public key that may log in, by cloud-init'))
    .option('login', value('User who may log in with it (default: that of the image)'))
    .option('hostname', value('Host name of the guest (default: NAME)'))
    .option('user-data', value('The same and more, in a file for cloud-init'))
    .option('meta-data', value('meta-data for cloud-init'))
    .option('network-config', value('network-config for cloud-init')) as Argv<object>;
}
