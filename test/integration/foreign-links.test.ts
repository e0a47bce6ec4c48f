import assert from 'node:assert/strict';
import { lchownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';

const NOBODY = 65_534;
const skip = process.getuid?.() !== 0 && 'only root has to mistrust links';

test('no link that another user has put where a command is told to read or write leads root elsewhere', {
  skip,
}, async (t) => {
  const root = lab(t);
  const his = join(root.dir, 'his');
  const closed = join(root.dir, 'closed');
  for (const path of [his, closed]) mkdirSync(path, { mode: 0o755 });
  writeFileSync(join(closed, 'secret'), 'root:$y$hash:20784::::::\n', { mode: 0o600 });
  lchownSync(his, NOBODY, NOBODY);
  for (const [name, target] of [
    ['file', 'secret'],
    ['vm.conf', 'secret'],
    ['key.pub', 'secret'],
    ['folder', '.'],
  ] as const) {
    symlinkSync(join(closed, target), join(his, name));
    lchownSync(join(his, name), NOBODY, NOBODY);
  }
  root.write('etc/qemu/monitor.conf', 'MONITOR=off\n');
  root.add('web', 'VGA=std\nVNC=unix\n');
  await root.ok('start', 'web');
  const refused: readonly (readonly string[])[] = [
    ['import', join(his, 'vm.conf'), '--format', 'quickemu', '--name', 'one'],
    ['import', join(his, 'vm.conf'), '--format', 'proxmox', '--name', 'two'],
    ['create', 'three', '--disk', '1M', '--user-data', join(his, 'file')],
    ['create', 'four', '--disk', '1M', '--ssh-key', join(his, 'key.pub')],
    ['screenshot', 'web', join(his, 'folder/shot.png')],
    ['dump', 'web', join(his, 'folder/secret')],
  ];
  for (const words of refused) {
    const { code, stdout, stderr } = await root.init(...words);
    assert.equal(code, 4, `${words.join(' ')}: ${stdout}${stderr}`);
    assert.match(stderr, /a link of user "nobody" leads to ".*\/closed/);
    assert.doesNotMatch(stdout + stderr, /hash/);
  }
  assert.deepEqual(readdirSync(closed), ['secret']);
  assert.match(readFileSync(join(closed, 'secret'), 'utf8'), /hash/);
  assert.deepEqual(readdirSync(root.etcDir).sort(), ['monitor.conf', 'qemu-init.reg', 'web-qemu.cfg', 'web.img']);
  await root.ok('kill', 'web');
});
