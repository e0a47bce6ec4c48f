import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

test('what a guest has written through survives a kill of QEMU, and the checker sees a record that does not', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const overlaid = writerDisk(join(root.etcDir, 'one.qcow2'));
  const raw = writerDisk(join(root.etcDir, 'two.img'), { format: 'raw' });
  root.add('web', `${writerMachine(writerGuest(root.etcDir, { disks: 2 }))}DSK1=one.qcow2\nDSK2=two.img,format=raw\n`);
  await root.ok('start', 'web');
  await until('it writes', () => lastWritten(root.console('web'), 'vdb') > 20, GUEST_MS);
  await root.ok('kill', 'web');
  const [first, second] = ['vda', 'vdb'].map((disk) => lastWritten(root.console('web'), disk));
  const one = checkRecords(overlaid);
  assert.deepEqual([one.wrong, one.isClean], [[], false]);
  assert.ok(one.last >= Number(first), `${one.last} of ${first}`);
  assert.ok(checkRecords(raw, { format: 'raw' }).last >= Number(second));

  const bytes = readFileSync(raw);
  const at = bytes.indexOf(Buffer.from('RECORD!!\x05\0\0\0\0\0\0\0', 'latin1'));
  bytes.writeUInt8(bytes.readUInt8(at + 100) ^ 1, at + 100);
  writeFileSync(raw, bytes);
  assert.deepEqual(checkRecords(raw, { format: 'raw' }).wrong, [5]);
});
