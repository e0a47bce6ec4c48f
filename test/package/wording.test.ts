import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../support/repo.ts';

/** Turns of phrase that an outsider has to read twice, and what to write instead. */
const BANNED: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bnot allowed; allowed (?:is|are)\b/, 'must be A or B, not "C"'],
  [/\band (?:its|their) kin\b/, 'and related'],
  [/\bshall\b/, 'must'],
  [/\bwhen (?:it is )?not given\b/, 'default: …'],
  [
    /(?<!there )\bis no (?:file|folder|name|number|path|program|address|model|machine type|user|key|bridge)\b/i,
    'is not a',
  ],
  [/\bone word too many\b/, 'unexpected argument'],
  [/\bmore than a look\b/, 'changes the machine'],
];

const PAGES = ['README.md', 'SECURITY.md', ...filesIn('docs', '.md'), ...filesIn('docs/man', '.md')];
const SOURCES = filesIn('src', '.ts').filter((path) => !path.includes('/generated/'));

test('pages, messages and help are free of the turns of phrase that readers stumble over', () => {
  const found = [...PAGES, ...SOURCES].flatMap((path) =>
    readFileSync(join(repoRoot, path), 'utf8')
      .split('\n')
      .flatMap((line, at) =>
        BANNED.filter(([pattern]) => pattern.test(line)).map(
          ([, instead]) => `${path}:${at + 1}: ${line.trim().slice(0, 80)} (write: ${instead})`,
        ),
      ),
  );
  assert.deepEqual(found, []);
});

function filesIn(folder: string, end: string): string[] {
  const isDeep = folder === 'src';
  return readdirSync(join(repoRoot, folder), { recursive: isDeep, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name}`);
}
