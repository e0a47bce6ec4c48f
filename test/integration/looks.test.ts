import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { readProcess } from '../../src/system/process/process.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

/** A file that does not start, and so costs nothing. */
const BROKEN = 'DSK1=missing.img\n';

/** What a tool prints on a terminal of that width. */
function onTerminal(root: Lab, columns: number, env: NodeJS.ProcessEnv, ...args: readonly string[]): string {
  const command = [process.execPath, join(repoRoot, 'bin/qemu-init'), ...args].map((word) => `'${word}'`).join(' ');
  const inherited = Object.entries(process.env).filter(([name]) => !/^(NO|FORCE)_COLOR$/.test(name));
  const text = execFileSync(
    'script',
    ['-q', '-E', 'never', '-c', `stty cols ${columns}; ${command}; true`, '/dev/null'],
    {
      env: { ...Object.fromEntries(inherited), TERM: 'xterm', QEMU_INIT_ROOT: root.dir, SHELL: '/bin/sh', ...env },
      encoding: 'utf8',
    },
  );
  return text.replaceAll('\r\n', '\n');
}

/** What begins a colour, ECMA-48. */
const COLOUR = '\u001b[';

test('list and status fit the terminal, whatever is in the files', (t) => {
  const root = lab(t);
  const long = 'a-name-of-forty-characters-as-the-longest';
  for (const name of [long.slice(0, 40), 'web'])
    root.add(
      name,
      `${BROKEN}RAM=24M\nSMP=cores=2,threads=2\nDESC="${'all that the shop needs, and more '.repeat(5)}"\n`,
    );
  for (const columns of [80, 132]) {
    for (const action of ['list', 'status']) {
      const text = onTerminal(root, columns, { NO_COLOR: '1' }, action);
      const lines = text.trimEnd().split('\n');
      assert.equal(lines.length, 3, text);
      assert.ok(Math.max(...lines.map(({ length }) => length)) <= columns, text);
    }
  }
  const [heading = '', , web = ''] = onTerminal(root, 80, { NO_COLOR: '1' }, 'list').split('\n');
  assert.match(heading, /^NAME +STATE +RAM +CPUS/);
  assert.match(web, /^web +stopped +24M +4 /);
});

test('states have colours on a terminal and where FORCE_COLOR asks, and none in pipes, with NO_COLOR or without colours', async (t) => {
  const root = lab(t);
  root.add('web', BROKEN);
  const stopped = '\u001b[2mstopped\u001b[22m';
  assert.ok(onTerminal(root, 80, {}, 'list').includes(stopped));
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
    assert.ok(!onTerminal(root, 80, env, 'list').includes(COLOUR));
  assert.ok(!onTerminal(root, 80, {}, 'list', '--no-color').includes(COLOUR));
  assert.ok(!(await root.ok('list')).includes(COLOUR));
  assert.ok((await root.run('qemu-init', ['list'], { env: { FORCE_COLOR: '1' } })).stdout.includes(stopped));
  assert.ok((await root.ok('list', '--color')).includes(stopped));
});

test('showcmd has an option a line on a terminal, which a shell reads as the one line of a pipe', async (t) => {
  const root = lab(t);
  root.add('web');
  const pretty = onTerminal(root, 80, { NO_COLOR: '1' }, 'showcmd', 'web');
  assert.ok(pretty.split('\n').length > 20, pretty);
  const words = (text: string): string => execFileSync('sh', ['-c', `printf '%s\\n' ${text}`], { encoding: 'utf8' });
  assert.equal(words(pretty), words(await root.ok('showcmd', 'web')));
});

test('what all have in common is one line, and what one has alone is its own', async (t) => {
  const root = lab(t);
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) root.add(name, BROKEN);
  root.add('web');
  await root.ok('start', 'web');
  const { stdout } = await root.init('stop', '--all', '--force');
  assert.match(stdout, /^web: stopped by quit in .*\n5 machines: not running\n$/);
  assert.equal(await root.ok('stop', ...names), names.map((name) => `${name}: not running\n`).join(''));
});

test('status has how each machine ended in its table, and its notes only for those that are named', async (t) => {
  const root = lab(t);
  for (const name of ['web', 'db']) root.add(name);
  await root.ok('start', 'web', 'db');
  await root.ok('kill', 'web', 'db');
  const all = await root.init('status');
  assert.match(all.stdout, /REASON\nweb .* killed by qemu-init, (just now|\d+ s ago)\ndb /);
  assert.equal(all.stderr, '');
  const one = await root.init('status', 'web');
  assert.match(
    one.stderr,
    /^web: qemu-init ended QEMU with SIGKILL, .*pulling the plug on the guest, (just now|\d+ s ago)\n$/,
  );
});

test('status says why boot did not start a machine, until it runs', async (t) => {
  const root = lab(t);
  root.add('web', 'AUTOSTART=on\n');
  const disk = join(root.etcDir, 'web.img');
  execFileSync('mv', [disk, `${disk}.away`]);
  assert.equal((await root.init('start', '--autostart')).code, 6);
  assert.match(
    (await root.init('status')).stdout,
    /web .*did not start (just now|\d+ s ago): DSK1 .*web\.img" does not exist/,
  );
  const failure = (await root.one('status', 'web'))['startFailure'];
  assert.match(JSON.stringify(failure), /does not exist/);
  execFileSync('mv', [`${disk}.away`, disk]);
  await root.ok('start', 'web');
  await root.ok('kill', 'web');
  assert.doesNotMatch((await root.init('status')).stdout, /did not start/);
  assert.equal((await root.one('status', 'web'))['startFailure'], null);
});

test('a stop that waits says on a terminal what for; Ctrl-C ends the wait and not the guest', async (t) => {
  const root = lab(t);
  root.add('web', 'STOPDELAY=600\n', { deaf: true });
  const command = (action: string): string =>
    `'${process.execPath}' '${join(repoRoot, 'bin/qemu-init')}' ${action} web`;
  const script = `${command('start')}; echo $$ >${root.dir}/pid; exec ${command('stop')}`;
  const child = spawn('script', ['-q', '-f', '-E', 'never', '-c', script, '/dev/null'], {
    env: { ...process.env, QEMU_INIT_ROOT: root.dir, SHELL: '/bin/sh' },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(
    'it says what it waits for',
    () => output.includes('waiting up to 600 s for the guest to shut down: web'),
    90_000,
  );
  assert.match(output, /to see it: qemu-init console web; to stop it: qemu-init stop web/);
  child.stdin.write('\x03');
  await once(child, 'close');
  assert.match(output, /it still runs, but may still shut down/);
  assert.equal(await root.state('web'), 'running');
  const { pid } = await root.one('status', 'web');
  assert.ok(readProcess(Number(pid)));
  await root.ok('kill', 'web');
});
