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

const CLUSTER = 65_536;

/**
 * An empty qcow2 image of 1 MiB with any backing file and format in its header, both as they are, which qemu-img would not write;
 * without a format when it is undefined. Everything else is as QEMU's docs/interop/qcow2.txt has it.
 */
export function makeOverlay(path: string, backing: string, format: string | undefined): void {
  const image = Buffer.alloc(4 * CLUSTER);
  const name = Buffer.from(backing);
  const nameOffset = 4096;
  image.write('QFI\u{fb}', 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeBigUInt64BE(BigInt(nameOffset), 8);
  image.writeUInt32BE(name.length, 16);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(1024n * 1024n, 24);
  image.writeUInt32BE(1, 36);
  image.writeBigUInt64BE(BigInt(3 * CLUSTER), 40);
  image.writeBigUInt64BE(BigInt(CLUSTER), 48);
  image.writeUInt32BE(1, 56);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(104, 100);
  if (format !== undefined) {
    image.write('e2792aca', 104, 'hex');
    image.writeUInt32BE(format.length, 108);
    image.write(format, 112);
  }
  name.copy(image, nameOffset);
  // The refcount table names one block, and that counts all four clusters once.
  image.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  for (let cluster = 0; cluster < 4; cluster += 1) image.writeUInt16BE(1, 2 * CLUSTER + 2 * cluster);
  writeFileSync(path, image);
}

/** The first bytes of such an image. */
export function overlayHeader(path: string, backing: string): Buffer {
  makeOverlay(path, backing, 'raw');
  return readFileSync(path).subarray(0, 8192);
}
