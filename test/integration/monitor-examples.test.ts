import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

test('each example of the help and the man pages of qemu-cmd and qemu-mon works as it stands', async (t) => {
  const root = lab(t);
  root.add('web', 'RAM=64M\nBALLOON=on\nNIC1=virtio-net-pci,net=user\n');
  root.add('db');
  await root.ok('start', 'web', 'db');
  const examples = [
    ...exampleLines((await root.run('qemu-cmd', ['--help'])).stdout),
    ...['qemu-cmd', 'qemu-mon'].flatMap((tool) =>
      exampleLines(readFileSync(join(repoRoot, 'docs/man', `${tool}.1.md`), 'utf8')),
    ),
  ]
    // Until it is interrupted.
    .filter((line) => !line.includes('--events'))
    // What other programs make of an answer.
    .map((line) => line.replace(/ \| jq .*/, ''));
  assert.ok(examples.length >= 10, `${examples}`);
  for (const line of new Set(examples)) {
    const env = { ...process.env, QEMU_INIT_ROOT: root.dir, PATH: `${join(repoRoot, 'bin')}:${process.env['PATH']}` };
    // Nothing may be left over from one example for another.
    const undo = line.includes('object-add') ? `; code=$?; qemu-cmd -q object-del id=slow web; exit $code` : '';
    const shown = await promisify(execFile)('sh', ['-c', `(${line}) </dev/null${undo}`], { env });
    assert.equal(shown.stderr, '', line);
  }
  await root.ok('kill', '--all');
});

const REFUSED = [
  ...['nope', 'info nope', 'help nope', 'device_del', 'device_add nope', 'device_add virtio-rng', 'device_del nope'],
  ...['drive_add 0 if=none,file=/nope', 'drive_add 0 nope=1', 'drive_del nope', 'commit nope', 'eject', 'eject nope'],
  ...['change nope /x', 'block_resize nope 1', 'migrate nope', 'migrate_set_capability nope on', 'balloon x', 'cpu 99'],
  ...['netdev_add user', 'netdev_del nope', 'hostfwd_add nope tcp::1-:1', 'set_link nope on', 'object_add nope'],
  ...['object_del nope', 'chardev-remove nope', 'screendump /nope/x', 'sendkey nope', 'mouse_set 99', 'print 1+'],
  ...['print $nope', 'x /1x 0xffffffffffff0000', 'gpa2hva 0xffffffffffff', 'memsave 0', 'gdbserver nope', 'boot_set z'],
  ...['logfile /nope/x', 'trace-event nope on', 'qom-list /nope', 'qom-get /machine nope', 'info status nope'],
  ...['stop x', 'block_job_cancel nope', 'nbd_server_stop', 'closefd nope', 'loadvm nope', 'info lapic 99'],
];

const TAKEN = [
  ...['info status', 'info block', 'info kvm', 'info mem', 'info tpm', 'info version', 'info replay', 'info network'],
  ...['info hotpluggable-cpus', 'help', 'help device_add', 'print 1', 'qom-list', 'sendkey a', 'nmi', 'stop', 'cont'],
];

test('what the human monitor refuses is not ok, and what it takes is', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  for (const [lines, ok, code] of [
    [REFUSED, false, 1],
    [TAKEN, true, 0],
  ] as const) {
    const result = await root.run('qemu-cmd', ['-c', '-', 'web', '--json'], { input: lines.join('\n') });
    const documents = result.stdout.split(/(?<=^\]\n)/m).map((document) => JSON.parse(document)[0]);
    assert.deepEqual(
      documents.map((each) => ({ command: each.command, ok: each.ok })),
      lines.map((command) => ({ command, ok })),
      result.stdout,
    );
    assert.equal(result.code, code);
  }
  await root.ok('kill', 'web');
});

/** The lines of a text that begin like a command, in its part about examples. */
function exampleLines(text: string): string[] {
  const [, examples = ''] = text.split(/^(?:## )?Examples:?$/im);
  return examples
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(qemu-(cmd|mon)|printf) /.test(line));
}
