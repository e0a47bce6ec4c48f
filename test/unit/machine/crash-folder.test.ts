import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { crashFolder, keepCrash } from '../../../src/machine/run/crash-folder.ts';
import type { RunRecord } from '../../../src/machine/run/record.ts';
import { type MachinePaths, machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

function filesOf(t: Cleanup): MachinePaths {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(join(files.log, '..'), { recursive: true });
  return files;
}

function recordOf(second: number): RunRecord {
  return {
    phase: 'running',
    name: 'web',
    configPath: '/etc/qemu/web-qemu.cfg',
    pid: 1,
    pidStartTime: '1',
    bootId: 'x',
    helpers: [],
    uid: 0,
    gid: undefined,
    executable: undefined,
    slot: undefined,
    monitorPort: undefined,
    controlPort: undefined,
    tls: false,
    vnc: undefined,
    startedAt: new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString(),
    preconfig: false,
    consoleLog: { offset: 4, before: Buffer.from('old\n').toString('base64'), previous: '' },
    stop: undefined,
  };
}

test('of a run that ended badly the last lines of this run are kept, for its owner alone', (t) => {
  const files = filesOf(t);
  const lines = Array.from({ length: 150 }, (_, at) => `line ${at}\n`);
  writeFileSync(files.consoleLog, `old\n${lines.join('')}`);
  writeFileSync(files.log, 'qemu: it is broken\n');
  const name = keepCrash(files, recordOf(5), { cause: 'killed', exit: 'SIGSEGV' });
  assert.equal(name, '2026-01-02T03-04-05-000Z');
  const folder = crashFolder(files, name) ?? '';
  assert.equal(readFileSync(join(folder, 'console'), 'utf8'), lines.slice(50).join(''));
  assert.equal(readFileSync(join(folder, 'log'), 'utf8'), 'qemu: it is broken\n');
  const { cause, exit, startedAt } = JSON.parse(readFileSync(join(folder, 'end.json'), 'utf8'));
  assert.deepEqual([cause, exit, startedAt], ['killed', 'SIGSEGV', '2026-01-02T03:04:05.000Z']);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
});

test('the five newest are kept, each once and none of them large, and nothing else in the folder is touched', (t) => {
  const files = filesOf(t);
  writeFileSync(files.consoleLog, `old\n${'x'.repeat(300_000)}`);
  writeFileSync(files.log, `${'y'.repeat(1000)}\n`.repeat(300));
  mkdirSync(join(files.stateDir, 'crash/notes'), { recursive: true });
  for (const second of [1, 2, 3, 4, 5, 6, 7, 7]) keepCrash(files, recordOf(second), {});
  const folders = readdirSync(join(files.stateDir, 'crash')).sort();
  assert.deepEqual(folders, [...[3, 4, 5, 6, 7].map((each) => `2026-01-02T03-04-0${each}-000Z`), 'notes']);
  const newest = join(files.stateDir, 'crash', folders[4] ?? '');
  for (const file of readdirSync(newest)) assert.ok(statSync(join(newest, file)).size <= 64 * 1024, file);
});

test('a console log that leads elsewhere is not followed, and a folder that is gone or named otherwise is none', (t) => {
  const files = filesOf(t);
  const secret = join(files.log, '../secret');
  writeFileSync(secret, 'of root');
  symlinkSync(secret, files.consoleLog);
  const name = keepCrash(files, recordOf(5), {});
  const folder = crashFolder(files, name) ?? '';
  assert.equal(basename(folder), name);
  assert.equal(readFileSync(join(folder, 'console'), 'utf8'), '');
  rmSync(folder, { recursive: true });
  for (const each of [name, '../crash', '..', 7, undefined]) assert.equal(crashFolder(files, each), undefined);
});
