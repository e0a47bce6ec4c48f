import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asArray, asRecord } from '../../src/base/guards.ts';
import { Fleet } from '../../src/index.ts';
import { finishWriting } from '../../src/machine/copy/finish-writing.ts';
import { followJobs, type Visit } from '../../src/machine/copy/follow.ts';
import { copyJob, targetFileNode, targetNodes, transactionOf } from '../../src/machine/copy/transaction.ts';
import { withStorageDaemon } from '../../src/machine/storage-daemon/storage-daemon.ts';
import { readProcess } from '../../src/system/process/process.ts';
import { lab } from '../support/lab.ts';
import { makeLuks } from '../support/luks-image.ts';
import { qemuImg } from '../support/odd-images.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

test("the disks of a stopped machine are opened by their nodes' names as its user, without a network, and let go", async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  chmodSync(host.dir, 0o711);
  chmodSync(host.write('etc/qemu/key', 'secret'), 0o600);
  makeLuks(at('a, b.luks'), 'secret');
  qemuImg('create', '-q', '-f', 'qcow2', at('dätä.qcow2'), '1M');
  if (isRoot) for (const name of ['a, b.luks', 'dätä.qcow2']) chownSync(at(name), NOBODY, NOBODY);
  const user = isRoot ? 'RUNAS=nobody\nSANDBOX=on\n' : '';
  host.add('web', `DSK1="a,, b.luks,format=luks,key=key"\nDSK2=dätä.qcow2\nNETIF=managed\n${user}`);
  const fleet = Fleet.open({ root: host.dir });
  const target = fleet.get('web');
  const used = await withStorageDaemon(fleet.host, target, fleet.config(target), {}, async ({ domain, pid }) => {
    assert.equal(existsSync(host.file('web', 'keys')), false, 'the copy of the key is gone');
    const nodes = asArray(await domain.run('query-named-block-nodes')).map(asRecord);
    assert.deepEqual(nodes.map((node) => [node['node-name'], node['drv']]).sort(), [
      ['dsk1-file', 'file'],
      ['dsk1-fmt', 'luks'],
      ['dsk2-file', 'file'],
      ['dsk2-fmt', 'qcow2'],
    ]);
    const added = { node: 'dsk2-fmt', name: 'test', persistent: true };
    await domain.run('block-dirty-bitmap-add', added);
    return { pid, process: readProcess(pid) };
  });
  assert.equal(used.process?.uid, isRoot ? NOBODY : process.getuid?.());
  assert.equal(readProcess(used.pid), undefined);
  assert.equal(existsSync(host.runDir) && readdirSync(host.runDir).includes('storage-daemon.log'), false);
  // It is let go of only after its bitmap was stored: else the next one would not be allowed to add it again.
  await withStorageDaemon(fleet.host, target, fleet.config(target), { disks: [2] }, async ({ domain }) => {
    const [node] = asArray(await domain.run('query-named-block-nodes'))
      .map(asRecord)
      .filter(isFormat);
    const [bitmap] = asArray(node?.['dirty-bitmaps']).map(asRecord);
    assert.deepEqual([bitmap?.['name'], bitmap?.['inconsistent']], ['test', undefined]);
  });
});

function isFormat(node: Readonly<Record<string, unknown>>): boolean {
  return node['node-name'] === 'dsk2-fmt';
}

test('an image that cannot be opened is named, and nothing stays behind', async (t) => {
  const host = lab(t);
  host.add('web', 'DSK1=none.qcow2\nDSK2=also.qcow2\n');
  qemuImg('create', '-q', '-f', 'qcow2', join(host.etcDir, 'also.qcow2'), '1M');
  const fleet = Fleet.open({ root: host.dir });
  const target = fleet.get('web');
  const attempt = withStorageDaemon(fleet.host, target, fleet.config(target), {}, async () => 0);
  await assert.rejects(attempt, { code: 'QEMU_CONFIG_INVALID', message: /Cannot use the disks of/ });
});

test('a copy whose tables QEMU cannot write any more has failed, though its job has not', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  writeFileSync(at('raw'), Buffer.alloc(1024 * 1024, 1));
  qemuImg('convert', '-O', 'qcow2', at('raw'), at('web.qcow2'));
  // Its first cluster is there already, so its table has room in the file, and is not written before the end.
  writeFileSync(at('raw'), Buffer.concat([Buffer.alloc(65_536, 2), Buffer.alloc(1024 * 1024 - 65_536)]));
  qemuImg('convert', '-O', 'qcow2', at('raw'), at('copy.qcow2'));
  host.add('web', 'DSK1=web.qcow2\n');
  const fleet = Fleet.open({ root: host.dir });
  const target = { id: 'dsk1', source: 'dsk1-fmt', file: 'copy.qcow2', format: 'qcow2', sizeBytes: 1024 * 1024 };
  await withStorageDaemon(fleet.host, fleet.get('web'), fleet.config(fleet.get('web')), {}, async ({ domain }) => {
    const [, format] = targetNodes(target, host.etcDir);
    await domain.run('blockdev-add', {
      driver: 'blkdebug',
      'node-name': targetFileNode(target),
      image: { driver: 'file', filename: at('copy.qcow2') },
      'inject-error': [{ event: 'l2_update', errno: 28 }],
    });
    await domain.run('blockdev-add', format);
    await domain.run('transaction', transactionOf([target], 'test', { compress: false, waitForSpace: false }));
    const jobs = new Map([[copyJob(target, 'test'), 'DSK1']]);
    const visit: Visit = (work) => work(domain);
    const follow = {
      jobs,
      folder: host.etcDir,
      waitForSpace: false,
      onProgress: () => {},
      onFull: () => {},
      machine: undefined,
    };
    await followJobs(visit, follow);
    await assert.rejects(finishWriting(visit, target, follow), {
      code: 'QEMU_COMMAND_FAILED',
      message: /^Copying DSK1 failed: .*No space left on device/,
    });
  });
});
