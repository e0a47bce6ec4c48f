// Presses the power button of a machine and waits until its guest is off: node wait-for-shutdown.mjs ID
import { Fleet } from 'qemu-init';

const [id] = process.argv.slice(2);
if (id === undefined) {
  console.error('usage: node wait-for-shutdown.mjs ID');
  process.exit(2);
}
const fleet = Fleet.open();
const domain = await fleet.domain(fleet.get(id));
try {
  // Listening begins before the button is pressed: the guest may be faster than the next line.
  const since = domain.client.eventCount;
  await domain.systemPowerdown();
  const { data } = await domain.client.waitForEvent('SHUTDOWN', undefined, { since, timeoutMs: 60_000 });
  console.log(`${id} went down: ${data.reason}`);
} finally {
  await domain.close();
}
