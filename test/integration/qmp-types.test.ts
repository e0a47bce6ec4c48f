import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateTypesFromMonitor } from '../../src/qmp/generate/generate-from-monitor.ts';
import { repoRoot } from '../support/repo.ts';
import { startMonitor } from './qmp-monitor.ts';

const GENERATED = 'src/qmp/generated/qemu-7.2.ts';

test('the types in the repository are those of the installed QEMU', async (t) => {
  const client = await startMonitor(t).connect();
  const { major, minor } = client.greeting.version;
  if (major !== 7 || minor !== 2) {
    t.skip(`${GENERATED} is of QEMU 7.2, and this is ${major}.${minor}`);
    return;
  }
  const expected = withoutVersion(await generateTypesFromMonitor(client));
  const actual = withoutVersion(readFileSync(join(repoRoot, GENERATED), 'utf8'));
  // Line by line: the difference of two texts of 5,000 lines says nothing.
  for (const [n, line] of expected.entries()) assert.equal(actual[n], line, `${GENERATED}, line ${n + 1}`);
  assert.equal(actual.length, expected.length);
});

test('what is generated names the QEMU that made it', async (t) => {
  const client = await startMonitor(t).connect();
  const { major, minor, micro } = client.greeting.version;
  const [, header = ''] = (await generateTypesFromMonitor(client)).split('\n');
  assert.ok(header.startsWith(` * QMP commands and events of QEMU ${major}.${minor}.${micro} `), header);
  assert.ok(header.endsWith(', x86_64,'), header);
});

/** The lines below the one that names the exact build, which security updates change. */
function withoutVersion(text: string): string[] {
  return text.split('\n').slice(2);
}
