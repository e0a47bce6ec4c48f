import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cleanup, tempDir } from './temp-root.ts';

/** clone(2) of a thread, which waits in pause(2) for ever, and exit(2) of the first one, for x86-64 Linux. */
const CODE = Buffer.from(
  [
    'b838000000', // mov eax, SYS_clone
    'bf000f0500', // mov edi, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
    '488db42400f0ffff', // lea rsi, [rsp - 4096]
    '31d2', // xor edx, edx
    '4531d2', // xor r10d, r10d
    '4531c0', // xor r8d, r8d
    '0f05', // syscall
    '85c0', // test eax, eax
    '7509', // jnz to the exit
    'b822000000', // mov eax, SYS_pause
    '0f05', // syscall
    'ebf7', // jmp to the pause
    'b83c000000', // mov eax, SYS_exit, which ends one thread
    '31ff', // xor edi, edi
    '0f05', // syscall
  ].join(''),
  'hex',
);

const ADDRESS = 0x40_0000;
const HEADERS_BYTES = 64 + 56;

/** Makes a program whose first thread exits while another one lives. Undefined on other processors than x86-64. */
export function threadLeaver(t: Cleanup, name: string): string | undefined {
  if (process.arch !== 'x64') return undefined;
  const path = join(tempDir(t), name);
  const headers = Buffer.alloc(HEADERS_BYTES);
  // elf(5): 64 bits, little-endian, executable, x86-64, one program header.
  Buffer.from('7f454c46020101', 'hex').copy(headers);
  headers.writeUInt16LE(2, 16);
  headers.writeUInt16LE(62, 18);
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(BigInt(ADDRESS + HEADERS_BYTES), 24);
  headers.writeBigUInt64LE(64n, 32);
  headers.writeUInt16LE(64, 52);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(1, 56);
  // PT_LOAD of the whole file, readable and executable.
  headers.writeUInt32LE(1, 64);
  headers.writeUInt32LE(5, 68);
  headers.writeBigUInt64LE(BigInt(ADDRESS), 80);
  headers.writeBigUInt64LE(BigInt(ADDRESS), 88);
  headers.writeBigUInt64LE(BigInt(HEADERS_BYTES + CODE.length), 96);
  headers.writeBigUInt64LE(BigInt(HEADERS_BYTES + CODE.length), 104);
  headers.writeBigUInt64LE(0x1000n, 112);
  writeFileSync(path, Buffer.concat([headers, CODE]));
  chmodSync(path, 0o755);
  return path;
}
