/** Our namespace for names of machines, made once at random; a change would give every machine another UUID. */
const NAMESPACE = 'd4de6ad8-11df-45c3-947b-ad3dfafb0f5e';

/** UUID of a machine by its NAME: RFC 4122 version 5, SHA-1 of our namespace and the name in UTF-8. */
export function deriveUuid(name: string): string {
  // Loading node:crypto takes 4 ms, and most commands never look at a UUID.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const namespace = Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex');
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
