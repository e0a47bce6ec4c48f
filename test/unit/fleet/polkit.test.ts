import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { repoRoot } from '../../support/repo.ts';

type Rule = (
  action: { id: string; lookup: (name: string) => string | undefined },
  subject: { isInGroup: (name: string) => boolean },
) => unknown;

const MANAGE_UNITS = 'org.freedesktop.systemd1.manage-units';

/** What the rule says of a member of these groups who does this to a unit. */
function ask(groups: readonly string[], unit: string, verb: string, id = MANAGE_UNITS, jobs = '\n'): unknown {
  let rule: Rule | undefined;
  runInNewContext(readFileSync(join(repoRoot, 'etc/polkit/50-qemu-init.rules'), 'utf8'), {
    polkit: {
      addRule: (added: Rule) => {
        rule = added;
      },
      Result: { YES: 'yes' },
      log: () => undefined,
      spawn: ([program]: readonly string[]) => {
        assert.equal(program, '/bin/systemctl');
        if (jobs === '') throw new Error('it has exit status 1');
        return jobs;
      },
    },
  });
  const details: Readonly<Record<string, string>> = { unit, verb };
  return rule?.({ id, lookup: (name) => details[name] }, { isInGroup: (name) => groups.includes(name) });
}

test('members of qemu-admin may stop machines, and nothing else', () => {
  assert.equal(ask(['qemu-admin'], 'qemu@web.x.service', 'stop'), 'yes');
  assert.equal(ask(['users'], 'qemu@web.service', 'stop'), undefined);
  assert.equal(ask(['qemu-admin'], 'ssh.service', 'stop'), undefined);
  assert.equal(ask(['qemu-admin'], 'evil-qemu@web.service', 'stop'), undefined);
  assert.equal(ask(['qemu-admin'], 'qemu@web.service', 'start'), undefined);
  assert.equal(ask(['qemu-admin'], 'qemu@web.service', 'stop', 'org.freedesktop.login1.power-off'), undefined);
});

test('while there are jobs that a stop could cancel, it takes more than to be a member', () => {
  const stop = (jobs: string): unknown => ask(['qemu-admin'], 'qemu@web.service', 'stop', MANAGE_UNITS, jobs);
  assert.equal(stop(' 99 qemu@db.service  stop running\n100 qemu@web.service stop waiting\n'), 'yes');
  for (const job of [
    'qemu@db.service start running',
    'multi-user.target start waiting',
    'x-qemu@a.service stop running',
  ])
    assert.equal(stop(`99 qemu@db.service stop running\n100 ${job}\n`), undefined, job);
  assert.equal(stop(''), undefined);
});
