import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { backupLab, MIB } from '../support/backup-lab.ts';
import { interrupt, MOMENTS, timed } from '../support/interrupt.ts';
import { cutPower, type JsonObject, lab, until } from '../support/lab.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

test(`a power cut at ${MOMENTS} moments of a backup: the next one is full when a bitmap may miss something, and restores to what the disk was`, async (t) => {
  const host = backupLab(t);
  const image = join(host.etcDir, 'web.qcow2');
  const pace: { tookMs?: number } = {};
  const kinds = new Set<unknown>();
  for (let moment = 0; moment < MOMENTS; moment += 1) {
    await host.ok('start', 'web');
    await host.backUp();
    const offset = (moment % 15) * MIB;
    await host.poke(moment + 1, offset, MIB);
    pace.tookMs ??= await timed(() => host.backUp());
    await host.poke(moment + 101, offset + 4096, 4096);
    const delayMs = (pace.tookMs * (moment + 0.5)) / MOMENTS;
    await interrupt(host, 'SIGKILL', delayMs, ['backup', 'create', 'web', host.dest]);
    cutPower(host);
    const about = `after ${Math.round(delayMs)} ms of ${Math.round(pace.tookMs)}`;
    // Both on a machine that runs again and on one that does not.
    if (moment % 2 === 0) await host.ok('start', 'web');
    const { kind, point, reason } = await host.backUp();
    kinds.add(kind);
    assert.equal(kind, 'full', about);
    assert.match(String(reason), /no bitmap of .*: .*QEMU or the host went down/, about);
    host.assertTidy();
    host.assertEqual(point);
    await host.init('stop', 'web', '--force');
    const out = join(host.dir, 'out');
    await host.ok('restore', host.dest, `web@${String(point)}`, '--output', out, '--disk', 'DSK1');
    execFileSync('qemu-img', ['compare', '-q', image, join(out, 'web.qcow2')]);
    rmSync(out, { recursive: true });
    execFileSync('qemu-img', ['check', '-q', image]);
    assert.deepEqual(host.leftovers(), [], about);
  }
});

test(`a power cut at ${MOMENTS} moments of a mirror and of a save: the file names a disk with every record, or the guest goes on`, async (t) => {
  const root = lab(t);
  root.ownPorts();
  writerDisk(join(root.etcDir, 'one, ä.qcow2'));
  root.add('web', `${writerMachine(writerGuest(root.etcDir))}DSK1="one,, ä.qcow2"\n`);
  const written = (): number => lastWritten(root.console('web'));
  const disk = async (): Promise<string> =>
    String(((await root.one('disk', 'list', 'web'))['disks'] as JsonObject[])[0]?.['file']);
  const goesOn = async (): Promise<void> => {
    const before = root.console('web').length;
    await until('it writes', () => lastWritten(root.console('web').slice(before)) >= 0, 240_000);
  };
  const pace = { mirror: 0, save: 0 };
  for (let moment = 0; moment < MOMENTS; moment += 1) {
    const verb = moment % 2 === 0 ? 'mirror' : 'save';
    await root.ok('start', 'web');
    await goesOn();
    const old = await disk();
    const next = join(root.etcDir, `copy, ${moment}.qcow2`);
    const words = verb === 'save' ? ['save', 'web'] : ['disk', 'mirror', 'web', 'DSK1', next];
    if (pace[verb] === 0) {
      pace[verb] = await timed(() => root.ok(...words));
      if (verb === 'save') assert.equal((await root.one('start', 'web'))['restored'], true);
      else rmSync(old);
      await goesOn();
    }
    const now = await disk();
    const other = join(root.etcDir, `copy, ${moment}b.qcow2`);
    const again = verb === 'save' ? words : ['disk', 'mirror', 'web', 'DSK1', other];
    await interrupt(root, 'SIGKILL', (pace[verb] * (moment + 0.5)) / MOMENTS, again);
    const told = written();
    cutPower(root);
    const about = `${verb}, moment ${moment}`;
    await root.init(...([['status', 'web'], ['list'], ['disk', 'list', 'web']][moment % 3] ?? []));
    const named = await disk();
    assert.ok([now, other].includes(named), about);
    const images = readdirSync(root.etcDir).filter((name) => /qcow2|part/.test(name));
    const expected = named === other ? [basename(now), basename(other)] : [basename(now)];
    assert.deepEqual(images.sort(), expected.sort(), about);
    const state = readdirSync(join(root.stateDir, 'web')).filter((name) => /^\.|work/.test(name));
    assert.deepEqual(state, [], about);
    if (verb === 'save' && (await root.one('status', 'web'))['saved'] === true) {
      const started = await root.one('start', 'web');
      assert.equal(started['restored'], true, about);
      await goesOn();
      await root.ok('kill', 'web');
    }
    const { last, wrong } = checkRecords(named);
    assert.deepEqual(wrong, [], about);
    assert.ok(last >= told, `${about}: ${last} of ${told}`);
    if (named === other) rmSync(now);
  }
});
