import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Tool } from '../support/cli.ts';
import { debian13Node } from '../support/debian-13-node.ts';
import { type Lab, lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

const { program: node = '', obstacle } = debian13Node();

describe('the oldest Node.js that the README names', { skip: obstacle ?? false }, () => {
  const run = (...args: readonly string[]): string => execFileSync(node, args, { encoding: 'utf8' });

  test('is the one of Debian 13', () => {
    const { engines } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));
    assert.equal(engines.node, '>=20.19');
    assert.match(run('--version'), /^v20\.19\./);
  });

  test('runs all tools', async (t) => {
    const root = lab(t, { node });
    root.ownPorts();
    root.add('web');
    assert.match(await root.ok('start', 'web'), /^web: started in /);
    assert.equal(await root.state('web'), 'running');
    assert.match(await answerOf(root, 'qemu-cmd', '-q', 'query-status', 'web'), /"running"/);
    assert.match(await answerOf(root, 'qemu-cmd', '-c', 'info status', 'web'), /VM status: running/);
    assert.match((await root.run('qemu-mon', ['web'], { input: 'info status\n' })).stdout, /VM status: running/);
    assert.match(await answerOf(root, 'qemu-netif', '--help'), /bridge/);
    await root.ok('explain', 'web');
    assert.match(await root.ok('stop', 'web'), /stopped by powerdown/);
    assert.deepEqual(root.leftovers(), []);
  });

  test('settles a question at the end of the input', async (t) => {
    const root = lab(t, { node });
    root.add('web');
    const asked = root.spawn('qemu-init', ['start'], { tty: true });
    await asked.waitForOutput('Which machine?');
    asked.write('\x04');
    const { code, stdout } = await asked.result;
    assert.equal(code, 2, stdout);
    assert.match(stdout, /No machine was given/);
  });

  test('imports the library, and requires it', (t) => {
    const root = lab(t);
    root.add('web');
    const entry = join(repoRoot, 'dist/lib/index.js');
    const list = `Fleet.open({ root: ${JSON.stringify(root.dir)} }).list().map(({ longName }) => longName).join()`;
    const esm = `import { Fleet } from ${JSON.stringify(entry)}; console.log(${list})`;
    assert.equal(run('--input-type=module', '--eval', esm), 'web\n');
    const script = `const { Fleet } = require(${JSON.stringify(entry)}); console.log(${list})`;
    assert.equal(run('--no-warnings', '--eval', script), 'web\n');
  });
});

async function answerOf(root: Lab, tool: Tool, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await root.run(tool, args);
  assert.equal(code, 0, stderr);
  return stdout;
}
