import { BOOTINDEX_OPTION } from './boot.ts';
import type { KeySpec, OptionSpec } from './key-spec.ts';
import { DISK_INTERFACES, IMAGE_FORMATS, SWITCH_VALUES } from './values.ts';

const STORAGE = 'Disks and CD-ROMs';

const DISK_OPTIONS = [
  {
    name: 'format',
    type: 'choice',
    default: '',
    values: IMAGE_FORMATS,
    doc: 'image format; default: detected at the first start, after which it must not change',
  },
  { name: 'if', type: 'choice', default: 'virtio', values: DISK_INTERFACES, doc: 'controller that the guest sees' },
  {
    name: 'cache',
    type: 'choice',
    default: '',
    values: ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'],
    doc: "how the host's page cache is used; default: QEMU's own",
  },
  {
    name: 'aio',
    type: 'choice',
    default: '',
    values: ['threads', 'native', 'io_uring'],
    doc: 'how the host reads and writes; native needs cache=none or cache=directsync',
  },
  {
    name: 'discard',
    type: 'choice',
    default: '',
    values: ['ignore', 'unmap'],
    doc: 'unmap: blocks that the guest frees are also freed in the image',
  },
  {
    name: 'detect-zeroes',
    type: 'choice',
    default: '',
    values: ['off', 'on', 'unmap'],
    doc: 'on: zeroes are written without data; unmap: they are freed, which needs discard=unmap',
  },
  { name: 'readonly', type: 'switch', default: 'off', values: SWITCH_VALUES, doc: 'the guest cannot write' },
  {
    name: 'snapshot',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: what the guest writes is discarded when it stops',
  },
  {
    name: 'serial',
    type: 'text',
    default: '',
    doc: 'serial number that the guest sees, at most 20 characters (scsi: 36)',
  },
  {
    name: 'ssd',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: the guest sees a solid-state disk (ide, sata, scsi)',
  },
  {
    name: 'iothread',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: a separate QEMU thread for this disk (virtio)',
  },
  {
    name: 'queues',
    type: 'integer',
    default: '',
    min: 1,
    max: 256,
    doc: 'number of queues (virtio); default: one per processor',
  },
  {
    name: 'rate',
    type: 'text',
    default: '',
    doc: 'most bytes that the guest reads and writes in a second, such as 50M',
  },
  BOOTINDEX_OPTION,
  {
    name: 'key',
    type: 'text',
    default: '',
    doc: 'file with the key of a LUKS or encrypted qcow2 image; every byte counts',
  },
  {
    name: 'backing',
    type: 'text',
    default: '',
    repeated: true,
    doc: 'what the image header may refer to: a file, or a name as written there, such as nbd://10.0.0.1/base',
  },
] as const satisfies readonly OptionSpec[];

const BACKUP_OPTIONS = [
  {
    name: 'keep',
    type: 'integer',
    default: '',
    min: 1,
    max: 99999,
    doc: 'points to keep; older ones are merged into the next; default: all',
  },
  { name: 'rate', type: 'text', default: '', doc: 'most bytes a second, such as 50M; default: no limit' },
  { name: 'compress', type: 'switch', default: 'off', values: SWITCH_VALUES, doc: 'compress what is copied' },
] as const satisfies readonly OptionSpec[];

const CDROM_OPTIONS = [
  {
    name: 'optional',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    bare: true,
    doc: 'on, or just the word: if the file is missing, the drive is empty, with a warning',
  },
  BOOTINDEX_OPTION,
] as const satisfies readonly OptionSpec[];

const FILE_NAME_DETAIL =
  'The file name ends at the first ",option="; other commas belong to it (my,disk.img). If a comma is followed by ' +
  'a word and "=", or only by the name of an option, write it twice: "a,,b=c.img" is the file "a,b=c.img". ' +
  'Relative names are relative to the folder of the cfg file.';

/** Keys of the group 'Disks and CD-ROMs', in the order of the template. */
export const STORAGE_KEYS = [
  {
    name: 'DSK',
    family: true,
    group: STORAGE,
    type: 'disk',
    default: '',
    example: 'disk.qcow2,format=qcow2',
    max: 64,
    options: DISK_OPTIONS,
    inDefaults: false,
    otherNames: ['DISK', 'DRIVE', 'HARDDISK', 'HD', 'HDA', 'DISK_IMG', 'IMAGE'],
    doc: 'disk: the image file or block device, then options; the bare form is just the file name',
    details: [FILE_NAME_DETAIL],
  },
  {
    name: 'CDR',
    family: true,
    group: STORAGE,
    type: 'cdrom',
    default: '',
    values: ['empty'],
    example: 'debian.iso',
    max: 48,
    options: CDROM_OPTIONS,
    inDefaults: false,
    otherNames: ['CDROM', 'CD', 'ISO', 'DVD', 'FIXED_ISO'],
    doc: 'CD-ROM drive: an ISO file, or empty for a drive without a disc',
    details: [FILE_NAME_DETAIL],
  },
  {
    name: 'CLOUDINIT',
    group: STORAGE,
    type: 'path',
    default: '',
    example: 'web.seed',
    inDefaults: false,
    isRare: true,
    otherNames: ['CLOUD_INIT', 'NOCLOUD', 'SEED', 'CIDATA', 'USERDATA'],
    doc: 'folder with user-data, meta-data and network-config for cloud-init, which the guest gets on a small disk',
    details: [
      'Each start makes the disk anew from the files in the folder: a read-only virtio disk with the label CIDATA ' +
        '(data source NoCloud), after all other disks. Without a meta-data file the instance-id is the UUID of the ' +
        'machine and the host name its NAME. cloud-init configures a guest once for each instance-id. The files may ' +
        'have 16 MiB together, and must belong to root or the user who starts the machine.',
    ],
  },
  {
    name: 'BACKUP',
    group: STORAGE,
    type: 'backup',
    default: '',
    example: '/srv/backup,keep=30',
    options: BACKUP_OPTIONS,
    doc: 'folder that the machine is backed up to every night',
    details: [
      'The folder must exist, and no other user may write to it or to the folders above it. With systemd the timer ' +
        'qemu-backup@NAME.timer starts the backups, one machine at a time, and makes up for a night on which the host was ' +
        'off. Without it, let cron(8) run qemu-init backup create NAME.',
    ],
  },
] as const satisfies readonly KeySpec[];
