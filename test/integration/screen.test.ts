import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dumpMemory } from '../../src/machine/observe/dump.ts';
import { Fleet } from '../../src/provision/library/fleet.ts';
import { debianPackage } from '../support/debian-package.ts';
import { lab, until } from '../support/lab.ts';
import { linuxGuest } from '../support/linux-guest.ts';
import { decodePng } from '../support/png-picture.ts';
import { vncPicture } from '../support/vnc-client.ts';

const isRoot = process.getuid?.() === 0;

test('a screenshot has the points that a VNC client sees, of a paused machine too', async (t) => {
  const root = lab(t);
  root.add('web', 'RAM=32M\nVGA=std\nVNC=unix\n');
  root.add('mute');
  await root.ok('start', 'web', 'mute');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('pause', 'web');
  const file = join(root.dir, 'web.png');
  const row = await root.one('screenshot', 'web', file);
  const picture = decodePng(readFileSync(file));
  const seen = await vncPicture(root.file('web', 'qemu/vnc.sock'));
  assert.deepEqual([picture.width, picture.height], [seen.width, seen.height]);
  const other = picture.rgb.findIndex((value, at) => value !== seen.rgb[at]);
  assert.equal(
    other,
    -1,
    `${picture.rgb.subarray(other, other + 9).join()} is ${seen.rgb.subarray(other, other + 9).join()}`,
  );
  assert.ok(new Set(picture.rgb).size > 1, 'there is something to be seen');
  assert.deepEqual([row['width'], row['height'], row['file']], [picture.width, picture.height, file]);
  const named = await root.run('qemu-init', ['screenshot', 'web'], { cwd: root.dir });
  assert.match(named.stdout, /^web: \d+ × \d+ points in web-\d{8}-\d{6}\.png\n$/);
  await root.ok('screenshot', 'web', join(root.dir, 'web.ppm'));
  assert.equal(readFileSync(join(root.dir, 'web.ppm')).toString('latin1', 0, 2), 'P6');
  assert.equal((await root.init('screenshot', 'web', '-', '--json')).code, 2);
  const none = await root.init('screenshot', 'mute', join(root.dir, 'mute.png'));
  assert.deepEqual([none.code, existsSync(join(root.dir, 'mute.png'))], [1, false], none.stderr);
  // A guest that stands still would lose them.
  const lost = await root.init('sendkey', 'web', 'ret');
  assert.match(lost.stderr, /web: Machine "web" is paused: keys would be lost/);
  assert.match((await root.init('sendkey', 'web', 'entr')).stderr, /did you mean "enter"/);
  assert.match((await root.init('vnc', 'web', '--open')).stderr, /There is no desktop|No VNC viewer/);
  await root.ok('kill', 'web', 'mute');
  assert.deepEqual(root.leftovers(), []);
});

test('the screen of a QEMU of another user in its sandbox is taken, too', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const root = lab(t);
  root.add('web', 'RAM=32M\nVGA=std\nRUNAS=nobody\nSANDBOX=on\nNETIF=managed\n');
  // That user has to get to the disk.
  chmodSync(root.dir, 0o711);
  chmodSync(join(root.etcDir, 'web.img'), 0o666);
  await root.ok('start', 'web');
  const { stdout, code } = await root.init('screenshot', 'web', '-');
  assert.deepEqual([code, stdout.slice(1, 4)], [0, 'PNG']);
  assert.deepEqual(
    readdirSync(root.file('web')).filter((name) => name.includes('screen')),
    [],
  );
  // Nor has that user to get to the file of a dump.
  const file = join(root.dir, 'web.core');
  const row = await root.one('dump', 'web', file);
  const core = readFileSync(file);
  assert.deepEqual([core.toString('latin1', 1, 4), core.length], ['ELF', row['sizeBytes']]);
  assert.ok(core.length > 32 << 20);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(await root.state('web'), 'running');
  const folder = join(root.dir, 'none');
  root.add('off');
  assert.equal((await root.init('dump', 'off', file)).code, 7);
  const failed = await root.init('dump', 'web', join(folder, 'web.core'));
  assert.equal(failed.code, 1, failed.stderr);
  await until('the guest goes on', async () => (await root.state('web')) === 'running');
  // A tool that is killed in the middle: QEMU has nobody to write to, and lets the guest run on.
  const killed = root.spawn('qemu-init', ['dump', 'web', join(root.dir, 'half.core')]);
  await until('it writes', () => readdirSync(root.dir).some((name) => name.startsWith('.half.core')));
  killed.child.kill('SIGKILL');
  await killed.result;
  await until('the guest goes on', async () => (await root.state('web')) === 'running');
  assert.equal(existsSync(join(root.dir, 'half.core')), false);
  await root.ok('dump', 'web', join(root.dir, 'half.core'));
  assert.deepEqual(
    readdirSync(root.dir).filter((name) => name.startsWith('.half')),
    [],
  );
  // A captured QEMU that says it dumps, and falls silent, holds nobody up.
  const fleet = Fleet.open({ root: root.dir });
  const target = fleet.get('web');
  const { pid } = await root.one('status', 'web');
  const silent = join(root.dir, 'silent.core');
  const onProgress = (): void => void process.kill(Number(pid), 'SIGSTOP');
  await assert.rejects(dumpMemory(fleet.host, target, silent, { onProgress, silenceMs: 2000 }), {
    code: 'QEMU_TIMEOUT',
  });
  process.kill(Number(pid), 'SIGCONT');
  assert.equal(existsSync(silent), false);
  await until('the guest goes on', async () => (await root.state('web')) === 'running');
  await root.ok('kill', 'web');
  assert.deepEqual(root.leftovers(), []);
});

/** All of ASCII, and some more. */
const ASCII = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).join('');
const LAYOUTS = [
  ['en-us', 'qwerty/us', ASCII],
  ['de', 'qwertz/de-latin1', `${ASCII}äöüÄÖÜßé`],
  ['fr', 'azerty/fr-pc', `${ASCII}éèçàùê`],
] as const;

test('a text that is typed arrives in a guest with its layout: American, German, French', async (t) => {
  const root = lab(t);
  const files = Object.fromEntries(LAYOUTS.map(([name, map]) => [`/etc/${name}.map`, keymap(map)]));
  const { kernel, initrd, append } = linuxGuest(root.etcDir, { files, script: SHOW_TYPED });
  const boot = `KERNEL=${kernel}\nINITRD=${initrd}\nAPPEND=${append}\n`;
  root.add('web', `RAM=256M\nCPU=max\nVGA=std\nKEYMAP=de\n${boot}`);
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready', '--timeout', '120');
  const typed = (): string => Buffer.from(root.console('web'), 'latin1').toString();
  for (const [layout, , text] of LAYOUTS) {
    // The guest takes over the next layout when it is told the name of it.
    await root.ok('type', 'web', `:${layout}`, '--enter', '--layout', 'en-us', '--hold', '10');
    await until('the guest has the layout', () => typed().includes(`layout ${layout}`), 20_000);
    const given = layout === 'de' ? [] : ['--layout', layout];
    const { code, stderr } = await root.run('qemu-init', ['type', 'web', '-', '--hold', '10', ...given], {
      input: `${text}\n`,
    });
    assert.equal(code, 0, stderr);
    await until(`${layout} has arrived`, () => typed().includes(`>${text}<`), 20_000).catch(() => {
      assert.fail(typed().split('\n').slice(-3).join('\n'));
    });
    await root.ok('sendkey', 'web', 'esc', 'ret', '--hold', '10');
  }
  await root.ok('kill', 'web');
});

/** A keymap of Linux as busybox takes it. */
function keymap(name: string): Buffer {
  const loadkeys = join(debianPackage('kbd', 'bookworm-kbd'), 'bin/loadkeys');
  const maps = join(debianPackage('console-data', 'bookworm-console-data'), 'usr/share/keymaps/i386');
  const args = ['--unicode', '--bkeymap', join(maps, `${name}.kmap.gz`)];
  return execFileSync(loadkeys, args, { stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Prints what is typed on the screen's keyboard, and takes over another layout; Escape brings back the American one. */
const SHOW_TYPED = `
(
  exec 3</dev/tty1
  while IFS= read -r line <&3; do
    case $line in
      :*) loadkmap <"/etc/\${line#:}.map" && echo "layout \${line#:}" ;;
      $(printf '\\033')) loadkmap </etc/en-us.map ;;
      *) echo ">$line<" ;;
    esac
  done >/dev/ttyS0
) &
`;
