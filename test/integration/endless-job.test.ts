import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRecord } from '../../src/base/guards.ts';
import { lab, until } from '../support/lab.ts';
import { lyingQemu } from '../support/lying-qemu.ts';
import { qemuImg } from '../support/odd-images.ts';

test('a command whose job a captured QEMU never ends: a second Ctrl-C ends it, and what it left goes with the machine', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/monitor.conf', 'MONITOR=off\n');
  qemuImg('create', '-q', '-f', 'qcow2', join(root.etcDir, 'bad.qcow2'), '4M');
  root.add('bad', 'DSK1=bad.qcow2\n');
  const dest = join(root.dir, 'dest');
  mkdirSync(dest);
  await root.ok('start', 'bad');
  let isAsked = false;
  await lyingQemu(t, root, 'bad', {
    lie: (value, command) => {
      if (command !== 'query-jobs' || !Array.isArray(value)) return value;
      return value.map((each) => {
        if (!isRecord(each) || !String(each['id']).startsWith('qi.mirror')) return each;
        isAsked = true;
        return { ...each, status: 'running', 'current-progress': 1, 'total-progress': 100, error: undefined };
      });
    },
  });
  const call = root.spawn('qemu-init', ['disk', 'mirror', 'bad', 'DSK1', join(dest, 'copy.qcow2')]);
  await until('it waits for the job', () => isAsked);
  assert.match(await root.ok('jobs', 'bad'), /qi\.mirror\.\S+: mirror, running, 1 %/);
  call.child.kill('SIGINT');
  await until('it says that it still ends', () => call.stderr().includes('a second Ctrl-C leaves that'));
  call.child.kill('SIGINT');
  assert.equal((await call.result).signal, 'SIGINT');
  // It goes on, or cannot be cancelled any more, as far as QEMU says.
  const { code, stderr } = await root.init('jobs', 'bad');
  assert.equal(code, 0);
  assert.equal(stderr.match(/interrupted/g)?.length, 1, stderr);
  await root.ok('kill', 'bad');
  await root.ok('list');
  assert.deepEqual(readdirSync(dest), []);
});
