import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CreateAnswers, commandOfAnswers, guessOs } from '../../../src/cli/init/configure/create/answers.ts';
import { osPreset } from '../../../src/provision/os-preset.ts';

const ANSWERS: CreateAnswers = {
  name: 'web',
  source: '',
  os: '',
  disk: '20G',
  ram: '2G',
  cpus: '2',
  network: 'user',
  sshKey: '',
  login: '',
  start: false,
};

test('answers are the options that they stand for', () => {
  const base = 'qemu-init create web';
  const rest = '--disk 20G --ram 2G --cpus 2';
  assert.equal(commandOfAnswers(ANSWERS), `${base} ${rest} --net user`);
  assert.equal(commandOfAnswers({ ...ANSWERS, network: 'br0', start: true }), `${base} ${rest} --bridge br0 --start`);
  assert.equal(
    commandOfAnswers({ ...ANSWERS, source: '/my isos/d.ISO' }),
    `${base} --iso '/my isos/d.ISO' ${rest} --net user`,
  );
  assert.equal(
    commandOfAnswers({ ...ANSWERS, source: 'https://h/d.iso#sha256=00', os: 'debian' }),
    `${base} --iso 'https://h/d.iso#sha256=00' --os debian ${rest} --net user`,
  );
  assert.equal(
    commandOfAnswers({ ...ANSWERS, source: 'd.qcow2', start: true, sshKey: '/k.pub', login: 'me' }),
    `${base} --image d.qcow2 ${rest} --net user --ssh-key /k.pub --login me --start --wait`,
  );
});

test('the name of an image or an installer shows the system in it', () => {
  for (const [source, os] of [
    ['/iso/debian-12.5.0-amd64-netinst.iso', 'debian'],
    ['https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2', 'debian'],
    ['https://h/AlmaLinux-9-GenericCloud.qcow2#sha256=00', 'almalinux'],
    ['Win11_23H2_English_x64v2.iso', 'windows11'],
    ['SERVER_EVAL_Windows_Server_2022.iso', 'windows2022'],
    ['archlinux-2024.01.01-x86_64.iso', 'arch'],
    ['/srv/debian/disk.img', ''],
    ['', ''],
  ] as const) {
    assert.equal(guessOs(source), os, source);
    if (os !== '') osPreset(os);
  }
});
