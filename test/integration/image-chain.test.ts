import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { readChain } from '../../src/system/images/image-chain.ts';
import { runQemuImg } from '../../src/system/images/qemu-img.ts';
import { makeOverlay, qemuImg } from '../support/odd-images.ts';
import { tempDir } from '../support/temp-root.ts';

test('differencing disks of Hyper-V, whose parent QEMU does not read, are refused', (t) => {
  const dir = tempDir(t);
  qemuImg('create', '-q', '-f', 'vhdx', join(dir, 'a.vhdx'), '1M');
  qemuImg('create', '-q', '-f', 'vpc', join(dir, 'a.vhd'), '1M');
  assert.deepEqual(readChain(join(dir, 'a.vhdx')).problems, []);
  const vhdx = readFileSync(join(dir, 'a.vhdx'));
  // Block size and flags of the file parameters: [MS-VHDX] 2.6.2.1.
  const parameters = vhdx.indexOf(Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex'));
  const table = vhdx.indexOf('metadata');
  vhdx.writeUInt32LE(2, table + vhdx.readUInt32LE(parameters + 16) + 4);
  writeFileSync(join(dir, 'a.vhdx'), vhdx);
  const vhd = readFileSync(join(dir, 'a.vhd'));
  vhd.writeUInt32BE(4, 60);
  writeFileSync(join(dir, 'a.vhd'), vhd);
  for (const name of ['a.vhdx', 'a.vhd']) {
    assert.match(readChain(join(dir, name)).problems[0]?.what ?? '', /differencing disk/, name);
  }
});

test('qemu-img has no network and little memory, whatever an image says', async (t) => {
  const dir = tempDir(t);
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  makeOverlay(join(dir, 'nbd.qcow2'), `nbd://127.0.0.1:${port}/x`, 'raw');
  const options = { prefix: [], timeoutMs: 20_000 };
  const network = await runQemuImg(['check', '-f', 'qcow2', join(dir, 'nbd.qcow2')], options);
  assert.notEqual(network.exitCode, 0);
  if (process.getuid?.() === 0) assert.equal(connections, 0, network.stderr);

  qemuImg('create', '-q', '-f', 'qcow2', join(dir, 'huge.qcow2'), '1M');
  // Its refcounts alone would take 500 MB.
  truncateSync(join(dir, 'huge.qcow2'), 15 * 1024 ** 4);
  const huge = await runQemuImg(['check', '-f', 'qcow2', join(dir, 'huge.qcow2')], options);
  assert.match(huge.stderr, /allocate memory|memory/i);
});
