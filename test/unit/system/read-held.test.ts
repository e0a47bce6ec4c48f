import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readHeld } from '../../../src/system/files/read-held.ts';
import { openNamed } from '../../../src/system/trust/open-named.ts';
import { tempDir } from '../../support/temp-root.ts';

async function textOf(path: string, timeoutMs: number, signal?: AbortSignal): Promise<string> {
  const held = openNamed(path, () => {});
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of readHeld(path, held, { pieceBytes: 4, timeoutMs, signal })) pieces.push(piece);
  } finally {
    closeSync(held.descriptor);
  }
  return Buffer.concat(pieces).toString();
}

test('a file and a pipe are read to their end, whether its writer waits, pauses or comes late', async (t) => {
  const dir = tempDir(t);
  const [file, pipe] = [join(dir, 'file'), join(dir, 'pipe')];
  writeFileSync(file, 'one two three');
  assert.equal(await textOf(file, 0), 'one two three');
  execFileSync('mkfifo', [pipe]);
  const write = (script: string): void => {
    const writer = spawn('sh', ['-c', script, 'sh', pipe], { stdio: 'ignore' });
    t.after(() => writer.kill());
  };
  for (const script of ['echo hello >"$1"', '{ echo hel; sleep 0.2; echo lo; } >"$1"']) {
    write(script);
    assert.equal((await textOf(pipe, 60_000)).replaceAll('\n', ''), 'hello', script);
  }
  await assert.rejects(textOf(pipe, 0), { code: 'QEMU_TIMEOUT', message: /Nobody has written to ".*pipe"/ });
  await assert.rejects(textOf(pipe, 60_000, AbortSignal.abort()), { code: 'QEMU_ABORTED' });
  mkdirSync(join(dir, 'folder'));
  await assert.rejects(textOf(join(dir, 'folder'), 0), { code: 'QEMU_IO', message: /^Cannot read ".*folder"/ });
});
