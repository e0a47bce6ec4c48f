import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitIssues, missingCpus } from '../../../src/machine/check/limit-issues.ts';
import { canLimit, scopeAssignments } from '../../../src/machine/limits/apply-limits.ts';
import { limitPrefix, pinPrefix, scopePrefix } from '../../../src/machine/limits/limit-prefix.ts';
import { resourceProperties } from '../../../src/machine/limits/resource-properties.ts';
import { resolvePaths } from '../../../src/system/paths.ts';
import { parseGood } from '../config/support.ts';

const limited = parseGood('LIMIT_CPU=1.5\nLIMIT_MEMORY=3G\nLIMIT_IO=5M\nCPUSET=0-3, 8\nDSK1=/srv/a b/x.img\n');
const free = parseGood('');

test('a scope has all limits but the processors, which taskset keeps', () => {
  const limits = resourceProperties(limited).filter(({ name }) => name !== 'AllowedCPUs');
  assert.deepEqual(scopePrefix('web', limits, true), [
    ...['systemd-run', '--scope', '--user', '--quiet', '--collect', '--no-ask-password'],
    '--description=QEMU machine web',
    '--property=CPUQuota=150%',
    '--property=MemoryMax=3221225472',
    '--property=MemorySwapMax=0',
    '--property=IOReadBandwidthMax=/srv/a b 5242880',
    '--property=IOWriteBandwidthMax=/srv/a b 5242880',
    '--',
  ]);
  assert.deepEqual(pinPrefix(limited), ['taskset', '--cpu-list', '0-3,8']);
  assert.deepEqual([pinPrefix(free), resourceProperties(free)], [[], []]);
});

test('a scope that is limited anew loses limits that there are no longer', () => {
  const none = [
    'CPUQuota=',
    'MemoryMax=infinity',
    'MemorySwapMax=infinity',
    'IOReadBandwidthMax=',
    'IOWriteBandwidthMax=',
  ];
  assert.deepEqual(scopeAssignments(free), none);
  assert.deepEqual(scopeAssignments(parseGood('LIMIT_CPU=50%\nCPUSET=1\n')), [...none, 'CPUQuota=50%']);
});

test('only the unit of a machine and a scope of systemd-run can have its limits', () => {
  for (const unit of ['qemu@web.service', 'run-r0123.scope']) assert.ok(canLimit(unit));
  for (const unit of ['session-1.scope', 'sshd.service', undefined]) assert.ok(!canLimit(unit));
});

test('processors that a host does not have are found', () => {
  assert.deepEqual(missingCpus('0-3,8', '0-1,3'), [2, 8]);
  assert.deepEqual(missingCpus('1', '0-7'), []);
  const issuesOf = (text: string): (readonly [string, string])[] =>
    limitIssues(parseGood(text)).map(({ severity, message }) => [severity, message.replace(/[\d-]+$/, 'N')]);
  assert.deepEqual(issuesOf('CPUSET=8000\n'), [['error', 'CPUSET 8000 names no processor of this host, which has N']]);
  assert.deepEqual(issuesOf('CPUSET=0,8000\n'), [
    ['warning', 'CPUSET 0,8000 also names processors that this host does not have; it has N'],
  ]);
  assert.deepEqual([...issuesOf('CPUSET=0\n'), ...issuesOf('')], []);
});

test('a start without limits needs no systemd, and one with limits is never stopped by them', async () => {
  const notices: string[] = [];
  const paths = resolvePaths({ root: '/nonexistent' }, {}, 0, '/');
  const host = { paths, notify: ({ message }: { message: string }) => void notices.push(message) };
  assert.deepEqual(await limitPrefix(host, free), { scope: [], pin: [] });
  assert.deepEqual(await limitPrefix(host, parseGood('CPUSET=0\n')), {
    scope: [],
    pin: pinPrefix(parseGood('CPUSET=0\n')),
  });
  assert.deepEqual(notices, []);
  const { scope } = await limitPrefix(host, limited);
  if (scope.length === 0) assert.match(notices[0] ?? '', /^LIMIT_CPU, LIMIT_MEMORY, LIMIT_IO are without effect: /);
  else assert.equal(scope[0], 'systemd-run');
});
