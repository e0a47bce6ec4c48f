import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { osPreset } from '../../../src/provision/os-preset.ts';

test('every system has a preset that is good, by its name in any form', () => {
  for (const os of [
    'windows11',
    'Win11',
    'Windows 10',
    'windows',
    'windows2022',
    'debian',
    'Debian 12',
    'ubuntu-24.04',
    'FreeBSD14',
  ]) {
    const { settings } = osPreset(os);
    const text = settings.map(([key, value]) => `${key}="${value}"\n`).join('');
    const { config, issues } = parseMachineConfig(text, { path: '/etc/qemu/web-qemu.cfg' });
    assert.deepEqual(issues, [], os);
    assert.equal(config?.os, os);
    assert.equal(config?.usbInput, true);
  }
});

test('Windows has a disk and a clock that it knows, others have those of qemu-init', () => {
  assert.equal(osPreset('windows').diskOptions, ',if=sata');
  const eleven = new Map(osPreset('windows11').settings);
  assert.deepEqual([eleven.get('FIRMWARE'), eleven.get('TPM')], ['uefi-secure', 'on']);
  assert.equal(new Map(osPreset('windows10').settings).get('TPM'), undefined);
  assert.deepEqual(new Map(osPreset('win10').settings).get('RTC'), 'localtime');
  assert.deepEqual(osPreset('linux'), {
    settings: [
      ['OS', 'linux'],
      ['USB', 'on'],
    ],
    diskOptions: '',
  });
});

test('a system without a preset is an error with those that there are', () => {
  assert.throws(() => osPreset('widows11'), { code: 'QEMU_USAGE', hint: /did you mean "windows11"/ });
  assert.throws(() => osPreset('plan9'), { code: 'QEMU_USAGE', message: 'There is no preset for "plan9"' });
});
