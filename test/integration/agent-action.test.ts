import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Fleet } from '../../src/index.ts';
import type { CliResult } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { agentFiles, NO_QEMU_GA, RUN_AGENT } from '../support/guest-agent.ts';
import { type JsonObject, type Lab, lab, until } from '../support/lab.ts';
import { linuxGuest } from '../support/linux-guest.ts';

/** One guest for all: what a test does to it, it undoes. */
describe('actions on a running guest', { skip: NO_QEMU_GA }, () => {
  const cleanup: (() => Promise<void> | void)[] = [];
  let root: Lab;
  before(async () => {
    root = lab({ after: (body) => void cleanup.push(body) });
    root.ownPorts();
    root.add('web', machineLines(root.etcDir));
    root.add('mute');
    await root.ok('start', 'web', 'mute');
    assert.deepEqual((await root.one('status', 'web'))['addresses'], []);
    await root.ok('wait', 'web', '--for', 'agent', '--timeout', '120');
  });
  after(async () => {
    for (const body of cleanup) await body();
  });

  const agent = (...words: readonly string[]): Promise<JsonObject> => root.one('agent', 'web', ...words);
  const inGuest = (script: string): Promise<CliResult> =>
    root.init('agent', 'web', 'exec', '--', '/bin/sh', '-c', script);
  /** By the console, which needs no agent. */
  const type = (line: string, answer: string): Promise<void> =>
    Fleet.open({ root: root.dir })
      .machine(Fleet.open({ root: root.dir }).get('web'))
      .withConsole(async (stream) => {
        stream.resume().write(`${line}; echo typed${''.padEnd(2, "'")}${answer}\n`);
        await until('the guest has done it', () => root.console('web').includes(`typed${answer}`));
      });

  test('what the agent reports is shown as text and as JSON', async () => {
    assert.equal(typeof (await agent('ping'))['seconds'], 'number');
    assert.match(String((await agent('info'))['version']), /^\d+\.\d+/);
    assert.match(await root.ok('agent', 'web', 'info'), /^web: guest agent \d+\.\d+.*\n {2}guest-/);
    assert.match(await root.ok('agent', 'web', 'addresses'), /^INTERFACE .*\n(.*\n)*lo +\S+ +127\.0\.0\.1\/8/);
    assert.match(await root.ok('agent', 'web', 'fs'), /^\/data +vda +ext4/m);
    assert.deepEqual((await agent('users'))['users'], []);
    assert.equal((await agent('time', 'set'))['outcome'], 'set');
    assert.ok(Math.abs(Number((await agent('time'))['offsetSeconds'])) < 60);
    await inGuest('ip address add 192.0.2.7/24 dev lo');
    const addresses = (await root.one('status', 'web'))['addresses'] as { readonly interface: string }[];
    assert.deepEqual(
      addresses.filter((each) => each.interface === 'lo'),
      [{ interface: 'lo', address: '192.0.2.7', family: 'ipv4', prefix: 24 }],
    );
  });

  test('exec passes on input, both outputs and the exit status, and a terminal gets no control characters', async () => {
    const script = 'cat; echo "$1" >&2; exit 3';
    const words = ['agent', 'web', 'exec', '--stdin', '--', '/bin/sh', '-c', script, 'sh', '--json'];
    const { code, stdout, stderr } = await root.run('qemu-init', words, { input: 'in\u001b' });
    assert.deepEqual({ code, stdout, stderr }, { code: 3, stdout: 'in\u001b', stderr: '--json\n' });
    const shown = await root.run('qemu-init', words, { input: '', tty: true });
    assert.equal(shown.code, 3, shown.stdout);
    const wild = await root.run('qemu-init', ['agent', 'web', 'exec', '--', '/bin/printf', '\\033[2J'], { tty: true });
    assert.equal(wild.stdout, '\\u001b[2J');
    assert.equal((await inGuest('kill -9 $$')).code, 137);
    const json = await root.ok('agent', 'web', 'exec', '--json', '--', '/bin/printf', '\\377');
    assertDocument(JSON.parse(json), 'agent');
    const [row] = JSON.parse(json);
    assert.deepEqual([row['encoding'], row['stdout'], row['exitCode']], ['base64', '/w==', 0]);
    const missing = await root.init('agent', 'web', 'exec', '--', '/bin/nothing');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /web: Guest agent refused "guest-exec"/);
    const late = await root.init('agent', 'web', 'exec', '--timeout', '5', '--', '/bin/sleep', '100');
    assert.deepEqual([late.code, /it goes on as process \d+ of the guest/.test(late.stderr)], [1, true], late.stderr);
  });

  test('get and put carry files, and a get that is given up leaves none', async () => {
    const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, at) => (at * at) % 251));
    const [here, back] = [join(root.dir, 'here'), join(root.dir, 'back')];
    writeFileSync(here, bytes);
    assert.equal((await agent('put', here, '/tmp/there'))['sizeBytes'], bytes.length);
    assert.equal((await agent('get', '/tmp/there', back))['sizeBytes'], bytes.length);
    assert.deepEqual(readFileSync(back), bytes);
    const piped = await root.run('qemu-init', ['agent', 'web', 'put', '-', '/tmp/word'], { input: 'a word' });
    assert.equal(piped.code, 0, piped.stderr);
    assert.equal(await root.ok('agent', 'web', 'get', '/tmp/word'), 'a word');
    const endless = root.spawn('qemu-init', ['agent', 'web', 'get', '/dev/zero', join(root.dir, 'endless')]);
    await until('it grows', () => readdirSync(root.dir).some((name) => name.startsWith('.endless')));
    endless.child.kill('SIGINT');
    assert.equal((await endless.result).code, 130);
    assert.deepEqual(
      readdirSync(root.dir).filter((name) => name.includes('endless')),
      [],
    );
    assert.equal((await root.init('agent', 'web', 'get', '/tmp/none', back)).code, 1);
    assert.deepEqual(readFileSync(back), bytes);
    const device = await root.init('agent', 'web', 'get', '/tmp/word', '/dev/null');
    assert.match(device.stderr, /"\/dev\/null": it is not a file/);
  });

  test('a program that runs lets other commands in, and a session that does not is reported', async () => {
    const long = root.spawn('qemu-init', [
      'agent',
      'web',
      'exec',
      '--',
      '/bin/sh',
      '-c',
      'touch /tmp/on; sleep 4; echo done',
    ]);
    await until('it runs', async () => (await inGuest('[ -e /tmp/on ]')).code === 0);
    assert.equal((await agent('ping'))['command'], 'ping');
    const fleet = Fleet.open({ root: root.dir });
    {
      using held = await fleet.agent(fleet.get('web'));
      await held.ping();
      const busy = await root.init('agent', 'web', 'ping');
      assert.equal(busy.code, 1);
      assert.match(busy.stderr, /^web: Another command is using the guest agent of machine "web"/);
    }
    const { code, stdout } = await long.result;
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'done\n' });
  });

  test('a freeze lasts until the thaw, is warned of, and says what is in the way of other commands', async () => {
    assert.equal((await agent('freeze'))['frozen'], 1);
    const { problems } = await root.one('status', 'web');
    assert.match(String(problems), /frozen since .*; thaw them: qemu-init agent web thaw/);
    const refused = await inGuest('true');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /hint: qemu-init agent web thaw/);
    assert.equal((await root.init('agent', 'web', 'freeze')).code, 1);
    const row = await agent('thaw');
    assert.deepEqual([row['frozen'], row['outcome']], [1, 'thawed']);
    assert.deepEqual((await root.one('status', 'web'))['problems'], []);
    assert.equal(existsSync(root.file('web', 'frozen-since')), false);
  });

  test('a password goes in by standard input or a terminal that does not show it, and is no argument', async () => {
    const set = async (input: string, tty: boolean): Promise<string> => {
      const { code, stdout, stderr } = await root.run('qemu-init', ['agent', 'web', 'passwd', 'joe'], { input, tty });
      assert.equal(code, 0, stdout + stderr);
      assert.ok(!`${stdout}${stderr}`.includes('secret'));
      return (await inGuest('cat /tmp/passwd')).stdout;
    };
    assert.equal(await set('secret one\nnot this\n', false), 'joe:secret one\n');
    assert.equal(await set('secret twp\u007fo\rsecret two\r', true), 'joe:secret two\n');
    const differ = await root.run('qemu-init', ['agent', 'web', 'passwd', 'joe'], { input: 'a\rb\r', tty: true });
    assert.equal(differ.code, 2);
  });

  test('discs come and go, a locked tray is reported, and --persist changes the file alone', async () => {
    const [disc, other] = [join(root.dir, 'a disc.iso'), join(root.dir, 'other.iso')];
    for (const [path, word] of [
      [disc, 'first'],
      [other, 'second'],
    ] as const) {
      writeFileSync(path, word);
      truncateSync(path, 1 << 20);
    }
    const cfg = join(root.etcDir, 'web-qemu.cfg');
    const before = readFileSync(cfg, 'utf8');
    assert.equal((await root.one('insert', 'web', 'CDR1', disc))['file'], disc);
    // Linux takes a moment to notice it.
    await until('the guest reads it', async () => (await inGuest('head -c 5 /dev/sr0')).stdout === 'first');
    assert.equal(readFileSync(cfg, 'utf8'), before);
    await inGuest('sleep 600 </dev/sr0 >/dev/null 2>&1 & echo $! >/tmp/reader; sleep 0.2');
    const locked = await root.init('eject', 'web', 'CDR1', '--timeout', '1');
    assert.equal(locked.code, 1);
    assert.match(locked.stderr, /has locked the tray of CDR1\n.*--force/);
    assert.equal((await root.one('insert', 'web', 'CDR1', other, '--force', '--persist'))['file'], other);
    assert.equal(readFileSync(cfg, 'utf8'), before.replace('CDR1=empty', `CDR1=${other}`));
    await inGuest('kill $(cat /tmp/reader)');
    assert.equal((await root.one('eject', 'web', 'CDR1', '--persist'))['file'], null);
    assert.equal(readFileSync(cfg, 'utf8'), before);
    assert.equal((await root.init('insert', 'web', 'CDR1', join(root.dir, 'none.iso'))).code, 1);
    assert.match((await root.init('insert', 'web', 'CDR7', disc)).stderr, /has no CDR7/);
    assert.equal((await root.init('eject', 'web', 'DSK1')).code, 2);
  });

  test('a cable is pulled and plugged in, and the guest notices', async () => {
    const carrier = (): Promise<CliResult> => inGuest('cat /sys/class/net/eth0/carrier');
    assert.equal((await carrier()).stdout, '1\n');
    assert.equal((await root.one('nic', 'link', 'web', 'NIC1', 'down'))['link'], 'down');
    await until('it is down', async () => (await carrier()).stdout === '0\n');
    await root.ok('nic', 'link', 'web', 'NIC1', 'up');
    await until('it is up', async () => (await carrier()).stdout === '1\n');
    assert.match((await root.init('nic', 'link', 'web', 'NIC3', 'up')).stderr, /has no NIC3/);
    assert.equal((await root.init('nic', 'link', 'web', 'NIC1', 'off')).code, 2);
  });

  test('the guest gives memory back and takes it again, as it says itself', async () => {
    const bytes = (mebibytes: number): number => mebibytes * 1024 ** 2;
    const before = await root.one('balloon', 'web');
    assert.deepEqual([before['actualBytes'], before['memoryBytes']], [bytes(256), bytes(256)]);
    assert.equal((await root.one('balloon', 'web', '200M'))['actualBytes'], bytes(200));
    assert.match(await root.ok('balloon', 'web', '256M'), /^web: the guest has 256 MiB of 256 MiB/);
    assert.match((await root.init('balloon', 'web', '512M')).stderr, /can be 16M to 256M, not 512M/);
    assert.equal((await root.init('balloon', 'web', 'much')).code, 2);
    assert.equal((await root.init('balloon', 'mute')).code, 6);
  });

  test('mistakes are usage errors that name what is meant', async () => {
    const stderrOf = async (...words: readonly string[]): Promise<string> => {
      const { code, stderr } = await root.init('agent', ...words);
      assert.equal(code, 2, stderr);
      return stderr;
    };
    assert.match(await stderrOf('web', 'pnig'), /did you mean "ping"/);
    assert.match(await stderrOf('web'), /No command was given/);
    assert.match(await stderrOf('web', 'exec'), /qemu-init agent ID exec -- PROGRAM/);
    assert.match(await stderrOf('web', 'ping', 'pong'), /Unexpected argument "pong"/);
    assert.match(await stderrOf('web', 'ping', '--stdin'), /exec only/);
    assert.equal((await root.init('agent', 'mute', 'ping')).code, 7);
    assert.equal((await root.init('agent', 'nobody', 'ping')).code, 6);
  });

  test('an agent that is hung, gone or floods costs no command more than its limit, and no stop', async () => {
    const bounded = async (): Promise<void> => {
      const began = performance.now();
      const row = await agent('ping');
      assert.equal(Reflect.get(Object(row['error']), 'code'), 'QEMU_NO_AGENT');
      assert.deepEqual((await root.one('status', 'web'))['addresses'], []);
      // Two Node.js, 3 s and 0.3 s, and a host that is busy with other tests.
      assert.ok(performance.now() - began < 12_000);
    };
    await type('kill -STOP $(cat /tmp/pid)', 'hung');
    await bounded();
    await type('kill -CONT $(cat /tmp/pid)', 'on');
    await agent('ping');
    await type('kill -9 $(cat /tmp/pid); sleep 1', 'gone');
    await bounded();
    await type('(yes \'{"return": {}, "id": 7}\' >/dev/vport0p1 &) ', 'flood');
    await bounded();
    await root.ok('stop', 'web', 'mute', '--timeout', '20');
    assert.deepEqual(root.leftovers(), []);
  });
});

function machineLines(dir: string): string {
  const disk = join(dir, 'data.img');
  writeFileSync(disk, '');
  truncateSync(disk, 16 << 20);
  execFileSync('mkfs.ext4', ['-q', disk]);
  const { kernel, initrd, append } = linuxGuest(dir, {
    files: { ...agentFiles(), '/bin/chpasswd': '#!/bin/sh\ncat >/tmp/passwd\n' },
    script: `mkdir /data\nmount -t ext4 /dev/vda /data\n${RUN_AGENT}ln -s /bin/busybox /sbin/hwclock\n`,
    modules: ['ext4', 'rtc_cmos', 'ata_piix', 'sr_mod', 'virtio_balloon'],
  });
  const devices = 'MACHINE=pc\nBALLOON=on\nCDR1=empty # for tools\nNIC1=virtio,net=none\n';
  return `RAM=256M\nCPU=max\nQGA=on\nDSK1=data.img\n${devices}KERNEL=${kernel}\nINITRD=${initrd}\nAPPEND=${append}\n`;
}
