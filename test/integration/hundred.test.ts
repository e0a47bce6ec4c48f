import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDocument } from '../support/documents.ts';
import { type JsonObject, lab } from '../support/lab.ts';

const COUNT = 100;

test('a hundred machines start, are looked at with one of them frozen, and go down by the power button', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const names = Array.from({ length: COUNT }, (_, at) => `m${at}`);
  for (const name of names) root.add(name, 'VNC=on\n');

  const started = await root.json('start', '--all');
  assertDocument(started, 'start');
  assert.ok(started.every(({ outcome }) => outcome === 'started'));
  assert.deepEqual(
    started.map(({ name }) => name),
    names,
  );

  const status = await root.json('status', '--all');
  assertDocument(status, 'status');
  assertDistinct(status, ({ slot }) => slot);
  assertDistinct(status, ({ pid }) => pid);
  assertDistinct(status, ({ vnc }) => (vnc as { display: number }).display);
  const ports = status.flatMap(({ monitorPort, controlPort }) => [Number(monitorPort), Number(controlPort)]);
  assert.equal(new Set(ports).size, 2 * COUNT);
  assert.ok(status.every(({ monitorPort, controlPort }) => Number(controlPort) === Number(monitorPort) + 100));
  assert.equal(root.qemus().length, COUNT);
  // A hundred that run already are no work.
  assert.ok((await root.json('start', '--all')).every(({ outcome }) => outcome === 'already-running'));

  const frozen = Number(status[42]?.['pid']);
  process.kill(frozen, 'SIGSTOP');
  const result = await root.run('qemu-init', ['status', '--all', '--json'], { timeoutMs: 30_000 });
  assert.equal(result.code, 4, 'unknown is the worst of them');
  const states = JSON.parse(result.stdout) as JsonObject[];
  for (const { name, state } of states) assert.equal(state, name === 'm42' ? 'unresponsive' : 'running', String(name));
  assert.match((await root.run('qemu-init', ['list'], { timeoutMs: 30_000 })).stdout, /m42 +m?.*unresponsive/);
  process.kill(frozen, 'SIGCONT');

  await root.ok('wait', 'm0', 'm42', 'm99', '--for', 'console=ready');
  const stopped = await root.json('stop', '--all');
  assertDocument(stopped, 'stop');
  assert.deepEqual(
    stopped.filter(({ rung }) => rung !== 'powerdown'),
    [],
  );
  assert.deepEqual(root.leftovers(), []);
  const after = await root.init('status', '--all', '--json');
  assert.equal(after.code, 3);
});

function assertDistinct(objects: readonly JsonObject[], value: (object: JsonObject) => unknown): void {
  const values = objects.map(value);
  assert.ok(!values.includes(null));
  assert.equal(new Set(values).size, objects.length);
}
