import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

test("neither QEMU nor a hook gets the caller's environment or open files", async (t) => {
  const host = lab(t);
  const listing = join(host.dir, 'hook');
  host.write('hook.sh', `#!/bin/sh\n{ env; for fd in /proc/$$/fd/*; do readlink "$fd" || true; done; } >${listing}\n`);
  host.add('web', `PRECMD=sh ${join(host.dir, 'hook.sh')}\n`);
  const lock = join(host.dir, 'secret-lock');
  const fd = openSync(lock, 'w');
  const stdio: ('ignore' | 'pipe' | number)[] = Array.from({ length: 201 }, () => 'ignore');
  // Node closes the first sixteen by itself, but none past a gap.
  for (const at of [9, 40, 200]) stdio[at] = fd;
  const { status } = spawnSync(process.execPath, [join(repoRoot, 'bin/qemu-init'), 'start', 'web'], {
    stdio,
    env: { ...process.env, QEMU_INIT_ROOT: host.dir, DB_PASSWORD: 'hunter2', LD_AUDIT: '' },
  });
  closeSync(fd);
  assert.equal(status, 0);
  const pid = (await host.one('status', 'web'))['pid'];
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
  const open = readdirSync(`/proc/${pid}/fd`).map((name) => [name, readlinkSync(`/proc/${pid}/fd/${name}`)]);
  for (const text of [environment, readFileSync(listing, 'utf8'), open.join('\n')]) {
    assert.doesNotMatch(text, /hunter2|LD_AUDIT|secret-lock/);
  }
  assert.match(environment, /(?:^|\0)PATH=/);
  assert.ok(!open.some(([name]) => name === '40' || name === '200'), String(open));
  await host.ok('stop', 'web');
});
