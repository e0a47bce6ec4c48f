import { setProcessors } from '../processors.ts';
import { type Conf, parseProperties } from './conf.ts';
import { cpuOf } from './cpu.ts';
import { smpOf } from './smp.ts';
import { type ProxmoxSource, placeOf } from './source.ts';

/** The version that Windows without a note of its creation has there. */
const UNKNOWN_CREATION = '5.1';

/** What the machine type and the firmware are, before the keys that need them. */
export function readBoard({ draft, values }: ProxmoxSource, { entries }: Conf): void {
  const entry = entries.find(({ key }) => key === 'machine');
  const written = new Map(parseProperties(values.get('machine') ?? '', 'type'));
  const type = written
    .get('type')
    ?.replace(/\+pve\d+/, '')
    .replace(/\.pxe$/, '');
  const creation = /creation-qemu=([\d.]+)/.exec(values.get('meta') ?? '')?.[1];
  // Without a type it is the i440FX; Windows keeps the version that it was installed on.
  const isWindows = (values.get('ostype') ?? '').startsWith('w');
  const version = isWindows ? (creation ?? UNKNOWN_CREATION).split('.').slice(0, 2).join('.') : undefined;
  const board =
    type === undefined || type === 'pc'
      ? version === undefined
        ? 'pc'
        : `pc-i440fx-${version}`
      : type === 'q35' && version !== undefined
        ? `pc-q35-${version}`
        : type;
  draft.settings.set('MACHINE', board);
  if (entry) {
    if (type === written.get('type') && type === board) draft.carry(placeOf(entry), 'MACHINE', board);
    else
      draft.change(
        placeOf(entry),
        'MACHINE',
        board,
        type === board ? 'without the version of Proxmox' : 'the version that the machine was created with',
      );
    for (const [name, value] of written) {
      if (name !== 'type')
        draft.lose({ line: entry.line, source: `machine: ${name}=${value}` }, 'can only be given in [custom]');
    }
  }
  if (values.get('bios') === 'ovmf') {
    const isSecure = /pre-enrolled-keys=1/.test(values.get('efidisk0') ?? '');
    draft.settings.set('FIRMWARE', isSecure ? 'uefi-secure' : 'uefi');
  }
}

/** What Proxmox does when a file says nothing (qm.conf(5)), where it differs from the defaults here. */
export function assumeDefaults({ draft, values }: ProxmoxSource): void {
  const isWindows = (values.get('ostype') ?? '').startsWith('w');
  setProcessors(draft, smpOf(values));
  draft.assume('RAM', '512M');
  draft.assume('BALLOON', 'on');
  draft.assume('CPU', cpuOf('kvm64', values).cpu);
  draft.assume('FIRMWARE', 'bios');
  draft.assume('RTC', isWindows ? 'localtime' : 'utc');
  draft.assume('QGA', 'off');
  draft.assume('RNG', 'off');
  draft.assume('SERIAL', 'off');
  draft.assume('USB', 'on');
  draft.assume('VGA', 'std');
}
