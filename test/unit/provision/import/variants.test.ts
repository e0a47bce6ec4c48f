import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFINITIONS } from '../../../support/definitions/all.ts';
import { STORAGES } from '../../../support/definitions/proxmox.ts';
import { importText, linesOf, ofOutcome } from '../../../support/import-files.ts';

const THERE = {
  '/there/vars.fd': '',
  '/there/v': '',
  '/there/qemu-system-x86_64': '',
  '/there/my-qemu': '',
  '/etc/pve/storage.cfg': STORAGES,
};

for (const { title, path, text, wanted } of DEFINITIONS) {
  test(`${title} is ${String(wanted).slice(0, 60)}`, () => {
    const result = importText(text, `/${path}`, THERE);
    const said = ofOutcome(result, 'changed', 'lost', 'refused');
    const all = [...linesOf(result), ...said];
    const found = all.some((line) => (typeof wanted === 'string' ? line === wanted : wanted.test(line)));
    assert.ok(found, `${text}\n${String(wanted)} is not in\n${all.join('\n')}`);
  });
}
