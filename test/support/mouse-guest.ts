import { truncateSync, writeFileSync } from 'node:fs';

/**
 * A boot sector that shows what its PS/2 mouse does: 320 x 200 points that are black, then its lower half red once the
 * mouse has moved sideways, and its upper half white once the left button was pressed. It prints `mouse` when it listens.
 */
export function mouseDisk(path: string): string {
  const sector = Buffer.alloc(512);
  Buffer.from([...SET_UP, ...LISTEN, ...print('mouse\n'), ...SLEEP, ...HANDLER]).copy(sector);
  sector.writeUInt16LE(HANDLER_AT, HANDLER_OPERAND);
  sector.writeUInt16LE(0xaa55, 510);
  writeFileSync(path, sector);
  truncateSync(path, 1024 * 1024);
  return path;
}

const ORIGIN = 0x7c00;

/** Segments and stack; `int 10h`, AX=0013h: 320 x 200 points in 256 colours. */
const SET_UP = [0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0, 0x7c, 0xb8, 0x13, 0, 0xcd, 0x10];

/** `int 15h`, AX=C205h, C207h, C200h: packets of three bytes, to ES:BX, from now on. */
const LISTEN = [
  ...[0xb8, 0x05, 0xc2, 0xb7, 0x03, 0xcd, 0x15],
  ...[0x31, 0xc0, 0x8e, 0xc0, 0xbb, 0, 0, 0xb8, 0x07, 0xc2, 0xcd, 0x15],
  ...[0xb8, 0x00, 0xc2, 0xb7, 0x01, 0xcd, 0x15],
];
const HANDLER_OPERAND = SET_UP.length + 12;

/** To the first serial port. */
function print(text: string): number[] {
  return [0xba, 0xf8, 0x03, ...Array.from(Buffer.from(text), (byte) => [0xb0, byte, 0xee]).flat()];
}

/** sti, hlt, jmp. */
const SLEEP = [0xfb, 0xf4, 0xeb, 0xfc];

const HANDLER_AT = ORIGIN + SET_UP.length + LISTEN.length + print('mouse\n').length + SLEEP.length;

/** On the stack are the state of the buttons, the way to the right, that upwards, and the wheel. */
const HANDLER = [
  ...[0x55, 0x89, 0xe5, 0x60, 0x06, 0xfc, 0xb8, 0x00, 0xa0, 0x8e, 0xc0],
  // With the left button: 32,000 points of colour 15 from the first on.
  ...[0xf6, 0x46, 0x0c, 0x01, 0x74, 0x09, 0x31, 0xff, 0xb9, 0x00, 0x7d, 0xb0, 0x0f, 0xf3, 0xaa],
  // With a way to the side: the others in colour 4.
  ...[0x80, 0x7e, 0x0a, 0x00, 0x74, 0x0a, 0xbf, 0x00, 0x7d, 0xb9, 0x00, 0x7d, 0xb0, 0x04, 0xf3, 0xaa],
  ...[0x07, 0x61, 0x5d, 0xcb],
];
