import type { QmpClient } from '../client.ts';
import type { ExecuteOptions } from '../command.ts';
import { generateTypes } from './generate-types.ts';

/**
 * Types of the QEMU that a client is connected to: {@link generateTypes} with its schema, version and target. Any machine
 * will do, also one of `-machine none -S`.
 *
 * @throws {QemuError} as {@link QmpClient.execute} and {@link generateTypes}.
 */
export async function generateTypesFromMonitor(client: QmpClient, options: ExecuteOptions = {}): Promise<string> {
  const schema = await client.execute('query-qmp-schema', {}, options);
  const { arch } = await client.execute('query-target', {}, options);
  const { major, minor, micro, package: packageText } = client.greeting.version;
  const suffix = packageText === '' ? '' : ` (${packageText})`;
  return generateTypes(schema, { version: `${major}.${minor}.${micro}${suffix}, ${arch}` });
}
