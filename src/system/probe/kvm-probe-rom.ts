/** What the guest prints on its first serial port: on entry, and when it has done its work. */
export const ROM_ENTERED = 'K';
export const ROM_DONE = 'D';

const ROM_BYTES = 64 * 1024;

/** 10 ms of a processor's time; a minute where the host has to interpret each instruction. */
const LOOPS = 20_000_000;

/** Accesses to a port, each of which leaves the guest. */
const EXITS = 2_000;

/**
 * A firmware for x86 that enters 32-bit mode, reports so, counts, writes to the port of the POST codes (0x80), reports
 * that it is done, and resets: the whole life of a guest in an eighth of a second, even under TCG. The reset ends a
 * QEMU that runs with `-no-reboot`.
 *
 * It runs in the first megabyte (segment F000), where every board shows the last 64 KiB of its firmware. The descriptor
 * is marked as accessed beforehand, because the processor could not write the mark to a ROM.
 */
export function probeRom(): Buffer {
  const rom = Buffer.alloc(ROM_BYTES);
  Buffer.from(PROGRAM).copy(rom, 0);
  Buffer.from(RESET_VECTOR).copy(rom, ROM_BYTES - 16);
  return rom;
}

/** Where the processor begins: ljmp $0xf000,$0 */
const RESET_VECTOR: readonly number[] = [0xea, 0x00, 0x00, 0x00, 0xf0];

const PROGRAM: readonly number[] = [
  // 16-bit, at 0x00
  ...[0xfa], //                                               cli
  ...[0x2e, 0x66, 0x0f, 0x01, 0x16, 0x4a, 0x00], //           lgdtl %cs:0x4a
  ...[0x0f, 0x20, 0xc0], //                                   mov %cr0,%eax
  ...[0x0c, 0x01], //                                         or $1,%al
  ...[0x0f, 0x22, 0xc0], //                                   mov %eax,%cr0
  ...[0x66, 0xea, 0x18, 0x00, 0x0f, 0x00, 0x08, 0x00], //     ljmpl $8,$0xf0018
  // 32-bit, at 0x18
  ...[0x66, 0xba, 0xf8, 0x03], //                             mov $0x3f8,%dx
  ...[0xb0, ROM_ENTERED.charCodeAt(0)], //                    mov $'K',%al
  ...[0xee], //                                               out %al,(%dx)
  ...[0xb9, ...littleEndian(LOOPS)], //                       mov $LOOPS,%ecx
  ...[0x49, 0x75, 0xfd], //                                1: dec %ecx; jnz 1b
  ...[0xb9, ...littleEndian(EXITS)], //                       mov $EXITS,%ecx
  ...[0xe6, 0x80, 0x49, 0x75, 0xfb], //                    2: out %al,$0x80; dec %ecx; jnz 2b
  ...[0xb0, ROM_DONE.charCodeAt(0), 0xee], //                 mov $'D',%al; out %al,(%dx)
  ...[0xb0, 0xfe, 0xe6, 0x64], //                             mov $0xfe,%al; out %al,$0x64: keyboard controller, reset
  ...[0x2e, 0x0f, 0x01, 0x1d, 0x44, 0x00, 0x0f, 0x00], //     lidt %cs:0xf0044, for a board that has none:
  ...[0xcc], //                                               int3 without a table is a triple fault
  ...[0xf4, 0xeb, 0xfd], //                                3: hlt; jmp 3b
  // Tables: an empty IDT at 0x44, the pointer to the GDT at 0x4a, the GDT with one flat code segment at 0x50
  ...[0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
  ...[0x0f, 0x00, 0x50, 0x00, 0x0f, 0x00],
  ...[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
  ...[0xff, 0xff, 0x00, 0x00, 0x00, 0x9b, 0xcf, 0x00],
];

function littleEndian(value: number): number[] {
  return [value, value >>> 8, value >>> 16, value >>> 24].map((part) => part & 0xff);
}
