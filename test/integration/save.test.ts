import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fleet } from '../../src/index.ts';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** A machine whose guest writes records, as its own user in the sandbox where that is possible. */
function writer(t: Cleanup, lines = ''): Lab & { readonly disk: string; readonly cfg: string } {
  const root = lab(t);
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  const disk = writerDisk(join(root.etcDir, 'ö, disk.qcow2'));
  if (isRoot) chownSync(disk, NOBODY, NOBODY);
  const user = isRoot ? 'RUNAS=nobody\nSANDBOX=on\n' : '';
  const guest = writerGuest(root.etcDir);
  // Others may not look into the folder that has the kernel.
  const kernel = join(root.etcDir, 'kernel');
  copyFileSync(guest.kernel, kernel);
  const machine = writerMachine({ ...guest, kernel });
  const cfg = root.add(
    'web',
    `${machine}DSK1="ö,, disk.qcow2"\nNIC1=virtio-net-pci,net=user\nNETIF=managed\n${user}${lines}`,
  );
  return { ...root, disk, cfg };
}

async function writesOn(root: Lab): Promise<void> {
  const before = lastWritten(root.console('web'));
  await until('it writes on', () => lastWritten(root.console('web')) > before + 3, GUEST_MS);
}

const boots = (root: Lab): number => [...root.console('web').matchAll(/^boot /gm)].length;

/** Starts in vain with a change of the file, which is taken back. */
async function refusedWith(root: Lab & { readonly cfg: string }, edit: (text: string) => string): Promise<string> {
  const text = readFileSync(root.cfg, 'utf8');
  writeFileSync(root.cfg, edit(text));
  const { code, stderr } = await root.init('start', 'web');
  writeFileSync(root.cfg, text);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /hint: .*start --fresh web/);
  assert.equal((await root.one('status', 'web'))['saved'], true);
  return stderr;
}

test('a saved guest goes on after a reboot of the host, once, and only with the disks and hardware it had', async (t) => {
  const root = writer(t);
  await root.ok('start', 'web');
  await until('it writes', () => lastWritten(root.console('web')) > 5, GUEST_MS);

  // What QEMU 7.2 dies of in the sandbox.
  const exec = '{"execute":"migrate","arguments":{"uri":"exec:cat >/dev/null"}}';
  if (isRoot) {
    for (const words of [
      ['-q', exec],
      ['-c', 'migrate "exec:cat >/dev/null"'],
    ]) {
      const refused = await root.cmd(...words, 'web');
      assert.equal(refused.code, 4, refused.stderr);
      assert.match(refused.stderr, /SANDBOX=on/);
    }
  }
  assert.equal(await root.state('web'), 'running');

  const saved = await root.one('save', 'web');
  assert.equal(saved['outcome'], 'saved');
  const state = join(root.stateDir, 'web/saved/state');
  assert.equal(readFileSync(state).length, saved['sizeBytes']);
  const status = await root.one('status', 'web');
  assert.deepEqual([status['state'], status['saved']], ['stopped', true]);
  assert.equal(Reflect.get(Object(status['lastEnd']), 'cause'), 'saved');
  const stopped = await root.one('stop', 'web');
  assert.deepEqual([stopped['outcome'], stopped['rung'], stopped['saved']], ['not-running', 'none', true]);
  assert.equal((await root.one('save', 'web'))['outcome'], 'already-saved');
  assert.deepEqual(root.leftovers(), []);
  rmSync(root.runDir, { recursive: true });

  assert.match(await refusedWith(root, (text) => text.replace('RAM=256M', 'RAM=512M')), /RAM is "512M" and was "256M"/);
  assert.match(await refusedWith(root, (text) => `${text}NIC2=e1000,net=user\n`), /NIC2 is "e1000.*" and was not set/);
  assert.match(await refusedWith(root, (text) => text.replace(/^NIC1=.*\n/m, '')), /NIC1 is not set and was "virtio/);
  assert.match(
    await refusedWith(root, (text) => text.replace('CPU=max', 'CPU=qemu64')),
    /CPU is "qemu64" and was "max"/,
  );
  const other = await refusedWith(root, (text) => {
    writerDisk(join(root.etcDir, 'other.qcow2'));
    return text.replace(/^DSK1=.*$/m, 'DSK1=other.qcow2');
  });
  assert.match(other, /DSK1 is ".*other\.qcow2" and was ".*ö, disk\.qcow2"/);
  const now = new Date();
  const { mtime } = statSync(root.disk);
  utimesSync(root.disk, now, now);
  assert.match(await refusedWith(root, (text) => text), /DSK1 ".*" was written to since/);
  // To the nanosecond it is another time now, so the record is told.
  const record = join(root.stateDir, 'web/saved/record.json');
  utimesSync(root.disk, mtime, mtime);
  const recorded = readFileSync(record, 'utf8');
  writeFileSync(
    record,
    recorded.replace(/"mtimeNs": "\d+"/, `"mtimeNs": "${statSync(root.disk, { bigint: true }).mtimeNs}"`),
  );

  // A bit that has flipped on the disk, and a state that was cut off.
  const whole = readFileSync(state);
  const flipped = Buffer.from(whole);
  const middle = whole.length >> 1;
  flipped.writeUInt8(whole.readUInt8(middle) ^ 1, middle);
  writeFileSync(state, flipped);
  assert.match(await refusedWith(root, (text) => text), /Cannot go on from the saved state|checksum/);
  truncateSync(state, whole.length - 1);
  assert.match(await refusedWith(root, (text) => text), /has \d+ bytes and had \d+/);
  writeFileSync(state, whole);
  assert.equal((await root.init('start', 'web', '--preconfig')).code, 2);

  const before = lastWritten(root.console('web'));
  const started = await root.one('start', 'web');
  assert.deepEqual([started['outcome'], started['restored']], ['started', true]);
  await writesOn(root);
  assert.ok(lastWritten(root.console('web')) > before);
  assert.equal(boots(root), 1, 'it has not booted again');
  assert.deepEqual(
    readdirSync(join(root.stateDir, 'web')).filter((name) => name.includes('saved')),
    [],
  );
  assert.equal((await root.one('start', 'web'))['outcome'], 'already-running');

  // Pulling the plug: what was written before and after the save is there, and there is no state to go back to.
  await root.ok('kill', 'web');
  const { last, wrong } = checkRecords(root.disk);
  assert.ok(last >= lastWritten(root.console('web')), `${last} of ${lastWritten(root.console('web'))}`);
  assert.deepEqual(wrong, []);
  assert.equal((await root.one('start', 'web'))['restored'], false);
  await until('it boots', () => boots(root) === 2, GUEST_MS);
});

test('a guest that is saved paused stays paused; a saved state is dropped by --fresh alone, which says so', async (t) => {
  const root = lab(t);
  root.add('web', 'RAM=16M\nQGA=on\n');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('pause', 'web');
  const fleet = Fleet.open({ root: root.dir });
  const machine = fleet.machine(fleet.get('web'));
  assert.equal((await machine.save()).outcome, 'saved');
  await assert.rejects(machine.save({ signal: AbortSignal.abort() }), { code: 'QEMU_ABORTED' });
  assert.equal((await machine.launch()).restored, true);
  assert.equal(await root.state('web'), 'paused');
  await root.ok('resume', 'web');
  assert.equal((await machine.save()).outcome, 'saved');
  const dropped = await root.init('start', 'web', '--fresh');
  assert.equal(dropped.code, 0, dropped.stderr);
  assert.match(dropped.stderr, /its saved state of .* is dropped/);
  assert.equal(existsSync(join(root.stateDir, 'web/saved')), false);
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
  assert.equal((await root.init('save', 'web')).code, 7);
});

test('a shutdown of the host in which a save takes too long goes down the ladder, and leaves nothing of it', async (t) => {
  const root = lab(t);
  root.add('web', 'RAM=64M\n');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const notes: string[] = [];
  const fleet = Fleet.open({ root: root.dir, notify: ({ message }) => notes.push(message) });
  const stopped = await fleet.stop(fleet.get('web'), { save: true, stopDelayMs: 20 });
  assert.deepEqual([stopped.outcome, stopped.saved, stopped.state], ['stopped', false, 'stopped']);
  assert.ok(['powerdown', 'quit'].includes(stopped.rung), stopped.rung);
  assert.match(notes.join('\n'), /it is shut down, not saved: saving it took longer than STOPDELAY/);
  const state = join(root.stateDir, 'web');
  assert.deepEqual(existsSync(state) ? readdirSync(state) : [], []);
  assert.deepEqual(root.leftovers(), []);
  assert.equal((await root.one('start', 'web'))['restored'], false);
  await root.ok('kill', 'web');
});

test('what cannot be saved is refused before anything is done to the guest', async (t) => {
  const root = lab(t);
  root.add('web', 'DSK1=web.img,snapshot=on\n');
  guestDisk(root.etcDir, { name: 'web.img' });
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const refused = await root.init('save', 'web');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Cannot save machine "web": DSK1 has snapshot=on/);
  assert.equal(await root.state('web'), 'running');
  writeFileSync(
    join(root.etcDir, 'web-qemu.cfg'),
    `${readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8')}ONSHUTDOWN=save\n`,
  );
  assert.match(
    (await root.init('check', 'web')).stderr,
    /ONSHUTDOWN is save, but DSK1, which has snapshot=on, cannot be saved/,
  );
  await root.ok('stop', 'web', '--force');
});

test('QEMU 10 saves a guest and goes on, too', async (t) => {
  const { program, obstacle } = debian13Qemu();
  if (program === undefined) return t.skip(obstacle);
  const root = lab(t);
  root.add('web', `TGTARCH=${program}\nRAM=16M\n`);
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const console = root.console('web');
  assert.equal((await root.one('save', 'web'))['outcome'], 'saved');
  assert.equal((await root.one('start', 'web'))['restored'], true);
  assert.equal(await root.state('web'), 'running');
  assert.equal(root.console('web'), console, 'it has not booted again');
  // Its button still works.
  assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown');
});
