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

/** The same of pages alone: comments in sources are for those who know the code. */
const BANNED_IN_PAGES: typeof BANNED = [
  [/\bbesides?\b/i, 'next to, in addition to'],
  [/(?<!`)\b(?:some|no)body\b/i, 'the actor: another process, no other user'],
  [/\bladder\b/i, 'the steps of a stop'],
  [/\bof (?:its|their) own\b/i, 'separate, its'],
  [/\bbehind (?:an?|the) (?:action|option|word)\b/i, 'after'],
];

const PAGES = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md'), ...filesIn('docs/man', '.md')];
const SOURCES = filesIn('src', '.ts').filter((path) => !path.includes('/generated/'));

test('pages, messages and help are free of the turns of phrase that readers stumble over', () => {
  const found = [...PAGES, ...SOURCES].flatMap((path) =>
    readFileSync(join(repoRoot, path), 'utf8')
      .split('\n')
      .flatMap((line, at) =>
        (PAGES.includes(path) ? [...BANNED, ...BANNED_IN_PAGES] : BANNED)
          .filter(([pattern]) => pattern.test(line))
          .map(([, instead]) => `${path}:${at + 1}: ${line.trim().slice(0, 80)} (write: ${instead})`),
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
