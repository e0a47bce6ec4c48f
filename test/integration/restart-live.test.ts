import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { killBefore } from '../support/kill-before.ts';
import { freePort, type Lab, lab, programsNaming, until } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { readFromTpm, writeToTpm } from '../support/tpm.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

const LONG_MS = 240_000;

/** A guest that writes records, on the QEMU that a link leads to. */
interface Writing {
  readonly root: Lab;
  readonly disk: string;
  /** Has the link lead to another QEMU. */
  use(program: string): void;
  written(): number;
  /** Fails unless the guest writes on, and has booted once. */
  writesOn(): Promise<void>;
  boots(): number;
}

const HERE = '/usr/bin/qemu-system-x86_64';

/** Makes a program of machines that runs another QEMU whenever it is told to. */
function switchedQemu({ etcDir }: Lab): (program: string) => void {
  const script = join(etcDir, 'bin/qemu-system-x86_64');
  mkdirSync(join(etcDir, 'bin'));
  const use = (program: string): void => {
    writeFileSync(`${script}.new`, `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
    renameSync(`${script}.new`, script);
  };
  use(HERE);
  return use;
}

function writing(t: Cleanup, lines = ''): Writing {
  const root = lab(t);
  root.ownPorts();
  const use = switchedQemu(root);
  const disk = writerDisk(join(root.etcDir, 'web.qcow2'), { size: '1G' });
  root.add('web', `${writerMachine(writerGuest(root.etcDir))}DSK1=${disk}\nTGTARCH=bin/qemu-system-x86_64\n${lines}`);
  const text = (): string => (existsSync(join(root.logDir, 'web.console')) ? root.console('web') : '');
  const written = (): number => lastWritten(text());
  const boots = (): number => [...text().matchAll(/^boot /gm)].length;
  return {
    root,
    disk,
    use,
    written,
    boots,
    async writesOn() {
      const before = written();
      await until('it writes on', () => written() > before + 1, LONG_MS);
      assert.equal(boots(), 1);
    },
  };
}

test('a guest goes on in a newer QEMU, with the same ports and all else, and loses nothing', async (t) => {
  const { program, obstacle } = debian13Qemu();
  if (program === undefined) return t.skip(obstacle);
  const port = await freePort();
  const { root, disk, use, written, writesOn } = writing(
    t,
    `VNC=on\nVGA=std\nNIC1=virtio-net-pci,net=user,hostfwd=tcp:127.0.0.1:${port}-:22\n`,
  );
  await root.ok('start', 'web');
  await until('it writes', () => written() > 3, LONG_MS);
  const before = await root.one('status', 'web');
  use(program);
  const possible = await root.one('restart', '--live', '--check', 'web');
  assert.deepEqual([possible['outcome'], possible['problems']], ['possible', []]);
  const { code, stdout, stderr } = await root.init('restart', '--live', 'web');
  t.diagnostic(stdout + stderr);
  assert.equal(code, 0);
  const notices = stderr.trim().split('\n');
  assert.deepEqual([...new Set(notices)], notices, 'nothing is said twice');
  await writesOn();
  const after = await root.one('status', 'web');
  for (const key of ['slot', 'monitorPort', 'controlPort', 'vnc']) assert.deepEqual(after[key], before[key], key);
  assert.notEqual(after['pid'], before['pid']);
  assert.match((await root.cmd('-c', 'info version', 'web')).stdout, /^10\./);
  await root.ok('kill', 'web');
  const { last, wrong } = checkRecords(disk);
  assert.ok(last >= written());
  assert.deepEqual(wrong, []);
  assert.deepEqual(root.leftovers(), []);
});

/** Steps of the command, each of which it is killed before; of the second way only those that differ. */
const STEPS = [
  'qemu.old',
  'next.json',
  'migrate-incoming',
  '"execute":"migrate"',
  'migrate-continue',
  'text handed-over',
  'machine.json',
  '"execute":"cont"',
  'text "monitorPort": ',
];

test('whatever is killed at whatever step, one QEMU runs the guest, and the same command again sets all right', async (t) => {
  const { root, disk, written, writesOn, boots } = writing(t);
  await root.ok('start', 'web');
  await until('it writes', () => written() > 3, LONG_MS);
  const before = await root.one('status', 'web');
  const isOne = async (about: string): Promise<void> => {
    const { state } = await root.one('status', 'web');
    assert.equal(state, 'running', about);
    assert.equal(qemusOf(root).length, 1, about);
    const left = readdirSync(root.file('web')).filter((name) => /^next|old$/.test(name));
    assert.deepEqual([left, workOf(root)], [[], []], about);
    await writesOn();
  };
  for (const step of STEPS) {
    await killBefore(root, step, ['restart', '--live', 'web']);
    await isOne(step);
  }
  assert.match(String((await root.one('status', 'web'))['problems']), /its ports, screen .* are missing/);
  const kills: readonly (readonly ['first' | 'second', string])[] = [
    ['second', 'copying'],
    ['second', 'memory'],
    ['second', 'switching'],
  ];
  for (const [victim, phase] of kills) {
    const about = `${victim} at ${phase}`;
    const old = Number((await root.one('status', 'web'))['pid']);
    const rate = phase === 'memory' ? ['--rate', '20M'] : [];
    const { child, result } = root.spawn('qemu-init', ['restart', '--live', 'web', ...rate], { timeoutMs: LONG_MS });
    let isOver = false;
    void result.finally(() => {
      isOver = true;
    });
    await until(about, () => isOver || isAt(root, phase), LONG_MS);
    for (const pid of qemusOf(root)) if ((pid === old) === (victim === 'first')) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await result;
    t.diagnostic(`${about}: status ${code} ${stderr.trim()}`);
    child.kill();
    await isOne(about);
  }
  await root.ok('restart', '--live', 'web');
  const after = await root.one('status', 'web');
  for (const key of ['slot', 'monitorPort', 'controlPort', 'vnc', 'problems'])
    assert.deepEqual(after[key], before[key], key);
  await isOne('at last');
  // The one that has the guest.
  const old = Number(after['pid']);
  const { result } = root.spawn('qemu-init', ['restart', '--live', 'web', '--rate', '20M'], { timeoutMs: LONG_MS });
  await until('memory', () => isAt(root, 'memory'), LONG_MS);
  process.kill(old, 'SIGKILL');
  const { code } = await result;
  assert.notEqual(code, 0);
  assert.notEqual(await root.state('web'), 'running');
  assert.equal(qemusOf(root).length, 0);
  await root.ok('start', 'web');
  await until('it has booted', () => boots() === 2, LONG_MS);
  await root.ok('kill', 'web');
  const { last, wrong } = checkRecords(disk);
  assert.ok(last >= written());
  assert.deepEqual(wrong, []);
  assert.deepEqual(root.leftovers(), []);
});

function qemusOf(root: Lab): number[] {
  return programsNaming(root.dir).flatMap((line) =>
    /^\d+: \S*qemu-system-x86_64 /.test(line) ? [Number.parseInt(line, 10)] : [],
  );
}

function workOf(root: Lab): string[] {
  const folder = join(root.stateDir, 'web');
  return existsSync(folder) ? readdirSync(folder).filter((name) => /^(?:work|move)/.test(name)) : [];
}

/** Whether a restart has noted that phase; `memory`: the second QEMU waits for the guest. */
function isAt(root: Lab, phase: string): boolean {
  if (phase === 'memory') return existsSync(root.file('web', 'qemu/move.sock'));
  try {
    const text = readFileSync(join(root.stateDir, 'web/move.json'), 'utf8');
    return text.includes(`"phase": "${phase}"`) && (phase !== 'copying' || qemusOf(root).length === 2);
  } catch {
    return false;
  }
}

test('all that is in the way is reported, and nothing is changed', async (t) => {
  const { program, obstacle } = debian13Qemu();
  if (program === undefined) return t.skip(obstacle);
  const root = lab(t);
  const use = switchedQemu(root);
  const cfg = root.add('web', 'MACHINE=pc-i440fx-1.7\nTGTARCH=bin/qemu-system-x86_64\n');
  assert.equal((await root.init('restart', '--live', 'web')).code, 7);
  await root.ok('start', 'web');
  const text = readFileSync(cfg, 'utf8');
  writeFileSync(cfg, text.replace('RAM=8M', 'RAM=16M'));
  use(program);
  const found = await root.one('restart', '--live', '--check', 'web');
  assert.equal(found['outcome'], 'impossible');
  const problems = JSON.stringify(found['problems']);
  assert.match(problems, /MACHINE \\"pc-i440fx-1\.7\\" is unknown to QEMU 10/);
  assert.equal((await root.init('restart', '--live', '--check', 'web')).code, 1);
  use(HERE);
  assert.match(
    (await root.init('restart', '--live', 'web')).stderr,
    /hardware would differ: RAM is "16M" and was "8M"/,
  );
  // One that is broken.
  writeFileSync(cfg, text);
  use('/bin/false');
  assert.match((await root.init('restart', '--live', 'web')).stderr, /Cannot find out what/);
  assert.equal((await root.init('restart', '--check', 'web')).code, 2);
  assert.equal((await root.init('restart', '--live', '--force', 'web')).code, 2);
  assert.equal(await root.state('web'), 'running');
  assert.equal(qemusOf(root).length, 1);
  assert.deepEqual(workOf(root), []);
});

test('a machine with RUNAS, a sandbox, a TPM and UEFI restarts live, and so does one that is paused', async (t) => {
  const root = lab(t);
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  chmodSync(root.etcDir, 0o711);
  const user = process.getuid?.() === 0 ? 'RUNAS=nobody\nSANDBOX=on\nNETIF=managed\n' : '';
  const cfg = root.add('web', `TPM=on\nFIRMWARE=uefi\nRAM=64M\nSERIAL=on\nQGA=on\n${user}`);
  if (user !== '') chownSync(join(root.etcDir, 'web.img'), 65_534, 65_534);
  await root.ok('start', 'web', '--paused');
  await root.ok('kill', 'web');
  await writeToTpm(join(root.stateDir, 'web/tpm'), 'a secret');
  await root.ok('start', 'web');
  const before = await root.one('status', 'web');
  const done = await root.one('restart', '--live', 'web');
  assert.deepEqual([done['outcome'], done['state']], ['restarted', 'running'], JSON.stringify(done));
  const after = await root.one('status', 'web');
  assert.deepEqual([after['state'], after['problems']], ['running', before['problems']]);
  const status = readFileSync(`/proc/${Number(after['pid'])}/status`, 'utf8');
  if (user !== '') assert.match(status, /^Uid:\s+65534[\s\S]*^Seccomp:\s+2$/m);
  assert.equal(programsNaming(root.dir).filter((line) => /swtpm/.test(line)).length <= 1, true);
  await root.ok('pause', 'web');
  const paused = await root.one('restart', '--live', 'web');
  assert.deepEqual([paused['state'], paused['downtimeMs']], ['paused', null], JSON.stringify(paused));
  await root.ok('resume', 'web');
  assert.match(readFileSync(cfg, 'utf8'), /TPM=on/);
  await root.ok('stop', 'web', '--force');
  assert.equal(await readFromTpm(join(root.stateDir, 'web/tpm')), 'a secret');
  assert.deepEqual(root.leftovers(), []);
});
