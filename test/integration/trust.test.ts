import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Lab, lab } from '../support/lab.ts';

/** A user that nobody else is. */
const STRANGER = 64_321;

const options = { skip: process.getuid?.() === 0 ? false : 'only root can be made to use the files of another user' };

/** A lab whose folder others may pass, with a machine whose "QEMU" leaves a trace when it is run. */
function trap(t: Parameters<typeof lab>[0]): Lab & { readonly config: string; readonly wasRun: () => boolean } {
  const host = lab(t);
  chmodSync(host.dir, 0o755);
  const trace = join(host.dir, 'was-run');
  const program = host.write('program', `#!/bin/sh\ntouch ${trace}\nexec qemu-system-x86_64 "$@"\n`);
  chmodSync(program, 0o755);
  const config = host.add('web', `TGTARCH=${program}\nPRECMD=${program}\n`);
  return { ...host, config, wasRun: () => existsSync(trace) };
}

test('no action runs a program of a file that another user may write', options, async (t) => {
  const host = trap(t);
  chmodSync(host.config, 0o666);
  for (const words of ['check', 'showcmd', 'explain', 'start', 'enable', 'edit']) {
    const { code, stderr } = await host.run('qemu-init', [words, 'web'], { env: { EDITOR: 'true' } });
    assert.equal(code, 4, `${words}: ${stderr}`);
    assert.match(stderr, /Cannot trust ".*web-qemu\.cfg": it can be written by every user/, words);
  }
  assert.equal((await host.init('register', 'w2', host.config)).code, 4);
  assert.equal((await host.init('doctor')).code, 1);
  assert.equal((await host.init('status', 'web')).code, 3, 'looking needs no file');
  assert.ok(!host.wasRun());
});

test('QEMU runs, loads and reads nothing of another user by [custom]', options, async (t) => {
  const host = trap(t);
  const program = join(host.dir, 'program');
  host.write('more', '[netdev "n"]\n  type = "user"\n');
  for (const name of ['program', 'more']) chownSync(join(host.dir, name), STRANGER, STRANGER);
  for (const line of [
    `-netdev tap,id=n,script=${program},downscript=no`,
    `-netdev '{"type":"bridge","id":"n","helper":"${program}"}'`,
    `-netdev user,id=n,guestfwd=tcp:10.0.2.9:1-cmd:${program}`,
    `-incoming "exec:${program}"`,
    `-plugin file=${program}`,
    `-readconfig ${join(host.dir, 'more')}`,
  ]) {
    host.add('web', `NETIF=managed\n[custom]\n${line}\n`);
    for (const action of ['check', 'start']) {
      const { code, stderr } = await host.init(action, 'web');
      assert.equal(code, 4, `${action} ${line}: ${stderr}`);
      assert.match(stderr, /in \[custom\]: Cannot trust ".*": it belongs to user "64321"/, line);
    }
  }
  assert.ok(!host.wasRun());
  chownSync(program, 0, 0);
  host.add('web', `NETIF=managed\n[custom]\n-netdev tap,id=n,script=${program},downscript=no\n`);
  assert.match((await host.init('check', 'web')).stderr, /Warning: "-netdev" in \[custom\] runs a program/);
});

test(
  'what others may change is named with the component that lets them: files, folders above, programs',
  options,
  async (t) => {
    const host = trap(t);
    const { etcDir, dir } = host;
    const program = join(dir, 'program');
    const ways: [string, () => void, () => void][] = [
      ['web-qemu.cfg', () => chownSync(host.config, STRANGER, 0), () => chownSync(host.config, 0, 0)],
      ['etc', () => chownSync(join(dir, 'etc'), STRANGER, 0), () => chownSync(join(dir, 'etc'), 0, 0)],
      ['etc/qemu', () => chmodSync(etcDir, 0o777), () => chmodSync(etcDir, 0o755)],
      [
        'qemu-init.reg',
        () => chmodSync(join(etcDir, 'qemu-init.reg'), 0o666),
        () => chmodSync(join(etcDir, 'qemu-init.reg'), 0o644),
      ],
      ['program', () => chmodSync(program, 0o777), () => chmodSync(program, 0o755)],
      [
        'defaults-qemu.cfg',
        () => {
          writeFileSync(join(etcDir, 'defaults-qemu.cfg'), '');
          chownSync(join(etcDir, 'defaults-qemu.cfg'), STRANGER, STRANGER);
        },
        () => rmSync(join(etcDir, 'defaults-qemu.cfg')),
      ],
      [
        'monitor.conf',
        () => {
          writeFileSync(join(etcDir, 'monitor.conf'), '');
          chownSync(join(etcDir, 'monitor.conf'), STRANGER, STRANGER);
        },
        () => rmSync(join(etcDir, 'monitor.conf')),
      ],
    ];
    for (const [component, spoil, mend] of ways) {
      spoil();
      const { code, stderr } = await host.init('start', 'web');
      assert.equal(code, 4, `${component}: ${stderr}`);
      assert.match(stderr, new RegExp(`Cannot trust ".*${component}`), component);
      mend();
      // These two keep nothing of the machine's own file from being looked at, and the program is root's.
      if (!/defaults|monitor/.test(component)) assert.ok(!host.wasRun(), component);
    }
    chownSync(dir, STRANGER, STRANGER);
    for (const action of ['list', 'start', 'status', 'doctor']) {
      const { code, stderr } = await host.init(action, ...(/start|status/.test(action) ? ['web'] : []));
      assert.equal(code, 4, stderr);
      assert.match(stderr, new RegExp(`Cannot trust "${dir}": it belongs to user "64321"`));
    }
    chownSync(dir, 0, 0);
    const link = `${dir}.link`;
    symlinkSync(dir, link);
    t.after(() => rmSync(link));
    assert.equal((await host.init('check', 'web', '--root', link)).code, 0, 'a link of ours');
    lchownSync(link, STRANGER, STRANGER);
    assert.equal((await host.init('check', 'web', '--root', link)).code, 4);
    host.add('net', 'NIC1=virtio-net-pci\n');
    writeFileSync(join(etcDir, 'qemu-brup'), '#!/bin/sh\n');
    chmodSync(join(etcDir, 'qemu-brup'), 0o777);
    const hooked = await host.init('start', 'net');
    assert.equal(hooked.code, 4);
    assert.match(hooked.stderr, /Cannot trust ".*qemu-brup"/);
  },
);

test(
  'a machine whose files went bad while it runs is stopped by the power button, with the settings it has',
  options,
  async (t) => {
    const host = lab(t);
    const trace = join(host.dir, 'was-run');
    host.add('web', 'STOPDELAY=30\n');
    await host.ok('start', 'web');
    await host.ok('wait', 'web', '--for', 'console=ready');
    writeFileSync(join(host.etcDir, 'web-qemu.cfg'), `DSK1=web.img\nPRESTOP=/usr/bin/touch ${trace}\n`);
    for (const name of ['web-qemu.cfg', 'qemu-init.reg']) chmodSync(join(host.etcDir, name), 0o666);
    const { rung } = await host.one('stop', 'web');
    assert.equal(rung, 'powerdown');
    assert.ok(!existsSync(trace));
  },
);

test('check warns of images that others may exchange when QEMU runs as root', options, async (t) => {
  const host = lab(t);
  const his = join(host.dir, 'his');
  mkdirSync(his);
  host.add('web', 'CDR1=../../his/disc.iso\n');
  writeFileSync(join(his, 'disc.iso'), new Uint8Array(65_536));
  assert.equal((await host.init('check', 'web')).stderr, '');
  chownSync(his, STRANGER, STRANGER);
  const { code, stderr } = await host.init('check', 'web');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Warning: QEMU runs as root, and CDR1 can be replaced .*\/his": it belongs to user "64321"/);
  const firmware = join(his, 'code.fd');
  for (const file of [firmware, join(his, 'raw.img')]) writeFileSync(file, new Uint8Array(65_536));
  host.add('more', `FIRMWARE=${firmware}\n[custom]\n-drive file=${join(his, 'raw.img')},if=none,format=raw,id=d\n`);
  const more = (await host.init('check', 'more')).stderr;
  assert.match(more, /root, and FIRMWARE can be replaced .*\/his": it belongs to user "64321"/);
  assert.match(more, /root, and ".*raw\.img", which -drive in \[custom\] names, can be replaced/);
  // As /var/log is on some hosts.
  chownSync(his, 0, 0);
  chownSync(dirname(host.logDir), 0, STRANGER);
  chmodSync(dirname(host.logDir), 0o775);
  const logged = await host.init('check', 'web');
  assert.equal(logged.code, 0, logged.stderr);
  assert.match(
    logged.stderr,
    /Warning: QEMU runs as root, and its console log can be replaced .*var\/log" can be written/,
  );
  await host.ok('start', 'web');
  // It can be exchanged for that of another service, whose logs are not ours to shorten.
  const other = join(dirname(host.logDir), 'audit');
  mkdirSync(other);
  writeFileSync(join(other, 'audit.log'), new Uint8Array(5 * 1024 ** 2));
  renameSync(host.logDir, join(dirname(host.logDir), 'away'));
  renameSync(other, host.logDir);
  await host.ok('log', '--trim');
  assert.deepEqual(readdirSync(host.logDir), ['audit.log']);
  await host.ok('kill', 'web');
});

test('what the user behind sudo may not read does not reach him in a message', options, async (t) => {
  const host = lab(t);
  chmodSync(host.dir, 0o755);
  const secret = host.write('secret', 'root:$6$hash\nRMA=hash\n');
  chmodSync(secret, 0o600);
  const sudo = { env: { SUDO_UID: String(STRANGER), SUDO_GID: String(STRANGER) } };
  const check = async (config: string): Promise<string> => {
    const { code, stdout, stderr } = await host.run('qemu-init', ['check', config, '--json'], sudo);
    assert.ok(code === 4 || code === 6, stderr);
    return `${stdout}${stderr}`;
  };
  // His own file, or folder, which he made a link.
  mkdirSync(join(host.dir, 'his'));
  const config = join(host.dir, 'his/link-qemu.cfg');
  symlinkSync(secret, config);
  chownSync(join(host.dir, 'his'), STRANGER, STRANGER);
  const linked = await check(config);
  assert.match(linked, /Cannot trust/);
  assert.doesNotMatch(linked, /hash/);
  // Root's, for root alone.
  const closed = host.write('etc/qemu/closed-qemu.cfg', 'RAM=64M\nPASSWORD=hash\nSMP=hash\nKERNEL=/hash\n');
  chmodSync(closed, 0o600);
  const told = await check(closed);
  assert.doesNotMatch(told, /hash|PASSWORD/);
  for (const line of [2, 3, 4]) assert.match(told, new RegExp(`closed-qemu\\.cfg:${line}`));
  host.write('etc/qemu/qemu-init.reg', 'closed=closed\n');
  const { stdout } = await host.run('qemu-init', ['doctor'], sudo);
  assert.ok(stdout.split('closed-qemu.cfg, line').length > 3, stdout);
  assert.equal(stdout.split('root, and users who may read the file, can see it').length, 2, stdout);
  chmodSync(closed, 0o644);
  assert.match(await check(closed), /PASSWORD/);
});

test(
  'an editor works in a closed folder, and what belongs to another user is neither edited nor made',
  options,
  async (t) => {
    const host = lab(t);
    host.add('web');
    const editor = host.write(
      'editor',
      '#!/bin/sh\nstat -c "%a %u" "$(dirname "$1")" >"$0.saw"\necho "# edited" >>"$1"\n',
    );
    chmodSync(editor, 0o755);
    const env = { EDITOR: editor };
    assert.equal((await host.run('qemu-init', ['edit', 'web'], { env })).code, 0);
    assert.equal(readFileSync(`${editor}.saw`, 'utf8'), '700 0\n');
    assert.match(readFileSync(join(host.etcDir, 'web-qemu.cfg'), 'utf8'), /# edited/);
    const his = join(host.dir, 'his');
    mkdirSync(his);
    writeFileSync(join(his, 'x-qemu.cfg'), 'RAM=8M\n');
    chownSync(his, STRANGER, STRANGER);
    rmSync(`${editor}.saw`);
    for (const args of [
      ['edit', join(his, 'x-qemu.cfg')],
      ['create', 'y', '--output', his],
      ['import', join(host.etcDir, 'web-qemu.cfg'), '--output', his, '--name', 'z'],
    ]) {
      const { code, stderr } = await host.run('qemu-init', args, { env });
      assert.equal(code, 4, `${args.join(' ')}: ${stderr}`);
    }
    assert.ok(!existsSync(`${editor}.saw`));
  },
);

test('a user uses his own files below /tmp, and those of root', options, async (t) => {
  const host = lab(t);
  chmodSync(host.dir, 0o755);
  host.add('web', 'RAM=8M\n');
  for (const folder of [host.runDir, host.stateDir, host.logDir]) chownSync(folder, STRANGER, STRANGER);
  const { code, stdout, stderr } = await host.run('qemu-init', ['check', 'web'], { uid: STRANGER, cwd: '/' });
  assert.match(`${stdout}${stderr}`, /web\.img.*may not be|web\.img.*cannot|good/, stderr);
  assert.doesNotMatch(stderr, /Cannot trust/);
  assert.ok(code === 0 || code === 4 || code === 6);
});

test('disks and passwords that others may read, and passwords that VNC cuts off, are reported', async (t) => {
  const host = lab(t);
  const config = host.add('web', 'VNC=unix,password=pw\n');
  const password = host.write('etc/qemu/pw', 'longer-than-8\n');
  const disk = join(host.etcDir, 'web.img');
  for (const file of [host.dir, password, disk]) chmodSync(file, file === host.dir ? 0o755 : 0o644);
  const { code, stderr } = await host.init('check', 'web');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /DSK1 ".*web\.img" can be read by every user of this host \(mode 0644\) \(chmod go-rwx /);
  assert.match(stderr, /VNC ".*pw" can be read by every user of this host \(mode 0644\)/);
  assert.match(stderr, /password in ".*pw" is longer than 8 bytes; only the first 8 count/);
  assert.doesNotMatch(stderr, /longer-than/);
  const titles = (await host.json('doctor')).map(({ title }) => String(title));
  for (const part of [/web\.img" can be read/, /pw" can be read/, /longer than 8 bytes/]) {
    assert.ok(
      titles.some((title) => part.test(title)),
      titles.join('\n'),
    );
  }
  chmodSync(password, 0o640);
  chmodSync(disk, 0o640);
  writeFileSync(password, '12345678\n');
  assert.match(
    (await host.init('check', 'web')).stderr,
    /^\S*web-qemu\.cfg:\d+: Warning: VNC ".*pw" can be read by its group[^\n]*\n$/,
  );
  chmodSync(password, 0o600);
  assert.equal((await host.init('check', config)).stderr, '');
  assert.equal((await host.init('start', 'web')).code, 0);
  await host.ok('stop', 'web', '--force');
});

test('the interpreter of a program, and a script that one is given, are looked at as well', options, async (t) => {
  const host = lab(t);
  chmodSync(host.dir, 0o755);
  const trace = join(host.dir, 'was-run');
  const foreign = host.write('foreign', `#!/bin/sh\ntouch ${trace}\n`);
  chmodSync(foreign, 0o755);
  chownSync(foreign, STRANGER, STRANGER);
  const script = host.write('script', `#!${foreign}\n`);
  const byEnv = host.write('by-env', '#!/usr/bin/env foreign\n');
  for (const path of [script, byEnv]) chmodSync(path, 0o755);
  const env = { PATH: `${host.dir}:${process.env['PATH']}` };
  for (const lines of [
    `TGTARCH=${script}\n`,
    `TGTARCH=${byEnv}\n`,
    `PRECMD=${script}\n`,
    `PRECMD=/bin/sh ${foreign}\n`,
    `PRECMD=/bin/sh ../../foreign\n`,
  ]) {
    host.add('web', lines);
    for (const action of ['check', 'showcmd', 'start']) {
      const { code, stderr } = await host.run('qemu-init', [action, 'web'], { env });
      if (action === 'showcmd' && lines.startsWith('PRECMD')) continue;
      assert.equal(code, 4, `${lines}${action}: ${stderr}`);
      assert.match(stderr, /foreign": it belongs to/, `${lines}${action}`);
    }
  }
  assert.ok(!existsSync(trace));
});
