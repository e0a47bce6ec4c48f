import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, parseJson } from './cli.ts';
import { assertDocument } from './documents.ts';
import { type JsonObject, type Lab, lab } from './lab.ts';
import { qemuImg } from './odd-images.ts';
import type { Cleanup } from './temp-root.ts';

/** A machine without a guest, whose disk is written to by the test; all that was written is known. */
export interface BackupLab extends Lab {
  /** Folder of the backups, and that of the machine's points. */
  readonly dest: string;
  readonly points: string;
  /** Writes to the disk of the running machine. */
  poke(pattern: number, offset: number, length: number): Promise<void>;
  /** What the disk has. */
  content(): Buffer;
  /** Makes a backup, which has to succeed. */
  backUp(...words: readonly string[]): Promise<JsonObject>;
  /** The same of one that may fail. */
  tryBackUp(...words: readonly string[]): Promise<CliResult>;
  /** Fails unless the image of a point, read by qemu-img alone, is what the disk has. */
  assertEqual(point: unknown, expected?: Buffer): void;
  /** Fails unless `restore` makes of a point what the disk has, or what an image has. */
  assertRestores(point: unknown, from?: { readonly dest?: string; readonly image?: string }): Promise<void>;
  /** Fails when the folder of the points has something that is none. */
  assertTidy(): void;
}

export const MIB = 1024 * 1024;

/** Size of the disk, which begins full of data. */
const SIZE = 16 * MIB;

/** @param name of the image; as it is in the cfg. */
export function backupLab(t: Cleanup, lines = '', name = 'web.qcow2'): BackupLab {
  const host = lab(t);
  const dest = join(host.dir, 'back, up ü');
  const points = join(dest, 'web');
  mkdirSync(dest);
  const model = Buffer.alloc(SIZE, 0xa5);
  const raw = host.write('model', model);
  qemuImg('convert', '-f', 'raw', '-O', 'qcow2', raw, join(host.etcDir, name));
  host.add('web', `DSK1="${name.replaceAll(',', ',,')}"\n${lines}`);
  const tryBackUp = (...words: readonly string[]): Promise<CliResult> =>
    host.init('backup', 'create', 'web', dest, ...words);
  return {
    ...host,
    dest,
    points,
    async poke(pattern, offset, length) {
      const result = await host.cmd('-c', `qemu-io dsk1 "write -P ${pattern} ${offset} ${length}"`, 'web');
      // What it has written QEMU prints into its log.
      assert.deepEqual([result.code, result.stdout], [0, ''], result.stderr);
      model.fill(pattern, offset, offset + length);
    },
    content: () => Buffer.from(model),
    tryBackUp,
    async backUp(...words) {
      const result = await tryBackUp(...words, '--json');
      assert.equal(result.code, 0, result.stderr);
      const document = parseJson(result);
      assertDocument(document, 'backup-create');
      assert.ok(Array.isArray(document) && document.length === 1);
      return document[0];
    },
    assertEqual(point, expected = model) {
      const image = join(points, String(point), 'dsk1.qcow2');
      const copy = join(host.dir, 'copy');
      execFileSync('qemu-img', ['check', '-q', image]);
      execFileSync('qemu-img', ['convert', '-O', 'raw', image, copy]);
      const found = readFileSync(copy);
      rmSync(copy);
      const at = found.findIndex((byte, index) => byte !== expected[index]);
      assert.ok(found.equals(expected), `point ${String(point)} differs at ${at} of ${found.length}`);
    },
    async assertRestores(point, { dest: from = dest, image } = {}) {
      const out = join(host.dir, 'restored');
      await host.ok('restore', from, `web@${String(point)}`, '--output', out, '--disk', 'DSK1');
      const [file = '', ...more] = readdirSync(out);
      assert.deepEqual(more, []);
      if (image === undefined)
        qemuImg('convert', '-f', 'raw', '-O', 'qcow2', host.write('model', model), join(out, 'model'));
      execFileSync('qemu-img', ['compare', '-q', join(out, file), image ?? join(out, 'model')]);
      rmSync(out, { recursive: true });
    },
    assertTidy() {
      const names = existsSync(points) ? readdirSync(points) : [];
      assert.deepEqual(
        names.filter((each) => !/^\d{8}-\d{6}$/.test(each)),
        [],
      );
      for (const each of names) assert.ok(readdirSync(join(points, each)).includes('manifest.json'), each);
    },
  };
}
