// What `qemu-init status --all` shows, from a program. QEMU_INIT_ROOT names another root, as for the tools.
import { Fleet } from 'qemu-init';

const fleet = Fleet.open();
for (const outcome of await fleet.statusMany(fleet.list())) {
  if (outcome.ok) console.log(`${outcome.target.longName}: ${outcome.value.state}`);
  else console.error(`${outcome.target.longName}: ${outcome.error}`);
}
