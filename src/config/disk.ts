import { resolve } from 'node:path';
import { quote, quoteComma } from '../base/text.ts';
import type { CdromConfig, DiskConfig } from './device-config.ts';
import { DISK_INTERFACES } from './keys/values.ts';
import { keySpec } from './keys.ts';
import { type OptionList, parseOptionList, rateOf, renderOptionList, type ValueContext } from './text/option-list.ts';
import { renderSize } from './text/values.ts';

/** Longest serial numbers: VIRTIO_BLK_ID_BYTES, ATA and NVMe have 20 characters, QEMU's SCSI disks 36. */
const SERIAL_MAX = 20;
const SCSI_SERIAL_MAX = 36;

/** A name with a colon before its first slash is not one of a file to QEMU: path_has_protocol() of its block.c. */
const IS_FILE = /^[^:/]+(?:\/|$)|^\//;

/** Reads a `DSKx`; undefined when it has no file name. Problems are reported. */
export function parseDisk(text: string, index: number, context: ValueContext): DiskConfig | undefined {
  const list = parseOptionList(text, keySpec('DSK').options ?? [], 'file', context);
  const file = readFileName(list.head, context);
  if (file === undefined) return undefined;
  const disk: DiskConfig = {
    index,
    file,
    format: list.get('format'),
    interface: DISK_INTERFACES.find((name) => name === list.get('if')) ?? 'virtio',
    cache: list.get('cache'),
    aio: list.get('aio'),
    discard: list.get('discard'),
    readonly: list.get('readonly') === 'on',
    snapshot: list.get('snapshot') === 'on',
    serial: readSerial(list, context),
    detectZeroes: list.get('detect-zeroes'),
    ssd: list.get('ssd') === 'on',
    ioThread: list.get('iothread') === 'on',
    queues: list.integer('queues'),
    ...rateOf(list, context),
    bootIndex: list.integer('bootindex'),
    key: readKey(list, context),
    backing: list.all('backing').map((name) => (IS_FILE.test(name) ? resolve(context.dir, name) : name)),
  };
  if (disk.aio === 'native' && disk.cache !== 'none' && disk.cache !== 'directsync') {
    context.report(`${context.key} aio=native needs cache=none or cache=directsync`);
  }
  if (disk.readonly && (disk.interface === 'ide' || disk.interface === 'sata')) {
    context.report(`${context.key} readonly=on is not possible with if=${disk.interface}`, {
      hint: 'use if=virtio, if=scsi or if=nvme',
    });
  }
  checkInterface(disk, context);
  return disk;
}

/** What only some controllers have. */
function checkInterface(disk: DiskConfig, { key, report }: ValueContext): void {
  const { interface: bus } = disk;
  if (bus !== 'virtio' && disk.ioThread) report(`${key} iothread=on is for if=virtio, not if=${bus}`);
  if (bus !== 'virtio' && disk.queues !== undefined) report(`${key} queues= is for if=virtio, not if=${bus}`);
  if ((bus === 'virtio' || bus === 'nvme') && disk.ssd)
    report(`${key} ssd=on is for if=scsi, sata and ide, not if=${bus}`);
  if (disk.detectZeroes === 'unmap' && disk.discard !== 'unmap') {
    report(`${key} detect-zeroes=unmap needs discard=unmap`);
  }
}

/** Writes a disk as {@link parseDisk} reads it. */
export function renderDisk(disk: DiskConfig): string {
  return renderOptionList(disk.file, [
    ['format', disk.format],
    ['if', disk.interface === 'virtio' ? undefined : disk.interface],
    ['cache', disk.cache],
    ['aio', disk.aio],
    ['discard', disk.discard],
    ['readonly', disk.readonly ? 'on' : undefined],
    ['snapshot', disk.snapshot ? 'on' : undefined],
    ['serial', disk.serial],
    ['detect-zeroes', disk.detectZeroes],
    ['ssd', disk.ssd ? 'on' : undefined],
    ['iothread', disk.ioThread ? 'on' : undefined],
    ['queues', disk.queues?.toString()],
    ['rate', disk.rate === undefined ? undefined : renderSize(disk.rate)],
    ['bootindex', disk.bootIndex?.toString()],
    ['key', disk.key],
    ...disk.backing.map((name) => ['backing', name] as const),
  ]);
}

/** The value of a `DSKx` with another file, whose format it then states; all other options stay as they are written. */
export function replaceDiskFile(value: string, file: string, format: string): string {
  const [, ...segments] = splitRaw(value);
  const first = segments.findIndex((each) => IS_OPTION.test(each) || isOption(each.trim()));
  const options = (first < 0 ? [] : segments.slice(first)).filter((each) => !/^[ \t]*format[ \t]*=/.test(each));
  return [quoteComma(file), `format=${format}`, ...options].join(',');
}

const IS_OPTION = /^[ \t]*[A-Za-z][A-Za-z0-9_-]*[ \t]*=/;

function isOption(word: string): boolean {
  return (keySpec('DSK').options ?? []).some(({ name }) => name === word);
}

/** At single commas; doubled ones stay as they are written. */
function splitRaw(text: string): string[] {
  const segments = [''];
  for (const [piece] of text.matchAll(/,,|,|[^,]+/g)) {
    if (piece === ',') segments.push('');
    else segments[segments.length - 1] += piece;
  }
  return segments;
}

/** Reads a `CDRx`; undefined when it has no file name. Problems are reported. */
export function parseCdrom(text: string, index: number, context: ValueContext): CdromConfig | undefined {
  const list = parseOptionList(text, keySpec('CDR').options ?? [], 'file', context);
  const optional = list.get('optional') === 'on';
  const bootIndex = list.integer('bootindex');
  if (list.head.toLowerCase() === 'empty') return { index, file: undefined, optional, bootIndex };
  const file = readFileName(list.head, context);
  return file === undefined ? undefined : { index, file, optional, bootIndex };
}

/** Writes a drive as {@link parseCdrom} reads it. */
export function renderCdrom(cdrom: CdromConfig): string {
  return renderOptionList(cdrom.file ?? 'empty', [
    ['optional', cdrom.optional ? 'on' : undefined],
    ['bootindex', cdrom.bootIndex?.toString()],
  ]);
}

function readFileName(name: string, { key, dir, report }: ValueContext): string | undefined {
  if (name === '') {
    report(`${key} has no file name`);
    return undefined;
  }
  if (name.startsWith('file=')) {
    report(`${key} ${quote(name)} starts with "file="`, {
      hint: 'write only the file name first; if the file is really called that, write "./file=…"',
    });
    return undefined;
  }
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(name)) {
    report(`${key} ${quote(name)} is not a file`, { hint: 'an image on the network needs QEMU options in [custom]' });
    return undefined;
  }
  return resolve(dir, name);
}

function readKey(list: OptionList, { key, dir, report }: ValueContext): string | undefined {
  const file = list.get('key');
  if (file === undefined) return undefined;
  const format = list.get('format');
  if (format !== undefined && format !== 'luks' && format !== 'qcow2') {
    report(`${key} key= is for format=luks and format=qcow2, not for "${format}"`);
  }
  return resolve(dir, file);
}

function readSerial(list: OptionList, { key, report }: ValueContext): string | undefined {
  const serial = list.get('serial');
  const most = list.get('if') === 'scsi' ? SCSI_SERIAL_MAX : SERIAL_MAX;
  if (serial === undefined || (/^[\x20-\x7e]+$/.test(serial) && serial.length <= most)) return serial;
  report(`${key} serial must be 1 to ${most} printable ASCII characters, not ${quote(serial)}`);
  return undefined;
}
