import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RegistryEntry } from '../../../src/config/registry.ts';
import { findConfig, namesInRunDir, resolveId } from '../../../src/fleet/resolve.ts';
import { type Paths, resolvePaths } from '../../../src/system/paths.ts';
import { tempRoot } from '../../support/temp-root.ts';

const entry = (shortName: string, longName: string, dir?: string): RegistryEntry => ({
  shortName,
  longName,
  dir,
  line: 1,
});

test('an id is a short name, a long name, or a path; one machine has one name', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  const web = root.write('etc/qemu/web-qemu.cfg', '');
  const deep = root.write('machines/mail.json', '{}');
  const entries = [entry('w', 'web'), entry('m', 'mail', join(root.dir, 'machines')), entry('x', 'w2')];
  const found = (id: string, cwd = '/'): unknown[] => {
    const { longName, shortName, configPath } = resolveId(paths, entries, id, cwd);
    return [longName, shortName, configPath];
  };
  assert.deepEqual(found('w'), ['web', 'w', web]);
  assert.deepEqual(found('web'), ['web', 'w', web]);
  assert.deepEqual(found(web), ['web', 'w', web]);
  assert.deepEqual(found('web-qemu.cfg', root.etcDir), ['web', 'w', web]);
  assert.deepEqual(found('./web-qemu.cfg', root.etcDir), ['web', 'w', web]);
  assert.deepEqual(found('m'), ['mail', 'm', deep]);
  assert.deepEqual(found(deep), ['mail', 'm', deep]);
  const other = root.write('etc/qemu/other-qemu.cfg', '');
  assert.deepEqual(found('other'), ['other', undefined, other]);
  assert.throws(() => found('wbe'), { code: 'QEMU_MACHINE_UNKNOWN', hint: /did you mean "web"/ });
  assert.throws(() => found('/no/such-qemu.cfg'), { code: 'QEMU_MACHINE_UNKNOWN' });
  assert.throws(() => found(root.write('etc/qemu/a b-qemu.cfg', '')), { code: 'QEMU_CONFIG_INVALID' });
  assert.throws(() => found(root.write('elsewhere/web-qemu.cfg', '')), {
    code: 'QEMU_CONFIG_INVALID',
    message: /has the name of a registered machine/,
  });
});

test('a file is looked for in the configuration folder, then in the state folder', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  assert.equal(findConfig(paths, 'web', undefined), join(root.etcDir, 'web-qemu.cfg'), 'where it is expected');
  const state = root.write('var/lib/qemu-init/web/web-qemu.cfg', '');
  assert.equal(findConfig(paths, 'web', undefined), state);
  const etc = root.write('etc/qemu/web-qemu.cfg', '');
  assert.equal(findConfig(paths, 'web', undefined), etc);
});

test('names in the run-time folder are those of machines alone', (t) => {
  const root = tempRoot(t);
  const paths: Paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  for (const name of ['web', '.slots', '.web.1-1.gone', 'a b']) mkdirSync(join(root.runDir, name));
  writeFileSync(join(root.runDir, 'db'), '');
  assert.deepEqual(namesInRunDir(paths).sort(), ['db', 'web']);
  assert.deepEqual(namesInRunDir(resolvePaths({ root: '/nowhere' }, {}, 0, '/')), []);
});
