import type { TestContext } from 'node:test';
import { Domain } from '../../../src/domain/domain.ts';
import { QmpClient } from '../../../src/qmp/client.ts';
import { type FakeCommand, FakeQmpServer } from '../../../src/testing/index.ts';

/** A domain of a fake QEMU that has these commands besides its own. Both end with the test. */
export async function fakeDomain(
  t: TestContext,
  commands: Readonly<Record<string, FakeCommand>> = {},
): Promise<{ fake: FakeQmpServer; domain: Domain }> {
  const fake = await FakeQmpServer.start({ commands });
  const domain = new Domain(await QmpClient.connect(fake.address), 'web');
  t.after(async () => {
    await domain.close();
    await fake.close();
  });
  return { fake, domain };
}

/** A `query-block` with one drive of that node name. */
export function oneDrive(nodeName: string): FakeCommand {
  return () => [{ device: '', qdev: 'd1', locked: false, removable: false, inserted: { 'node-name': nodeName } }];
}
