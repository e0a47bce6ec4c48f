import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateUnits } from '../../../../src/fleet/service/units/generate.ts';
import { resolvePaths } from '../../../../src/system/paths.ts';
import { tempRoot } from '../../../support/temp-root.ts';

test('the files of all machines become units, and those with mistakes are told', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  root.write('etc/qemu/defaults-qemu.cfg', 'AUTOSTART=on\nSTOPDELAY=10\n');
  root.write('etc/qemu/qemu-init.reg', 'a=a\nw=web\nbad=bad\noff=off\ngone=gone\nj=/srv/none/j\n');
  root.write('etc/qemu/a-qemu.cfg', 'STOPDELAY=20\n');
  root.write('var/lib/qemu-init/web/web-qemu.cfg', 'AUTOSTART=off\nREQUIRES=a\n');
  root.write('etc/qemu/bad-qemu.cfg', 'RAM=lots\n');
  root.write('etc/qemu/off-qemu.cfg', 'RAM=lots\nAUTOSTART=off\n');
  const { files, problems } = generateUnits(paths, join(root.dir, 'units'));
  const text = (path: string): string => readFileSync(join(root.dir, 'units', path), 'utf8');
  assert.deepEqual(files, [
    'qemu@a.service.d/50-machine.conf',
    'qemu@web.service.d/50-machine.conf',
    'qemu@w.service.d/50-short-name.conf',
    'qemu.target.d/50-autostart.conf',
    'qemu-reload.path.d/50-machines.conf',
    'qemu.target.d/50-late.conf',
    'qemu-late.service.d/50-mounts.conf',
  ]);
  assert.match(text('qemu@a.service.d/50-machine.conf'), /^TimeoutStopSec=110$/m);
  assert.match(text('qemu@web.service.d/50-machine.conf'), /^TimeoutStopSec=100$/m);
  assert.match(text('qemu@web.service.d/50-machine.conf'), /^Wants=qemu@a\.service$/m);
  const wanted = [...text('qemu.target.d/50-autostart.conf').matchAll(/^Wants=qemu@(.*)\.service$/gm)];
  assert.deepEqual(
    wanted.map(([, name]) => name),
    ['a', 'bad', 'gone', 'j'],
  );
  assert.equal(problems.length, 4);
  assert.match(problems.join('\n'), /bad-qemu\.cfg:1: .*RAM/);
});

test('a file that others may change says nothing, and its machine fails at boot instead of being left out', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  root.write('etc/qemu/qemu-init.reg', 'open=open\n');
  chmodSync(root.write('etc/qemu/open-qemu.cfg', 'AUTOSTART=off\nSTOPDELAY=9999\n'), 0o666);
  const { files, problems } = generateUnits(paths, join(root.dir, 'units'));
  assert.ok(!files.includes('qemu@open.service.d/50-machine.conf'));
  const wants = readFileSync(join(root.dir, 'units/qemu.target.d/50-autostart.conf'), 'utf8');
  assert.match(wants, /^Wants=qemu@open\.service$/m);
  assert.match(problems.join('\n'), /open-qemu\.cfg: Cannot trust/);
});

test('a run whose file is broken, gone or not registered keeps its time to stop', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  root.write('etc/qemu/qemu-init.reg', 'good=good\nbad=bad\n');
  root.write('etc/qemu/good-qemu.cfg', 'STOPDELAY=20\n');
  root.write('etc/qemu/bad-qemu.cfg', 'RAM=lots\n');
  const stop = { stopMethod: 'auto', preStop: ['/bin/a'], postStop: [], dir: '/', bootOrder: 50, requires: [] };
  const run = { phase: 'running', configPath: '/x', bootId: 'b', startedAt: 's' };
  for (const [index, name] of ['good', 'bad', 'alone', 'old'].entries()) {
    const kept = name === 'old' ? {} : { stop: { ...stop, stopDelaySeconds: 100 * index } };
    root.write(`run/qemu-init/${name}/machine.json`, JSON.stringify({ ...run, name, ...kept }));
  }
  root.write('run/qemu-init/odd/machine.json/x', '');
  const { files } = generateUnits(paths, join(root.dir, 'units'));
  const text = (name: string, file: string): string =>
    readFileSync(join(root.dir, 'units', `qemu@${name}.service.d`, file), 'utf8');
  assert.match(text('good', '50-machine.conf'), /^TimeoutStopSec=110$/m);
  assert.match(text('bad', '50-running.conf'), /^TimeoutStopSec=490$/m);
  assert.match(text('alone', '50-running.conf'), /^TimeoutStopSec=590$/m);
  assert.equal(files.filter((file) => file.endsWith('running.conf')).length, 2);
});

test('boot does not start what the cluster starts, whatever AUTOSTART says', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  root.write('etc/qemu/defaults-qemu.cfg', 'AUTOSTART=on\n');
  root.write('etc/qemu/qemu-init.reg', 'own=own\nweb=web\nbad=bad\n');
  for (const name of ['own', 'web', 'bad'])
    root.write(`etc/qemu/${name}-qemu.cfg`, name === 'bad' ? 'RAM=lots\n' : 'RAM=1G\n');
  const primitives = ['web', 'bad'].map(
    (name) =>
      `<primitive id="${name}" class="ocf" provider="qemu-init" type="machine"><nvpair name="machine" value="${name}"/></primitive>`,
  );
  root.write('var/lib/pacemaker/cib/cib.xml', `<resources>${primitives.join('')}</resources>`);
  const { files, problems } = generateUnits(paths, join(root.dir, 'units'));
  assert.ok(files.includes('qemu@web.service.d/50-machine.conf'));
  const wants = readFileSync(join(root.dir, 'units/qemu.target.d/50-autostart.conf'), 'utf8');
  assert.deepEqual(
    [...wants.matchAll(/^Wants=(.*)$/gm)].map(([, name]) => name),
    ['qemu@own.service'],
  );
  assert.match(problems.join('\n'), /web: AUTOSTART is ignored, since the cluster starts it/);
});

test('a host without machines has no units', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  assert.deepEqual(generateUnits(paths, join(root.dir, 'units')), { files: [], problems: [] });
});
