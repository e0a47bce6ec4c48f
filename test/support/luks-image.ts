import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { qemuImg } from './odd-images.ts';

const SECTOR = 512;
const KEY_BYTES = 32;
const STRIPES = 4000;
const ITERATIONS = 1000;
const SLOTS = 8;
const SLOT_SECTORS = 256;
const FIRST_SLOT_SECTOR = 8;
const PAYLOAD_SECTOR = FIRST_SLOT_SECTOR + SLOTS * SLOT_SECTORS;
const ACTIVE = 0x00ac71f3;
const INACTIVE = 0x0000dead;

/**
 * An empty LUKS image of 1 MiB (LUKS On-Disk Format Specification 1.2.2). qemu-img makes one as well, but takes seconds to find
 * out how slow to make it, and fails on hosts whose clock it does not trust.
 */
export function makeLuks(path: string, passphrase: string): void {
  writeFileSync(path, Buffer.concat([makeEncryptedHeader(passphrase), Buffer.alloc(1024 * 1024)]));
}

/** An empty qcow2 image of 1 MiB that is encrypted the same way. */
export function makeEncryptedQcow2(path: string, passphrase: string): void {
  qemuImg('create', '-q', '-f', 'qcow2', path, '1M');
  const image = readFileSync(path);
  const cluster = 2 ** image.readUInt32BE(20);
  const headerBytes = image.readUInt32BE(100);
  const crypto = makeEncryptedHeader(passphrase);
  const offset = Math.ceil(image.length / cluster) * cluster;
  const extension = Buffer.alloc(24);
  extension.writeUInt32BE(0x0537be77, 0);
  extension.writeUInt32BE(16, 4);
  extension.writeBigUInt64BE(BigInt(offset), 8);
  extension.writeBigUInt64BE(BigInt(crypto.length), 16);
  image.copyWithin(headerBytes + extension.length, headerBytes, cluster - extension.length);
  extension.copy(image, headerBytes);
  image.writeUInt32BE(2, 32);
  writeFileSync(path, Buffer.concat([image, Buffer.alloc(offset - image.length), crypto]));
}

/** The part of a LUKS image before its data. */
export function makeEncryptedHeader(passphrase: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  const digestSalt = randomBytes(32);
  const header = Buffer.alloc(PAYLOAD_SECTOR * SECTOR);
  header.write('LUKS\u{ba}\u{be}', 'latin1');
  header.writeUInt16BE(1, 6);
  header.write('aes', 8);
  header.write('xts-plain64', 40);
  header.write('sha256', 72);
  header.writeUInt32BE(PAYLOAD_SECTOR, 104);
  header.writeUInt32BE(KEY_BYTES, 108);
  pbkdf2Sync(key, digestSalt, ITERATIONS, 20, 'sha256').copy(header, 112);
  digestSalt.copy(header, 132);
  header.writeUInt32BE(ITERATIONS, 164);
  header.write('6ba7b810-9dad-41d1-80b4-00c04fd430c8', 168);
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const at = 208 + slot * 48;
    header.writeUInt32BE(slot === 0 ? ACTIVE : INACTIVE, at);
    header.writeUInt32BE(FIRST_SLOT_SECTOR + slot * SLOT_SECTORS, at + 40);
    header.writeUInt32BE(STRIPES, at + 44);
  }
  const salt = randomBytes(32);
  header.writeUInt32BE(ITERATIONS, 212);
  salt.copy(header, 216);
  encrypt(split(key), pbkdf2Sync(passphrase, salt, ITERATIONS, KEY_BYTES, 'sha256')).copy(
    header,
    FIRST_SLOT_SECTOR * SECTOR,
  );
  return header;
}

/** The anti-forensic splitter: all stripes are needed to have the key again. */
function split(key: Buffer): Buffer {
  const stripes = randomBytes(KEY_BYTES * STRIPES);
  let sum: Buffer = Buffer.alloc(KEY_BYTES);
  for (let stripe = 0; stripe < STRIPES - 1; stripe += 1) {
    const mixed = xor(sum, stripes.subarray(stripe * KEY_BYTES));
    sum = createHash('sha256').update(Buffer.alloc(4)).update(mixed).digest();
  }
  xor(sum, key).copy(stripes, (STRIPES - 1) * KEY_BYTES);
  return stripes;
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)));
}

function encrypt(plain: Buffer, key: Buffer): Buffer {
  const sectors: Buffer[] = [];
  for (let at = 0; at < plain.length; at += SECTOR) {
    const tweak = Buffer.alloc(16);
    tweak.writeUInt32LE(at / SECTOR);
    sectors.push(createCipheriv('aes-128-xts', key, tweak).update(plain.subarray(at, at + SECTOR)));
  }
  return Buffer.concat(sectors);
}
