import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { startFake } from './support.ts';

test('a descriptor that a process inherited serves as a monitor', async (t) => {
  const fake = await startFake(t);
  const program = `
    const { QmpClient } = await import(${JSON.stringify(new URL('../../../src/qmp/client.js', import.meta.url).href)});
    const client = await QmpClient.connect({ kind: 'fd', fd: 3 });
    console.log((await client.execute('query-status')).status);
    await client.close();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const theirs = child.stdio[3] as Duplex;
  const ours = fake.openStream();
  theirs.pipe(ours).pipe(theirs);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(output, 'prelaunch\n');
  assert.equal(code, 0);
});
