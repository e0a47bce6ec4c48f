import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackupDisk, type BackupManifest, renderManifest } from '../../src/machine/backup/manifest.ts';

/** What a disk gets at a point: so many MiB of a byte from a place on. */
export interface PointWrite {
  readonly disk?: number;
  readonly byte: number;
  readonly atMiB: number;
  readonly sizeMiB: number;
}

/** A chain of points as `backup create` makes them. */
export interface ChainOptions {
  readonly name?: string;
  readonly disks?: number;
  readonly diskMiB?: number;
  readonly cfg?: string;
  /** Of the original disk, in the order of the disks. */
  readonly sources?: readonly { readonly path: string; readonly format: string }[];
  readonly firmware?: string;
  readonly tpm?: string;
}

/** Makes a chain of points below `dest`, the first one full, each with its writes. Gives the names of the points. */
export function makeChain(
  dest: string,
  writes: readonly (readonly PointWrite[])[],
  { name = 'web', disks = 1, diskMiB = 16, cfg = 'RAM=32M\n', sources = [], firmware, tpm }: ChainOptions = {},
): string[] {
  const points = writes.map((_, index) => `2026110${index + 1}-030000`);
  for (const [index, point] of points.entries()) {
    const parent = points[index - 1];
    const folder = join(dest, name, point);
    mkdirSync(folder, { recursive: true });
    const rows = Array.from({ length: disks }, (_, position): BackupDisk => {
      const file = `dsk${position + 1}.qcow2`;
      const backing = parent === undefined ? undefined : `../${parent}/${file}`;
      const base = backing === undefined ? [] : ['-b', backing, '-F', 'qcow2'];
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...base, file, `${diskMiB}M`], { cwd: folder });
      const mine = (writes[index] ?? []).filter(({ disk = 1 }) => disk === position + 1);
      const calls = mine.flatMap(({ byte, atMiB, sizeMiB }) => ['-c', `write -P ${byte} ${atMiB}M ${sizeMiB}M`]);
      if (calls.length > 0) execFileSync('qemu-io', [...calls, file], { cwd: folder });
      return {
        key: `DSK${position + 1}`,
        file,
        format: 'qcow2',
        virtualSizeBytes: diskMiB * 1024 * 1024,
        ...hashed(join(folder, file)),
        sourcePath: sources[position]?.path ?? `/nowhere/${name}-${position + 1}.qcow2`,
        sourceFormat: sources[position]?.format ?? 'qcow2',
        ...(backing === undefined ? {} : { backing }),
      };
    });
    const files = [
      fileIn(folder, `${name}-qemu.cfg`, 'cfg', cfg),
      ...(firmware === undefined ? [] : [fileIn(folder, 'vars.fd', 'firmware', firmware)]),
      ...(tpm === undefined ? [] : [fileIn(folder, 'tpm/tpm2-00.permall', 'tpm', tpm)]),
    ];
    const manifest: BackupManifest = {
      version: 1,
      name,
      shortName: name,
      createdAt: `2026-11-0${index + 1}T03:00:00.000Z`,
      ...(parent === undefined ? { kind: 'full' as const } : { kind: 'incremental' as const, parent }),
      chain: 'c0ffee',
      quiesced: false,
      qemuVersion: '7.2.0',
      compressed: false,
      disks: rows,
      files,
    };
    writeFileSync(join(folder, 'manifest.json'), renderManifest(manifest), { mode: 0o600 });
  }
  return points;
}

/** The content of a disk at a point as its header leads to it, hashed. */
export function contentOf(dest: string, point: string, { name = 'web', disk = 1 } = {}): string {
  const file = join(dest, name, point, `dsk${disk}.qcow2`);
  const raw = join(dest, `.${name}-${point}-${disk}.raw`);
  execFileSync('qemu-img', ['convert', '-O', 'raw', file, raw]);
  const { sha256 } = hashed(raw);
  execFileSync('rm', [raw]);
  return sha256;
}

function fileIn(folder: string, name: string, role: 'cfg' | 'firmware' | 'tpm', text: string) {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return { name, role, ...hashed(join(folder, name)) };
}

function hashed(file: string): { sizeBytes: number; sha256: string } {
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  return { sizeBytes: statSync(file).size, sha256 };
}
