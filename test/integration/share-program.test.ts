import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';
import { enterOwnMounts, mountSmall } from '../support/own-mounts.ts';

await enterOwnMounts();

const FOLDER = '/usr/share/qemu';
const STRANGER = 64_321;
const isRoot = process.getuid?.() === 0;
const skip = isRoot && existsSync(FOLDER) ? false : 'only root can be made to use the files of another user';

test('no virtiofsd is run that another user may change, nor one that a descriptor of another user names', {
  skip,
}, async (t) => {
  const host = lab(t);
  chmodSync(host.dir, 0o755);
  const trace = join(host.dir, 'was-run');
  const program = host.write('virtiofsd', `#!/bin/sh\ntouch ${trace}\n`);
  chmodSync(program, 0o755);
  mkdirSync(join(host.dir, 'data'));
  host.add('web', `SHARE1=${join(host.dir, 'data')},tag=a,driver=virtiofs,readonly=on\n`);
  mountSmall(FOLDER, 64);
  mkdirSync(join(FOLDER, 'vhost-user'));
  const descriptor = join(FOLDER, 'vhost-user/10.json');
  writeFileSync(descriptor, JSON.stringify({ type: 'fs', binary: program }));
  for (const theirs of [program, descriptor]) {
    chownSync(theirs, STRANGER, STRANGER);
    for (const action of ['check', 'start']) {
      const { code, stderr } = await host.init(action, 'web');
      assert.equal(code, 4, stderr);
      assert.ok(stderr.includes(`Cannot trust "${theirs}": it belongs to user "${STRANGER}"`), stderr);
    }
    chownSync(theirs, 0, 0);
  }
  assert.ok(!existsSync(trace));
  await host.init('check', 'web');
  assert.ok(existsSync(trace), 'one of root is asked what it can do');
});
