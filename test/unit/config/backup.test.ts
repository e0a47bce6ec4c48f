import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { renderMachineConfig } from '../../../src/config/render-machine.ts';

function read(value: string) {
  return parseMachineConfig(`BACKUP="${value}"\n`, { path: '/etc/qemu/web-qemu.cfg' });
}

test('BACKUP names a folder, and how backups are made there', () => {
  const { config } = read('/srv/Größe,, backup,keep=30,rate=50M,compress=on');
  assert.deepEqual(config?.backup, { dest: '/srv/Größe, backup', keep: 30, rateBytes: 50 * 1024 ** 2, compress: true });
  assert.ok(config);
  assert.match(renderMachineConfig(config), /^BACKUP="\/srv\/Größe,, backup,keep=30,rate=50M,compress=on"$/m);
  assert.deepEqual(read('store').config?.backup, {
    dest: '/etc/qemu/store',
    keep: undefined,
    rateBytes: undefined,
    compress: false,
  });
  assert.equal(parseMachineConfig('', { path: '/etc/qemu/web-qemu.cfg' }).config?.backup, undefined);
});

test('what is wrong in BACKUP is reported', () => {
  for (const [value, says] of [
    [',keep=3', /does not name a folder/],
    ['/srv,keep=0', /keep/],
    ['/srv,rate=fast', /rate must be a number of bytes a second such as 50M, not "fast"/],
    ['/srv,rate=0', /rate must be/],
    ['/srv,compress=maybe', /compress/],
    ['/srv,often=yes', /often/],
  ] as const) {
    const { config, issues } = read(value);
    assert.equal(config, undefined, value);
    assert.match(issues[0]?.message ?? '', says);
  }
});
