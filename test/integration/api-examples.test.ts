import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

const folder = join(repoRoot, 'docs/api');
const examples = readdirSync(folder).flatMap((page) => {
  const blocks = readFileSync(join(folder, page), 'utf8').matchAll(/^```js\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, code = '']) => ({ page, code })).filter(({ code }) => code.startsWith('import '));
});

test('the example of every class in docs/api runs', async (t) => {
  assert.ok(examples.length >= 12, `${examples.length}`);
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  // Snapshots are inside of images that can have them.
  await root.ok('disk', 'convert', 'web', 'DSK1', 'qcow2');
  const work = join(root.dir, 'work');
  mkdirSync(join(work, 'backup'), { recursive: true });
  for (const { page, code } of examples) {
    await root.ok('start', 'web');
    await root.ok('wait', 'web', '--for', 'console=.');
    const file = root.write(
      `work/${page}.mjs`,
      code
        .replaceAll(/'qemu-init(\/testing)?'/g, (_, part) => urlOf(part))
        // A folder of the host in the examples.
        .replaceAll('/srv/backup', join(work, 'backup')),
    );
    const env = { ...process.env, QEMU_INIT_ROOT: root.dir };
    const { stderr } = await promisify(execFile)(process.execPath, [file], { cwd: work, env, timeout: 60_000 });
    assert.equal(stderr, '', page);
  }
  await root.ok('kill', 'web');
});

function urlOf(part: string | undefined): string {
  return `'${pathToFileURL(join(repoRoot, `dist/lib${part ?? ''}/index.js`)).href}'`;
}
