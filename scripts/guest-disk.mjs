/**
 * The tiny guest: a boot sector of some 300 bytes that a machine of any size boots in a tenth of a second, without an
 * operating system. It greets on the first serial port, switches the machine off when the power button is pressed,
 * and sleeps in between without waking once, so that a hundred of them cost a small host nothing.
 *
 * Works with SeaBIOS on the machine types `pc` and `q35`, from any disk that the BIOS can boot.
 */
import { truncateSync, writeFileSync } from 'node:fs';
import {
  address,
  assemble,
  call,
  handler,
  jump,
  label,
  ORIGIN,
  out8,
  out16,
  outByte,
  relative,
  word,
} from './x86-assembler.mjs';

/** What the guest prints, followed by CR LF, unless told otherwise. */
export const DEFAULT_BANNER = 'qemu-init tiny guest ready';

export const DISK_BYTES = 1024 * 1024;

/** Bytes of one line that `spamBytes` makes the guest print: a number of eight hexadecimal digits, dots, CR LF. */
export const SPAM_LINE_BYTES = 64;

const SECTOR_BYTES = 512;
const BANNER_MAX_BYTES = 60;

/** Serial port COM1, registers of the 16550. */
const COM1 = { data: 0x3f8, interruptEnable: 0x3f9, lineControl: 0x3fb, lineStatus: 0x3fd };

/** ACPI fixed hardware, ACPI 6.5 section 4.8.3. SeaBIOS puts the block at 0x600 on both machine types. */
const PM1 = { status: 0x600, enable: 0x602, control: 0x604 };

/** The interrupt vectors that SeaBIOS gives to IRQ 4 (COM1) and IRQ 9 (ACPI). */
const VECTOR = { serial: 0x0c, acpi: 0x71 };

/**
 * @typedef {object} GuestOptions
 * @property {string} [banner] text of the greeting, at most 60 bytes
 * @property {boolean} [deaf] ignores the power button
 * @property {number} [presses] goes down at this press of the power button only, 1 to 255
 * @property {boolean} [echo] sends serial input back in capitals
 * @property {boolean} [writes] greets only once it has written a sector of its disk
 * @property {boolean} [sleeps] suspends itself (S3) once the greeting is out; woken up, it boots again and stays awake
 * @property {boolean} [poweroffAfterBanner] goes down by itself once all is printed
 * @property {number} [spamBytes] prints about so many bytes after the greeting; Infinity never ends
 */

/**
 * Writes the guest as a raw disk image of 1 MiB.
 *
 * @param {string} path
 * @param {GuestOptions} [options]
 */
export function writeGuestDisk(path, options = {}) {
  writeFileSync(path, bootSector(options));
  truncateSync(path, DISK_BYTES);
}

/**
 * The boot sector as 512 bytes.
 *
 * @param {GuestOptions} [options]
 * @returns {Uint8Array}
 */
export function bootSector(options = {}) {
  const banner = Buffer.from(options.banner ?? DEFAULT_BANNER);
  if (banner.length > BANNER_MAX_BYTES || banner.includes(0)) {
    throw new RangeError(`The banner must have at most ${BANNER_MAX_BYTES} bytes and no NUL`);
  }
  const code = assemble([
    options.writes ? WRITE : [],
    setUp(options),
    print(banner),
    spam(options.spamBytes ?? 0),
    options.sleeps ? SLEEP : [],
    options.poweroffAfterBanner ? jump('off') : [],
    idle(options),
    powerButton(options.deaf ? 0 : (options.presses ?? 1)),
    OFF,
    SERIAL,
    interruptHandlers,
    data(banner),
  ]);
  const sector = new Uint8Array(SECTOR_BYTES);
  if (code.length > SECTOR_BYTES - 2) throw new RangeError('The boot sector is full');
  sector.set(code);
  sector.set([0x55, 0xaa], SECTOR_BYTES - 2);
  return sector;
}

/** @param {GuestOptions} options */
function setUp({ echo, deaf }) {
  return [
    0xfa, //                    cli
    [0x31, 0xc0], //            xor ax, ax
    [0x8e, 0xd8], //            mov ds, ax
    [0x8e, 0xd0], //            mov ss, ax
    [0xbc, word(ORIGIN)], //    mov sp, 0x7c00
    0xfc, //                    cld
    handler(VECTOR.acpi, 'onAcpi'),
    handler(VECTOR.serial, 'onSerial'),
    // Only these interrupts may end the sleep: IRQ 2 is the second controller, which has IRQ 9.
    outByte(0x21, echo ? 0xeb : 0xfb),
    outByte(0xa1, 0xfd),
    // The BIOS clock: to one shot, or QEMU would set a host timer 36 times a second for an interrupt nobody takes.
    outByte(0x43, 0x30),
    outByte(0x40, 0),
    outByte(0x40, 0),
    out8(COM1.lineControl, 0x03), // 8 bits, no parity, one stop bit
    out8(COM1.interruptEnable, echo ? 0x01 : 0x00),
    // QEMU notes the press of a power button only when the guest has asked for it.
    out16(PM1.enable, deaf ? 0 : 0x0100),
  ];
}

/** Before the interrupts are the guest's own. */
const WRITE = [
  [0x31, 0xc0], //              xor ax, ax
  [0x8e, 0xc0], //              mov es, ax
  [0xb8, word(0x0301)], //      mov ax, 0x0301: write one sector
  [0xbb, word(ORIGIN)], //      mov bx, 0x7c00
  [0xb9, word(0x0010)], //      mov cx, 0x0010: sector 16 of the first track
  [0xba, word(0x0080)], //      mov dx, 0x0080: of head 0 of the first disk
  [0xcd, 0x13], //              int 0x13
];

/** @param {Uint8Array} banner */
function print(banner) {
  return banner.length === 0 ? [] : [0xbe, address('banner'), call('puts')]; // mov si, banner
}

/** @param {number} bytes */
function spam(bytes) {
  if (bytes <= 0) return [];
  const lines = bytes === Infinity ? 0xffffffff : Math.ceil(bytes / SPAM_LINE_BYTES);
  return [
    [0x66, 0x31, 0xdb], //                      xor ebx, ebx
    label('line'),
    [0xb9, word(8)], //                         mov cx, 8
    label('digit'),
    [0x66, 0xc1, 0xc3, 0x04], //                rol ebx, 4
    [0x88, 0xd8], //                            mov al, bl
    [0x24, 0x0f], //                            and al, 15
    [0x3c, 0x0a, 0x1c, 0x69, 0x2f], //          cmp al, 10; sbb al, 0x69; das: the digit as a character
    call('putc'),
    [0xe2, relative('digit')], //               loop digit
    [0xb9, word(SPAM_LINE_BYTES - 10)], //      mov cx, 54
    label('dot'),
    [0xb0, 0x2e], //                            mov al, '.'
    call('putc'),
    [0xe2, relative('dot')], //                 loop dot
    [0xbe, address('newline')], //              mov si, newline
    call('puts'),
    call('button'),
    [0x66, 0x43], //                            inc ebx
    [0x66, 0x81, 0xfb, word(lines), word(Math.floor(lines / 0x10000))], // cmp ebx, lines
    [0x72, relative('line')], //                jb line
  ];
}

/** @param {GuestOptions} options */
function idle({ echo }) {
  return [
    label('idle'),
    0xfa, //                          cli
    [0xbc, word(ORIGIN)], //          mov sp, 0x7c00: the handlers come here without returning
    call('button'),
    echo ? ECHO : [],
    // No interrupt can slip in between these two (Intel SDM, STI), so none is slept through.
    [0xfb, 0xf4], //                  sti; hlt
    jump('idle'),
  ];
}

const ECHO = [
  label('echo'),
  [0xba, word(COM1.lineStatus)], //   mov dx, lineStatus
  0xec, //                            in al, dx
  [0xa8, 0x01], //                    test al, 1: is there a byte?
  [0x74, relative('quiet')], //       jz quiet
  [0xb2, COM1.data & 0xff], //        mov dl, data
  0xec, //                            in al, dx
  [0x3c, 0x61], //                    cmp al, 'a'
  [0x72, relative('send')], //        jb send
  [0x3c, 0x7a], //                    cmp al, 'z'
  [0x77, relative('send')], //        ja send
  [0x2c, 0x20], //                    sub al, 0x20
  label('send'),
  call('putc'),
  jump('echo'),
  label('quiet'),
];

/** Goes down at the given press; 0 never looks. @param {number} presses */
function powerButton(presses) {
  if (presses === 0) return [label('button'), 0xc3];
  return [
    label('button'),
    [0xba, word(PM1.status)], //      mov dx, status
    0xed, //                          in ax, dx
    [0xf6, 0xc4, 0x01], //            test ah, 1
    [0x74, relative('unpressed')], // jz unpressed
    [0xb8, word(0x0100)], //          mov ax, 0x0100
    0xef, //                          out dx, ax: a 1 clears the bit
    [0xfe, 0x0e, address('count')], // dec byte [count]
    [0x74, relative('off')], //       jz off
    label('unpressed'),
    0xc3, //                          ret
    [label('count'), presses & 0xff],
  ];
}

/** Woken up it is booted again. The memory of the clock, which a cold start has cleared, tells one from the other. */
const SLEEP = [
  outByte(0x70, 0x7e), //            a byte that the BIOS does not use
  [0xe4, 0x71], //                   in al, 0x71
  [0x84, 0xc0], //                   test al, al
  [0x75, relative('awake')], //      jnz awake
  outByte(0x71, 1),
  out16(PM1.control, 0x2400), //     SLP_EN with sleep type 1, which is S3 on QEMU
  label('awake'),
];

const OFF = [
  label('off'),
  out16(PM1.control, 0x2000), // SLP_EN with sleep type 0, which is S5 on QEMU
  0xfa, //                       cli
  0xf4, //                       hlt
  jump('off'),
];

const SERIAL = [
  label('puts'), //                   prints up to a NUL: SI
  0xac, //                            lodsb
  [0x84, 0xc0], //                    test al, al
  [0x74, relative('printed')], //     jz printed
  call('putc'),
  jump('puts'),
  label('printed'),
  0xc3, //                            ret
  label('putc'), //                   prints one byte: AL
  [0x88, 0xc4], //                    mov ah, al
  [0xba, word(COM1.lineStatus)], //   mov dx, lineStatus
  label('busy'),
  0xec, //                            in al, dx
  [0xa8, 0x20], //                    test al, 0x20
  [0x74, relative('busy')], //        jz busy
  [0xb2, COM1.data & 0xff], //        mov dl, data
  [0x88, 0xe0], //                    mov al, ah
  0xee, //                            out dx, al
  0xc3, //                            ret
];

/** They only end the sleep. The ACPI line stays up until the button is seen to, so there is no way back by IRET. */
const interruptHandlers = [
  label('onAcpi'),
  outByte(0xa0, 0x20), // end of interrupt, second controller
  label('onSerial'),
  outByte(0x20, 0x20), // end of interrupt, first controller
  jump('idle'),
];

/** @param {Uint8Array} banner */
function data(banner) {
  return [label('banner'), [...banner], label('newline'), [0x0d, 0x0a, 0x00]];
}
