import type { TestContext } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { type FakeQmpOptions, FakeQmpServer } from '../../../src/testing/index.ts';

/** A fake server and a client of it that reads its answers one byte at a time. Both end with the test. */
export async function connectBytewise(
  t: TestContext,
  options: FakeQmpOptions = {},
): Promise<{ fake: FakeQmpServer; client: QmpClient }> {
  const fake = await startFake(t, options);
  const client = await QmpClient.connect({ kind: 'stream', stream: fake.openStream(1) });
  return { fake, client };
}

/** The same over a real unix socket. */
export async function connectBySocket(
  t: TestContext,
  options: FakeQmpOptions = {},
): Promise<{ fake: FakeQmpServer; client: QmpClient }> {
  const fake = await startFake(t, options);
  const client = await QmpClient.connect(fake.address);
  t.after(() => client.close());
  return { fake, client };
}

/** A fake server that ends with the test. */
export async function startFake(t: TestContext, options: FakeQmpOptions = {}): Promise<FakeQmpServer> {
  const fake = await FakeQmpServer.start(options);
  t.after(() => fake.close());
  return fake;
}

/** Opens a bytewise connection; for servers that do not let it succeed. */
export async function openBytewise(fake: FakeQmpServer, timeoutMs = 5000): Promise<QmpClient> {
  return QmpClient.connect({ kind: 'stream', stream: fake.openStream(1) }, { timeoutMs });
}

export const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}\r\n';
