import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { moveLab } from '../support/move-lab.ts';
import { findSshd, sshHosts } from '../support/ssh-host.ts';
import { enterOwnNamespace } from './own-namespace.ts';

findSshd();
await enterOwnNamespace();

const { hosts } = sshHosts(test, 2);
for (const host of hosts) await host.serve();

test('check --cluster compares a machine with another node over ssh, and says what cannot be compared', async (t) => {
  const { places } = moveLab(t, undefined, (dir, at) => `ssh://root@${hosts[at]?.address}${dir}`);
  const [one, two] = places;
  const cfg = join(one.lab.dir, 'etc/qemu/web-qemu.cfg');
  const problems = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await one.lab.init('check', 'web', '--cluster', '--json', ...args);
    assert.ok(JSON.parse(stdout)[0].problems, stdout);
    return JSON.parse(stdout)[0].problems.map(({ message }: { message: string }) => message);
  };
  const about = (node: string, messages: readonly string[]): string[] =>
    messages.filter((message) => message.startsWith(`${node}: `));
  const node = hosts[1]?.address ?? '';
  assert.deepEqual(about(node, await problems('--node', two.name)), [`${node}: the machine is not registered there`]);

  writeFileSync(join(two.lab.dir, 'etc/qemu/web-qemu.cfg'), readFileSync(cfg, 'utf8'));
  await two.lab.ok('register', 'web');
  assert.deepEqual(about(node, await problems('--node', two.name)), []);

  writeFileSync(cfg, `${readFileSync(cfg, 'utf8')}DESC=other\n`);
  const found = await one.lab.init('check', 'web', '--cluster', '--node', two.name);
  assert.equal(found.code, 6);
  assert.match(found.stderr, new RegExp(`${node}: the file of the machine is another one there`));
  assert.deepEqual(about(node, await problems('--local')), []);

  const gone = await problems('--node', 'ssh://root@10.99.0.77');
  assert.match(about('10.99.0.77', gone).join(), /it cannot be compared: /);
  // Nothing of a place is taken for an option of ssh.
  assert.equal((await one.lab.init('check', 'web', '--cluster', '--node', 'ssh://-oProxyCommand=x')).code, 2);
});
