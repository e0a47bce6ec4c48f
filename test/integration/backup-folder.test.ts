import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentOf, makeChain } from '../support/backup-points.ts';
import { type CliResult, parseJson, runCli, spawnCli } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { killingAt } from '../support/kill-before.ts';
import { untilEnded } from '../support/lab.ts';
import { tempRoot } from '../support/temp-root.ts';

const WRITES = [
  [{ byte: 1, atMiB: 0, sizeMiB: 8 }],
  [{ byte: 2, atMiB: 1, sizeMiB: 8 }],
  [{ byte: 3, atMiB: 2, sizeMiB: 2 }],
];

interface Row {
  readonly name: string | null;
  readonly point?: string;
  readonly outcome?: string;
  readonly problems?: readonly string[];
  readonly dependents?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

function rows(result: CliResult, verb: string): readonly Row[] {
  const document = parseJson(result);
  assertDocument(document, `backup-${verb}`);
  // The schema has just been checked.
  return document as readonly Row[];
}

test('a folder of backups is listed whatever is in it', async (t) => {
  const root = tempRoot(t).dir;
  const dest = join(root, 'Sicherungen, alle');
  const points = makeChain(dest, WRITES.slice(0, 2), { disks: 2 });
  makeChain(dest, WRITES.slice(0, 1), { name: 'db' });
  mkdirSync(join(dest, 'lost+found'));
  mkdirSync(join(dest, 'web', 'holiday'));
  mkdirSync(join(dest, 'web', '20261120-000000'));
  mkdirSync(join(dest, 'web', '.20261121-000000.part'));
  writeFileSync(join(dest, 'db', '20261101-030000', 'manifest.json'), '{"version":1,"name":"../../etc"}');
  // As of a first backup that is under way.
  mkdirSync(join(dest, 'mail', '.20261121-000000.part'), { recursive: true });
  execFileSync('ln', ['-s', '/etc', join(dest, 'etc')]);

  const text = await runCli('qemu-init', ['backup', 'list', dest], { root });
  assert.equal(text.code, 0, text.stderr);
  assert.match(
    text.stdout,
    /^NAME +POINT +KIND +PARENT +SIZE +QUIESCED +DISKS\nweb +20261101-030000 +full +- .*DSK1=16 MiB DSK2=16 MiB\nweb +20261102-030000 +incremental +20261101-030000 /,
  );
  assert.match(text.stderr, /db@20261101-030000: .* is not a usable manifest/);
  assert.match(text.stderr, /web@20261120-000000: Cannot read .*manifest\.json/);
  assert.doesNotMatch(text.stderr, /mail/);
  const unknown = await runCli('qemu-init', ['backup', 'verify', dest, 'none'], { root });
  assert.ok(unknown.stderr.includes(`hint: see: qemu-init backup list '${dest}'\n`), unknown.stderr);
  for (const name of ['lost+found', 'etc', 'web/holiday'])
    assert.ok(text.stderr.includes(`${join(dest, name)}" is not a backup`), name);

  const json = rows(await runCli('qemu-init', ['backup', 'list', dest, '--json'], { root }), 'list');
  assert.deepEqual(
    json.filter(({ error }) => !error).map(({ point }) => point),
    points,
  );
  assert.equal(json.filter(({ error }) => error).length, 5);
  const missing = await runCli('qemu-init', ['backup', 'list', join(root, 'none')], { root });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /There is no folder/);

  // A first backup that fails leaves no folder.
  const empty = join(root, 'empty');
  mkdirSync(empty, { mode: 0o700 });
  const cfg = join(root, 'bare-qemu.cfg');
  writeFileSync(cfg, 'RAM=8M\n');
  const failed = await runCli('qemu-init', ['backup', 'create', cfg, empty], { root });
  assert.match(failed.stderr, /has no disks/);
  assert.deepEqual(readdirSync(empty), []);
});

test('verification finds what has changed, and names the points that are of no use then', async (t) => {
  const root = tempRoot(t).dir;
  const dest = join(root, 'b');
  const [first = '', second = '', third = ''] = makeChain(dest, WRITES, { firmware: 'variables', tpm: 'state' });
  const verify = async (...words: string[]): Promise<readonly Row[]> => {
    const result = await runCli('qemu-init', ['backup', 'verify', dest, ...words, '--json'], { root });
    const found = rows(result, 'verify');
    assert.equal(result.code, found.every(({ outcome }) => outcome === 'ok') ? 0 : 1);
    return found;
  };
  assert.deepEqual(
    (await verify()).map(({ outcome }) => outcome),
    ['ok', 'ok', 'ok'],
  );

  const image = join(dest, 'web', second, 'dsk1.qcow2');
  const whole = readFileSync(image);
  const changed = Buffer.from(whole);
  changed[changed.length - 100] = (changed[changed.length - 100] ?? 0) ^ 1;
  writeFileSync(image, changed);
  const all = await verify('web');
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    ['ok', 'damaged', 'unusable'],
  );
  assert.match(all[1]?.problems?.[0] ?? '', /has changed/);
  assert.deepEqual(all[1]?.dependents, [third]);
  assert.deepEqual(
    (await verify(`web@${third}`)).map(({ point }) => point),
    [first, second, third],
  );
  assert.deepEqual(
    (await verify(`web@${first}`)).map(({ outcome }) => outcome),
    ['ok'],
  );
  const text = await runCli('qemu-init', ['backup', 'verify', dest], { root });
  assert.ok(text.stdout.includes(`web@${second}: damaged; ${third} rest on it`), text.stdout);
  writeFileSync(image, whole);

  appendFileSync(join(dest, 'web', third, 'vars.fd'), 'x');
  assert.match((await verify(`web@${third}`))[2]?.problems?.[0] ?? '', /has 10 bytes, not 9/);
  rmSync(join(dest, 'web', first), { recursive: true });
  const orphans = await verify(`web@${second}`);
  assert.deepEqual(
    orphans.map(({ outcome }) => outcome),
    ['unusable'],
  );
  assert.match(orphans[0]?.problems?.[0] ?? '', new RegExp(`rests on ${first}, which is not there`));
  const unknown = await runCli('qemu-init', ['backup', 'verify', dest, 'nobody'], { root });
  assert.equal(unknown.code, 6);
});

test('an image whose checksum is right but that has errors inside is damaged', async (t) => {
  const root = tempRoot(t).dir;
  const dest = join(root, 'b');
  const [point = ''] = makeChain(dest, WRITES.slice(0, 1));
  const image = join(dest, 'web', point, 'dsk1.qcow2');
  // As if QEMU had written it so: the refcount table leads nowhere.
  const content = readFileSync(image);
  content.writeBigUInt64BE(0x7fff0000n, 48);
  writeFileSync(image, content);
  const manifest = join(dest, 'web', point, 'manifest.json');
  const [sum = ''] = execFileSync('sha256sum', [image], { encoding: 'utf8' }).split(' ');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/(dsk1[\s\S]*?"sha256": ")[0-9a-f]+/, `$1${sum}`));
  const result = await runCli('qemu-init', ['backup', 'verify', dest, 'web', '--json'], { root });
  assert.match(rows(result, 'verify')[0]?.problems?.[0] ?? '', /qemu-img finds errors in/);
  assert.equal(result.code, 1);
});

test('a deletion that is killed at any moment leaves all other points complete, and the next command ends it', async (t) => {
  const root = tempRoot(t).dir;
  const dest = join(root, 'b');
  // Some time after the merge began, or right before a step.
  for (const moment of [0, 30, '..merging.json.', '.manifest.json.']) {
    rmSync(dest, { recursive: true, force: true });
    const [first = '', second = '', third = ''] = makeChain(dest, WRITES);
    const before = [second, third].map((point) => contentOf(dest, point));
    const call = spawnCli('qemu-init', ['backup', 'delete', dest, `web@${first}`], {
      root,
      env: typeof moment === 'string' ? killingAt(moment) : {},
    });
    const watch = setInterval(() => {
      if (typeof moment === 'string' || !existsSync(join(dest, 'web', '.merging.json'))) return;
      clearInterval(watch);
      setTimeout(() => call.child.kill('SIGKILL'), moment);
    }, 1);
    await call.result;
    clearInterval(watch);
    // What a killed command had begun goes on to its end.
    await untilEnded(dest);
    assert.deepEqual(
      [second, third].map((point) => contentOf(dest, point)),
      before,
      `killed at ${moment}`,
    );
    const verified = await runCli('qemu-init', ['backup', 'verify', dest, 'web', '--json'], { root });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    if (existsSync(join(dest, 'web', first))) {
      const again = await runCli('qemu-init', ['backup', 'delete', dest, `web@${first}`, '--json'], { root });
      assert.deepEqual(rows(again, 'delete')[0]?.outcome, 'deleted');
    }
    assert.deepEqual(
      readdirSync(join(dest, 'web')).filter((name) => !name.startsWith('.lock')),
      [second, third],
      `killed at ${moment}`,
    );
    assert.ok(!readdirSync(join(dest, 'web', second)).some((name) => name.startsWith('.')), `killed at ${moment}`);
    assert.deepEqual(
      [second, third].map((point) => contentOf(dest, point)),
      before,
    );
  }
});

test('a deletion needs a point, and a folder that only its user may write to', async (t) => {
  const root = tempRoot(t).dir;
  const dest = join(root, 'b');
  const [first = ''] = makeChain(dest, WRITES.slice(0, 1));
  const whole = await runCli('qemu-init', ['backup', 'delete', dest, 'web'], { root });
  assert.equal(whole.code, 2);
  execFileSync('chmod', ['o+w', dest]);
  const open = await runCli('qemu-init', ['backup', 'delete', dest, `web@${first}`], { root });
  assert.equal(open.code, 4, open.stderr);
  assert.ok(existsSync(join(dest, 'web', first)));
});
