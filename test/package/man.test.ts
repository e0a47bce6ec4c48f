import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { repoRoot } from '../support/repo.ts';

const { bin } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));
const sources = readdirSync(join(repoRoot, 'docs/man')).filter((name) => /\.[1-8]\.md$/.test(name));
const outDir = mkdtempSync(join(tmpdir(), 'qi-man-'));
after(() => rmSync(outDir, { recursive: true }));
run(process.execPath, 'scripts/man.mjs', outDir);

/** What mandoc may say, each with the reason why it is harmless. */
const HARMLESS = [
  // Before its first release a changelog has no date, and the clock's would make each build another.
  ...(/^## \[\d/m.test(source('CHANGELOG.md')) ? [] : [/cannot parse date, using it verbatim: TH Unreleased$/]),
];

test('every tool and the configuration files have a manual page', () => {
  const names = new Set(sources.map((name) => name.replace(/\.[1-8]\.md$/, '')));
  assert.deepEqual(
    [...Object.keys(bin), 'qemu.cfg'].filter((name) => !names.has(name)),
    [],
  );
});

test('the parts of the pages that come from tables of the code are up to date, and no action is missing', () => {
  assert.equal(run(process.execPath, 'scripts/man-tables.mjs', '--check'), '');
});

for (const name of sources) {
  const page = name.replace(/\.md$/, '');

  test(`mandoc has no complaint about ${page}`, () => {
    const output = run('mandoc', '-T', 'lint', '-W', 'warning', join(outDir, page));
    const complaints = output.split('\n').filter((line) => line !== '' && !HARMLESS.some((known) => known.test(line)));
    assert.deepEqual(complaints, []);
  });

  test(`${page} of the build is made of its source`, () => {
    assert.equal(source(join('dist/man', page)), readFileSync(join(outDir, page), 'utf8'));
  });

  test(`${page} refers to pages of ours that exist`, () => {
    const ours = [...source(join('docs/man', name)).matchAll(/\*\*(qemu[\w.-]*)\*\*\((\d)\)/g)].filter(
      ([, other]) => other !== 'qemu-system',
    );
    assert.deepEqual(
      ours.map(([, other, section]) => `${other}.${section}`).filter((other) => !sources.includes(`${other}.md`)),
      [],
    );
  });
}

for (const tool of ['qemu-cmd', 'qemu-mon']) {
  test(`the page of ${tool} tells every option that its help lists`, () => {
    const options: readonly string[] = run(join('bin', tool), '--help').match(/--[a-z][a-z-]*/g) ?? [];
    const text = source(`docs/man/${tool}.1.md`);
    assert.ok(options.includes('--timeout') || options.includes('--events'), 'the help has options');
    assert.deepEqual(
      [...new Set(options)].filter((option) => !text.includes(option) && !COMMON.has(option)),
      [],
    );
  });
}

/** Options that go with every tool: told once, in qemu-init(8). */
const COMMON = new Set(
  ['json', 'quiet', 'verbose', 'debug', 'color', 'no-color', 'root', 'system', 'user', 'direct', 'version', 'help'].map(
    (name) => `--${name}`,
  ),
);

function source(path: string): string {
  const file = join(repoRoot, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** What a program printed, on either stream. */
function run(file: string, ...args: string[]): string {
  const { stdout, stderr, error } = spawnSync(file, args, { cwd: repoRoot, encoding: 'utf8' });
  assert.ifError(error);
  return stdout + stderr;
}
