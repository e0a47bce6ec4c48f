import type { Option } from './argv/option.ts';

/**
 * The same options for a QEMU that makes the machine and nothing else: images are empty devices, netdevs lead nowhere, sockets
 * and files are not opened, and what commands or waits is left out. Pure.
 */
export function harmlessOptions(options: readonly Option[]): Option[] {
  return options.flatMap(({ key, args }) => {
    const harmless = harmlessArgs(args);
    return harmless.length === 0 ? [] : [{ key, args: harmless }];
  });
}

function harmlessArgs(args: readonly string[]): string[] {
  const [first = '', ...rest] = args;
  const name = first.replace(/^--?/, '');
  // A line of [custom] can hold several options.
  const next = rest.findIndex((arg, at) => /^--?[A-Za-z]/.test(arg) && (at > 0 || name !== 'append'));
  const [own, others] = next < 0 ? [rest, []] : [rest.slice(0, next), rest.slice(next)];
  return [...harmlessOption(first, name, own), ...(others.length === 0 ? [] : harmlessArgs(others))];
}

/** Options that open something, take something of the host, command QEMU or keep it from being ready. */
const LEFT_OUT: ReadonlySet<string> = new Set(
  (
    'S D add-fd chroot d daemonize dump-vmstate fda fdb gdb incoming loadvm mon monitor msg mtdblock net nic nographic ' +
    'pflash pidfile plugin preconfig qmp qmp-pretty runas s sd spice tpmdev trace vnc writeconfig'
  ).split(' '),
);

function harmlessOption(option: string, name: string, values: readonly string[]): string[] {
  const [value = ''] = values;
  if (LEFT_OUT.has(name)) return [];
  switch (name) {
    case 'chardev':
      return [option, `null,id=${partOf(value, 'id')}`];
    case 'serial':
    case 'parallel':
      return value.startsWith('chardev:') ? [option, value] : [option, 'null'];
    case 'netdev':
      return [option, `hubport,id=${partOf(value, 'id')},hubid=0`];
    case 'drive':
      return harmlessDrive(option, value);
    case 'blockdev':
      return [option, `null-co,read-zeroes=on,node-name=${partOf(value, 'node-name')}`];
    case 'hda':
    case 'hdb':
    case 'hdc':
    case 'hdd':
      return ['-drive', `if=ide,index=${'abcd'.indexOf(name.at(-1) ?? '')},driver=null-co,size=64M`];
    case 'cdrom':
      return ['-drive', 'if=ide,index=2,media=cdrom,driver=null-co,size=64M'];
    case 'display':
      return /^(?:none|egl-headless)/.test(value) ? [option, value] : [];
    case 'audiodev':
      return [option, `none,id=${partOf(value, 'id')}`];
    case 'object':
      return /^(?:secret|tls-creds|filter-|input-|can-|colo)/.test(value) ? [] : [option, value];
    case 'device':
      return TAKES_FROM_HOST.test(value) ? [] : [option, value];
    default:
      return [option, ...values];
  }
}

/** Devices that are the host's, or that only one machine of it can have. */
const TAKES_FROM_HOST = /vfio|usb-host|passthrough|scsi-(?:generic|block)|vhost|ivshmem|tpm-|ccid-card/;

/** Of a flash only the code is there: its variables may not be made yet. */
function harmlessDrive(option: string, value: string): string[] {
  if (/(?:^|,)if=pflash(?:,|$)/.test(value)) return /readonly=on/.test(value) ? [option, value] : [];
  const kept = ['if', 'id', 'index', 'bus', 'unit', 'media', 'readonly'].flatMap((name) => {
    const found = partOf(value, name);
    return found === '' ? [] : [`${name}=${found}`];
  });
  const isEmpty = !/(?:^|,)(?:file|driver|format)[.=]/.test(value);
  return [option, [...kept, ...(isEmpty ? [] : ['driver=null-co', 'size=64M', 'read-zeroes=on'])].join(',')];
}

function partOf(text: string, name: string): string {
  if (text.startsWith('{')) return new RegExp(`"${name}"\\s*:\\s*"([^"]*)"`).exec(text)?.[1] ?? '';
  return new RegExp(`(?:^|,)${name}=((?:[^,]|,,)*)`).exec(text)?.[1] ?? '';
}
