import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { installPacked } from '../support/package.ts';
import { repoRoot } from '../support/repo.ts';

const { version, bin, exports } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));
const project = installPacked({ after });
const entries = Object.keys(exports)
  .filter((name) => !name.endsWith('.json'))
  .map((name) => `qemu-init${name.slice(1)}`);

for (const tool of Object.keys(bin)) {
  test(`an installed ${tool} starts through a chain of links and knows its version`, () => {
    const links = join(project, `links-${tool}`);
    mkdirSync(links);
    symlinkSync(join(project, 'node_modules/qemu-init', bin[tool]), join(links, 'first'));
    symlinkSync('first', join(links, tool));
    const { status, stdout, stderr } = spawnSync(join(links, tool), ['--version'], { cwd: '/', encoding: 'utf8' });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${tool} ${version}\n`, stderr: '' });
  });
}

/** The packs of a build have its stamp in their names. */
function cacheOf(dir: string, pack: string): string {
  const names = readdirSync(dir).filter((name) => name.endsWith(`-${pack}.cache`));
  assert.equal(names.length, 1, `${names}`);
  return join(dir, String(names[0]));
}

test('the tools run without their code cache, and with one that is not theirs', () => {
  const dir = join(project, 'node_modules/qemu-init/dist/bin');
  const cache = cacheOf(dir, 'status');
  const kept = readFileSync(cache);
  const runs = (): string =>
    execFileSync(process.execPath, [join(dir, '../../bin/qemu-init'), 'status', '--all', '--json', '--root', project], {
      encoding: 'utf8',
    });
  assert.ok(kept.length > 10_000);
  const ofOtherCode = readFileSync(cacheOf(dir, 'stop'));
  for (const bytes of [kept, kept.subarray(0, 5_000), Buffer.from('rubbish'), Buffer.alloc(0), ofOtherCode]) {
    writeFileSync(cache, bytes);
    assert.equal(runs(), '[]\n');
  }
  rmSync(cache);
  assert.equal(runs(), '[]\n');
  writeFileSync(cache, kept);
});

test('V8 is handed the code cache of this very build of Node.js only: it crashes on that of another with the same V8', () => {
  const dir = join(project, 'node_modules/qemu-init/dist/bin');
  const cache = cacheOf(dir, 'status');
  const kept = readFileSync(cache);
  const line = kept.indexOf('\n');
  assert.equal((line + 1) % 8, 0);
  const build = kept.toString('latin1', 0, line).trimEnd();
  const spy = join(project, 'spy.cjs');
  writeFileSync(
    spy,
    `const vm = require('node:vm');
    vm.Script = class extends vm.Script {
      constructor(code, options) {
        super(code, options);
        process.on('exit', () => process.stderr.write(String(options.cachedData && !this.cachedDataRejected)));
      }
    };`,
  );
  const isUsed = (): string => {
    const words = ['--require', spy, join(dir, '../../bin/qemu-init'), 'status', '--all', '--json', '--root', project];
    return spawnSync(process.execPath, words, { encoding: 'utf8' }).stderr;
  };
  assert.equal(isUsed(), 'true');
  const [release = '', ...rest] = build.split(' ');
  const others = [[`${release}1`, ...rest].join(' '), `${build}1`, build.replace(/ \d+ /, ' 1 '), ''];
  for (const other of others) {
    writeFileSync(cache, Buffer.concat([Buffer.from(`${other}\n`), kept.subarray(line + 1)]));
    assert.equal(isUsed(), 'undefined', other);
  }
  writeFileSync(cache, kept);
});

for (const entry of entries) {
  test(`a fresh project can import "${entry}", and require it`, () => {
    writeFileSync(join(project, 'use.mjs'), `console.log(Object.keys(await import('${entry}')).length > 0);\n`);
    // Node 20 still warns that require() of an ES module is new.
    writeFileSync(join(project, 'use.cjs'), `console.log(Object.keys(require('${entry}')).length > 0);\n`);
    for (const file of ['use.mjs', 'use.cjs']) {
      const output = execFileSync(process.execPath, ['--no-warnings', file], { cwd: project, encoding: 'utf8' });
      assert.equal(output, 'true\n', basename(file));
    }
  });
}

test('a fresh project talks to a monitor, from JavaScript and from TypeScript', () => {
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(project, 'talk.ts'), TALK);
  const { stdout } = tsc(['--outDir', '.', 'talk.ts']);
  assert.equal(stdout, '');
  const output = execFileSync(process.execPath, ['talk.js'], { cwd: project, encoding: 'utf8' });
  assert.equal(output, 'prelaunch CommandNotFound STOP\n');
});

/** A program of a user; what its comments expect to be an error is one. */
const TALK = `
import { Domain, QmpClient, QmpRefusedError } from 'qemu-init';
import { FakeQmpServer } from 'qemu-init/testing';

const server = await FakeQmpServer.start();
const client = await QmpClient.connect(server.address);
const { status } = await new Domain(client, 'web').client.execute('query-status');
// @ts-expect-error: there is no such command.
const refusal: unknown = await client.execute('no-such-command').catch((error: unknown) => error);
// @ts-expect-error: it takes no such argument.
void (() => client.execute('device_del', { ident: 'a' }));
const stopped = client.waitForEvent('STOP');
(await server.connection()).send('{"event": "STOP"}\\r\\n');
const { event } = await stopped;
console.log(status, refusal instanceof QmpRefusedError && refusal.errorClass, event);
await client.close();
await server.close();
`;

test('the published types compile in a strict project that checks them as well', () => {
  writeFileSync(
    join(project, 'use.ts'),
    entries.map((entry, i) => `import * as api${i} from '${entry}';\nconsole.log(api${i});\n`).join(''),
  );
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n');
  const { stdout } = tsc(['--noEmit', 'use.ts']);
  assert.equal(stdout, '');
});

function tsc(args: readonly string[]): { readonly stdout: string } {
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--pretty', 'false'];
  const libraries = ['--lib', 'es2023,esnext.disposable', '--skipLibCheck', 'false'];
  const file = join(repoRoot, 'node_modules/.bin/tsc');
  return spawnSync(file, [...options, ...libraries, ...args], { cwd: project, encoding: 'utf8' });
}

test('a tool of a checkout that is not built says so in one line', () => {
  const folder = join(project, 'unbuilt');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), readFileSync(join(repoRoot, 'bin/package.json')));
  for (const tool of Object.keys(bin)) {
    const copy = join(folder, tool);
    writeFileSync(copy, readFileSync(join(repoRoot, 'bin', tool)), { mode: 0o755 });
    const { status, stderr } = spawnSync(process.execPath, [copy, 'list'], { encoding: 'utf8' });
    assert.deepEqual(
      { status, stderr },
      { status: 1, stderr: `${tool}: it is not built yet; run: npm ci && npm run build\n` },
    );
  }
});
