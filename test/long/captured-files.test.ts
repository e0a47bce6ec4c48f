import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Lab, lab } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

const NOBODY = 65_534;

interface Bait {
  readonly file: string;
  readonly folder: string;
  readonly socket: string;
}

type Put = (path: string, bait: Bait) => void;

const WAYS: Readonly<Record<string, Put>> = {
  'links to a file of root': (path, { file }) => symlinkSync(file, path),
  'links to a folder of root': (path, { folder }) => symlinkSync(folder, path),
  'links to a socket of root': (path, { socket }) => symlinkSync(socket, path),
  pipes: (path) => execFileSync('mkfifo', ['-m', '666', path]),
  folders: (path) => {
    mkdirSync(path);
    writeFileSync(join(path, 'x'), '');
  },
  files: (path) => writeFileSync(path, '\u001b[2J'.repeat(1000)),
  nothing: () => {},
};

const RUN_FILES = [
  'pid',
  'qmp.sock',
  'console.sock',
  'agent.sock',
  'vnc.sock',
  'spice.sock',
  'move.sock',
  'disks.sock',
  'save.sock',
];

const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['diff'],
  ['attach', 'DSK2=two.qcow2', '--timeout', '3'],
  ['detach', 'DSK2', '--timeout', '3'],
  ['reload', '--timeout', '3'],
  ['insert', 'CDR1', 'disc.iso', '--timeout', '3'],
  ['eject', 'CDR1', '--timeout', '3'],
  ['balloon'],
  ['nic', 'link', '@', 'NIC1', 'down'],
  ['screenshot', 'FILE.png'],
  ['sendkey', 'a'],
  ['vnc'],
  ['security'],
  ['log', '--console'],
  ['log', '--trim'],
  ['log'],
  ['dump', 'FILE.core'],
  ['agent', '@', 'ping'],
  ['agent', '@', 'get', '/etc/hosts', 'FILE.hosts'],
  ['jobs'],
  ['disk', 'list', '@'],
  ['disk', 'resize', '@', 'DSK1', '5M'],
  ['disk', 'mirror', '@', 'DSK1', 'FILE.qcow2'],
  ['snapshot', 'create', '@', 'one', '--quiesce', 'off'],
  ['snapshot', 'list', '@'],
  ['backup', 'create', '@', 'DEST', '--quiesce', 'off'],
  ['metrics'],
  ['top', '--once'],
  ['check'],
  ['explain'],
  ['doctor', '-'],
  ['clone', '@', 'copy'],
  ['migrate', '@', 'root:OTHER', '--timeout', '10'],
  ['restart', '--live', '--check'],
  ['save'],
  ['stop', '--timeout', '2'],
  ['status'],
  ['disk', 'check', '@'],
  ['disk', 'resize', '@', 'DSK1', '6M'],
  ['snapshot', 'create', '@', 'three', '--quiesce', 'off'],
  ['snapshot', 'revert', '@', 'three'],
  ['backup', 'create', '@', 'DEST', '--quiesce', 'off'],
  ['disk', 'convert', '@', 'DSK1', 'raw', 'FILE.raw'],
  ['restore', 'DEST', 'bad'],
  ['start', '--fresh'],
  ['kill'],
  ['rename', '@', 'worse'],
  ['rename', 'worse', 'bad', '+'],
];

const LINES =
  'MACHINE=pc\nVGA=std\nVNC=unix\nQGA=on\nBALLOON=on\nRAM=32M\nCDR1=empty\nNIC1=virtio,net=user\nRUNAS=nobody\nNETIF=managed\n';

describe('a captured QEMU of another user', {
  concurrency: 2,
  skip: process.getuid?.() !== 0 && 'it takes root',
}, () => {
  for (const [way, put] of Object.entries(WAYS)) {
    for (const where of ['run-time files', 'images'] as const) {
      test(`${way} in place of its ${where} lead root nowhere`, async (t) => {
        const { root, images, bait } = scene(t);
        const before = look(bait);
        const attack = (): void => {
          if (where === 'run-time files') {
            const folder = root.file('bad', 'qemu');
            if (lstatSync(folder, { throwIfNoEntry: false })?.uid !== NOBODY) return;
            for (const name of RUN_FILES) replace(join(folder, name), put, bait);
          } else {
            for (const name of readdirSync(images)) replace(join(images, name), put, bait);
          }
        };
        await root.ok('start', 'bad');
        for (const words of COMMANDS) {
          attack();
          await inTurn(root, words, images);
          assert.deepEqual(look(bait), before, `after ${words.join(' ')}`);
        }
        await root.init('kill', 'bad');
      });
    }
  }
});

function scene(t: Cleanup): { readonly root: Lab; readonly images: string; readonly bait: Bait } {
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  root.ownPorts();
  const images = join(root.dir, 'images');
  mkdirSync(images);
  for (const name of ['one', 'two']) {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(images, `${name}.qcow2`), '4M']);
    chownSync(join(images, `${name}.qcow2`), NOBODY, NOBODY);
  }
  chownSync(images, NOBODY, NOBODY);
  root.write('etc/qemu/disc.iso', new Uint8Array(1024 ** 2));
  root.add('bad', `${LINES}DSK1=${join(images, 'one.qcow2')}\n`);
  for (const name of ['dest', 'other', 'bait', 'bait/folder']) mkdirSync(join(root.dir, name));
  const bait = {
    file: join(root.dir, 'bait/file'),
    folder: join(root.dir, 'bait/folder'),
    socket: join(root.dir, 'bait/socket'),
  };
  writeFileSync(bait.file, 'S3CR3T', { mode: 0o600 });
  writeFileSync(join(bait.folder, 'inside'), 'inside', { mode: 0o600 });
  chmodSync(bait.folder, 0o700);
  const server = createServer((socket) => {
    appendFileSync(join(root.dir, 'bait/visited'), 'x');
    socket.destroy();
  }).listen(bait.socket);
  t.after(() => void server.close());
  return { root, images, bait };
}

function replace(path: string, put: Put, bait: Bait): void {
  rmSync(path, { recursive: true, force: true });
  put(path, bait);
  try {
    execFileSync('chown', ['-h', `${NOBODY}:${NOBODY}`, path], { stdio: 'ignore' });
  } catch {
    // Nothing is there.
  }
}

/** All that must stay as it is. */
function look({ file, folder }: Bait): unknown {
  const top = join(file, '..');
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { uid, gid, mode, mtimeMs, nlink, size } = lstatSync(join(top, name));
      return [name, uid, gid, mode, mtimeMs, nlink, size];
    })
    .concat([[readFileSync(file, 'utf8'), readFileSync(join(folder, 'inside'), 'utf8')]]);
}

async function inTurn(root: Lab, words: readonly string[], images: string): Promise<void> {
  const given = words
    .filter((word) => word !== '-' && word !== '+')
    .map((word) =>
      word
        .replace(/^DSK2=two/, `DSK2=${join(images, 'two')}`)
        .replace(/^disc\.iso$/, join(root.etcDir, 'disc.iso'))
        .replace(/^@$/, 'bad')
        .replace(/^DEST$/, join(root.dir, 'dest'))
        .replace(/OTHER/, join(root.dir, 'other'))
        .replace(/^FILE/, join(root.dir, 'file')),
    );
  const [action = '', ...rest] = given;
  const isWhole = words.some((word) => ['@', '-', '+', 'DEST'].includes(word));
  const args = isWhole ? given : [action, 'bad', ...rest];
  const { code, stdout, stderr } = await root.run('qemu-init', [...args, '--no-color'], {
    timeoutMs: 120_000,
    input: '',
  });
  const label = `${words.join(' ')}: ${stdout}${stderr}`.slice(0, 1000);
  assert.ok(code !== undefined && code <= 7, label);
  assert.doesNotMatch(`${stdout}${stderr}`, /Internal error|\n\s+at |S3CR3T/, label);
}
