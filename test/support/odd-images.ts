import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';

/** Runs qemu-img, which has to succeed. */
export function qemuImg(...args: readonly string[]): void {
  execFileSync('qemu-img', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Writes at the beginning of a file, as a guest does to its raw disk. */
export function overwrite(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(fd);
  }
}

const QCOW2_BACKING_FORMAT = Buffer.from('e2792aca', 'hex');

/** A qcow2 image of 1 MiB with any backing file and format in its header, both as they are; without a format when it is undefined. */
export function makeOverlay(path: string, backing: string, format: string | undefined): void {
  qemuImg(
    'create',
    '-q',
    '-f',
    'qcow2',
    '-u',
    '-b',
    `/${'x'.repeat(Buffer.byteLength(backing) - 1)}`,
    '-F',
    'raw',
    path,
    '1M',
  );
  const image = readFileSync(path);
  const extension = image.indexOf(QCOW2_BACKING_FORMAT);
  // A type that is not known is passed over.
  if (format === undefined) image.writeUInt32BE(0x11111111, extension);
  else {
    image.writeUInt32BE(format.length, extension + 4);
    image.fill(0, extension + 8, extension + 16);
    image.write(format, extension + 8);
  }
  image.write(backing, Number(image.readBigUInt64BE(8)));
  writeFileSync(path, image);
}

/** The first bytes of such an image. */
export function overlayHeader(path: string, backing: string): Buffer {
  makeOverlay(path, backing, 'raw');
  return readFileSync(path).subarray(0, 1024);
}
