import assert from 'node:assert/strict';
import { linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import type { MachineConfig } from '../../../src/config/types.ts';
import { listImages } from '../../../src/fleet/image-list.ts';
import { machineIssues, storageIssues } from '../../../src/fleet/storage.ts';
import { hostUses, isClaimed, isShared, storageOf } from '../../../src/system/images/storage.ts';
import { resolvePaths } from '../../../src/system/paths.ts';
import { makeOverlay } from '../../support/odd-images.ts';
import { tempDir } from '../../support/temp-root.ts';

test('storage is shared by what it is: any number may read it, and one may write it', (t) => {
  const dir = tempDir(t);
  const at = (name: string): string => join(dir, name);
  const paths = resolvePaths({ root: dir }, {}, 0, '/');
  const machine = (name: string, text: string): MachineConfig => {
    const { config } = parseMachineConfig(text, { path: at(`${name}-qemu.cfg`) });
    assert.ok(config);
    return config;
  };
  writeFileSync(at('base'), Buffer.alloc(65_536));
  linkSync(at('base'), at('link'));
  for (const name of ['a', 'b']) makeOverlay(at(name), 'base', 'raw');
  const a = machine('a', 'DSK1=a\n');
  const b = machine('b', 'DSK1=b\nCDR1=base\n');
  const writer = machine('writer', 'DSK1=link,format=raw\n');
  const said = (config: MachineConfig, other: MachineConfig, isAway = false): string[] =>
    machineIssues(paths, config, [{ config: other, isAway }]).map(({ message }) => message);
  assert.deepEqual(said(a, b), []);
  assert.deepEqual(said(a, a), []);
  assert.match(said(writer, a).join(), /DSK1 ".*link" is the base of DSK1 of machine "a"/);
  assert.match(said(a, writer).join(), /DSK1 rests on ".*base", which DSK1 of machine "writer" writes to/);
  assert.match(said(b, writer).join('\n'), /DSK1 rests on .*\nCDR1 ".*base" is DSK1 of machine "writer" too/);
  assert.deepEqual(said(machine('r', 'DSK1=link,format=raw,readonly=on\nDSK2=base,format=raw,snapshot=on\n'), a), []);

  const twin = machine('twin', 'DSK1=link,format=raw\n');
  assert.match(said(writer, twin).join(), /DSK1 ".*link" is DSK1 of machine "twin" too/);
  assert.deepEqual(said(writer, twin, true), []);
  assert.match(said(writer, a, true).join(), /is the base of DSK1 of machine "a"/);
  // A header that names the disk of a machine that is away may be the work of a guest.
  assert.match(said(a, writer, true).join(), /rests on ".*base", which DSK1 of machine "writer" writes to/);
  assert.deepEqual(said(machine('a', 'DSK1=a,backing=base\n'), writer, true), []);

  const both = machine('both', 'DSK1=a\nDSK2=link,format=raw\n');
  assert.match(
    storageIssues(paths, both, [])[0]?.message ?? '',
    /DSK2 uses ".*link", the same storage as ".*base" of DSK1/,
  );
  assert.match(
    said(machine('x', 'DSK1=gone\n'), machine('y', 'DSK1=gone\n')).join(),
    /gone" is DSK1 of machine "y" too/,
  );
  assert.deepEqual(
    listImages(paths, a).map(({ role, depth }) => `${role} ${depth}`),
    ['image 0', 'backing 1'],
  );
});

test('a part and its whole are shared, and two parts are not', () => {
  const part = (id: string): { id: string; below: Set<string> } => ({ id, below: new Set(['b8:0']) });
  assert.ok(isShared(part('b8:1'), { id: 'b8:0', below: new Set() }));
  assert.ok(isShared({ id: 'b8:0', below: new Set() }, part('b8:1')));
  assert.ok(!isShared(part('b8:1'), part('b8:2')));
});

test('what the host uses can always be asked', () => {
  for (const { id, what, end } of hostUses()) {
    assert.match(id, /^[bf]\d+:\d+$/);
    assert.match(what, /^is /);
    assert.ok(end === undefined || end.length > 1);
  }
  assert.equal(isClaimed('/nonexistent'), false);
  const file = { dev: 1, ino: 2, rdev: 0, isBlockDevice: () => false };
  assert.deepEqual(storageOf(file), { id: 'f1:2', below: new Set() });
});
