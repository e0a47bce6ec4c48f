import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scriptInterpreter, scriptProblem } from '../../../src/system/trust/script.ts';
import { tempDir } from '../../support/temp-root.ts';

function script(t: TestContext, text: string): string {
  const path = join(tempDir(t), 'hook');
  writeFileSync(path, text);
  return path;
}

test('a script whose interpreter the kernel does not find is named for what is wrong with it', (t) => {
  assert.equal(scriptProblem(script(t, '#!/bin/sh\n')), undefined);
  assert.match(scriptProblem(script(t, '#!/bin/sh\r\n'))?.problem ?? '', /line ends of Windows/);
  const missing = scriptProblem(script(t, '#! /no/such -x\n'));
  assert.deepEqual([missing?.isMissing, /"\/no\/such"/.test(missing?.problem ?? '')], [true, true]);
  for (const text of ['', '\u007fELF', '#!', '#! \t\n']) assert.equal(scriptProblem(script(t, text)), undefined);
  for (const path of ['/no/such', '/dev/null', '/tmp']) assert.equal(scriptProblem(path), undefined);
});

test('the program that runs a script is found behind env and its options', (t) => {
  assert.equal(scriptInterpreter(script(t, '#!/bin/sh -e\n')), '/bin/sh');
  assert.equal(scriptInterpreter(script(t, 'text\n')), undefined);
  assert.match(scriptInterpreter(script(t, '#!/usr/bin/env -S A=1 sh -u\n')) ?? '', /\/sh$/);
  for (const rest of ['', ' -S', ' no-such-program']) {
    assert.equal(scriptInterpreter(script(t, `#!/usr/bin/env${rest}\n`)), '/usr/bin/env');
  }
});
