/*
 * Which options of a command line make up the machine that its guest sees. A saved state only fits the same ones: QEMU
 * itself notices a different amount of memory, but takes one more network card, or another processor.
 */

/** Options of QEMU that no guest sees. */
const UNSEEN: ReadonlySet<string> = new Set(
  (
    '-name -display -vnc -spice -chardev -mon -qmp -monitor -pidfile -msg -sandbox -S --preconfig -incoming -add-fd ' +
    '-no-user-config -nodefaults -D -d -trace -runas -action -k -audiodev -no-shutdown -no-reboot -daemonize -gdb -s ' +
    '-full-screen -watchdog-action -fsdev -tpmdev -L'
  ).split(' '),
);

/** Types of `-object` that only the host knows. */
const UNSEEN_OBJECTS: ReadonlySet<string> = new Set(
  'tls-creds-psk tls-creds-x509 tls-creds-anon secret secret_keyring iothread throttle-group authz-list'.split(' '),
);

/** Properties of a `-drive` that are the host's: images are compared by their content. */
const HOST_OF_DRIVE =
  /^(?:file|aio|discard|detect-zeroes|node-name|file\.node-name|throttling\.[^=]*|[^=]*key-secret|(?:backing\.)+.*|format)(?:=|$)/;

/** Properties of a `-netdev` that a guest can notice. */
const SEEN_OF_NETDEV = /^(?:id|queues|vhost|vhostforce)=/;

/** Properties of a `-device` that name something of the host. */
const HOST_OF_DEVICE = /^(?:iothread|host|bootindex)(?:=|$)/;

/** The options of a command line as the guest sees them, such as `-m 2G`. What it does not see is left out. Pure. */
export function guestOptions(args: readonly string[]): string[] {
  return splitOptions(args).flatMap(([flag, value]) => seenOf(flag, value) ?? []);
}

/** Each option with its value, which may be empty. No value of ours begins with `-`. */
function splitOptions(args: readonly string[]): [flag: string, value: string][] {
  const options: [string, string][] = [];
  for (const word of args) {
    const last = options.at(-1);
    if (word.startsWith('-') || last === undefined) options.push([word, '']);
    else options[options.length - 1] = [last[0], last[1] === '' ? word : `${last[1]} ${word}`];
  }
  return options;
}

function seenOf(flag: string, value: string): string | undefined {
  if (UNSEEN.has(flag)) return undefined;
  const seen = seenValue(flag, value);
  return seen === undefined ? undefined : `${flag} ${seen}`.trim();
}

function seenValue(flag: string, value: string): string | undefined {
  const [type = '', ...properties] = splitCommas(value);
  switch (flag) {
    case '-object':
      return UNSEEN_OBJECTS.has(type) ? undefined : value;
    case '-drive':
      return [type, ...properties].filter((each) => !HOST_OF_DRIVE.test(each)).join(',');
    case '-netdev':
      return [type, ...properties.filter((each) => SEEN_OF_NETDEV.test(each))].join(',');
    case '-device':
      return [type, ...properties.filter((each) => !HOST_OF_DEVICE.test(each))].join(',');
    case '-boot':
    case '-kernel':
    case '-initrd':
    case '-append':
      // They only matter at the next reset, and the state has what the firmware was given.
      return '';
    default:
      return value;
  }
}

/** A comma in a value is doubled. */
function splitCommas(value: string): string[] {
  return value.split(/(?<!,),(?!,)/);
}
