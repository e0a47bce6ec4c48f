import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MachineContext, MachineRef } from '../../../src/machine/context.ts';
import { requireEditable, whileEditing } from '../../../src/machine/edit-config.ts';
import { machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

function machine(t: Cleanup): { host: MachineContext; target: MachineRef; dir: string } {
  const dir = tempDir(t);
  const paths = resolvePaths({ root: join(dir, 'root') }, {}, 0, '/');
  const configPath = join(dir, 'web-qemu.cfg');
  writeFileSync(configPath, 'RAM=8M\n');
  const target = { longName: 'web', shortName: undefined, configPath, files: machinePaths(paths, 'web') };
  // What is not used is left out.
  return { host: { paths } as MachineContext, target, dir };
}

test('an edit that is prepared is written at its moment, also when the file or what was prepared is another one by then', async (t) => {
  const { host, target, dir } = machine(t);
  const { configPath } = target;
  const text = (): string => readFileSync(configPath, 'utf8');
  await whileEditing(host, target, { purpose: 'disk' }, async ({ prepare }) => {
    const more = prepare((old) => `${old}KVM=off\n`);
    assert.equal(text(), 'RAM=8M\n');
    writeFileSync(configPath, 'RAM=9M\n');
    more.commit();
    assert.equal(text(), 'RAM=9M\nKVM=off\n');
    const last = prepare((old) => `${old}VGA=std\n`);
    for (const name of readdirSync(dir).filter((each) => each.startsWith('.'))) rmSync(join(dir, name));
    last.commit();
    assert.match(text(), /KVM=off\nVGA=std\n$/);
    prepare((old) => `${old}x\n`).discard();
    assert.doesNotMatch(text(), /x$/m);
  });
  requireEditable(target);
  assert.deepEqual(readdirSync(dir).sort(), ['root', 'web-qemu.cfg']);
  rmSync(configPath);
  assert.throws(() => requireEditable(target), { code: /QEMU/ });
  const json = { ...target, configPath: join(dir, 'web.json') };
  assert.throws(() => requireEditable(json), { code: 'QEMU_USAGE' });
});
