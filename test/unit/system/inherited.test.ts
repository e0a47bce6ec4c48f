import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const MODULES = new URL('../../../src/system/process/', import.meta.url);
const LIST = `
  for (const fd of fs.readdirSync('/proc/self/fd')) {
    try {
      process.stdout.write('own ' + fd + ' ' + fs.readlinkSync('/proc/self/fd/' + fd) + '\\n');
    } catch {}
  }`;

test('a program gets no descriptor that a tool inherited, and the tool has none left', (t) => {
  const { lock, stdout } = inherited(t, 'ownProcess();');
  assert.doesNotMatch(stdout, new RegExp(`${lock}$`, 'm'));
  assert.doesNotMatch(stdout, /^(?:child|own) (?:40|200) /m);
});

test('in a library the descriptors of the process stay open, and its programs have the null device there', (t) => {
  const { lock, stdout } = inherited(t, '');
  assert.match(stdout, new RegExp(`^own 200 ${lock}$`, 'm'));
  assert.match(stdout, /^child 200 \/dev\/null$/m);
  assert.doesNotMatch(stdout, new RegExp(`^child .*${lock}$`, 'm'));
});

/** A process that got two descriptors from its caller, and lists its own and those of a program that it runs. */
function inherited(t: Cleanup, before: string): { readonly lock: string; readonly stdout: string } {
  const lock = join(tempDir(t), 'lock');
  const fd = openSync(lock, 'w');
  const stdio: ('ignore' | 'pipe' | number)[] = Array.from({ length: 201 }, () => 'ignore');
  stdio[1] = 'pipe';
  stdio[40] = stdio[200] = fd;
  const script = `
    import fs from 'node:fs';
    import { run } from '${pathToFileURL(join(MODULES.pathname, 'exec.js'))}';
    import { ownProcess } from '${pathToFileURL(join(MODULES.pathname, 'inherited.js'))}';
    ${before}
    const { stdout } = await run('sh', ['-c', 'for fd in /proc/$$/fd/*; do echo "child \${fd##*/} $(readlink $fd)"; done']);
    process.stdout.write(stdout);
    ${LIST}`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    stdio,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(readlinkSync(`/proc/self/fd/${fd}`), lock);
  closeSync(fd);
  return { lock, stdout };
}
