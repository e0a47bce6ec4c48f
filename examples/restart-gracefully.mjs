// Restarts a machine, but only if its guest goes down by itself: node restart-gracefully.mjs ID
import { Fleet, QemuError } from 'qemu-init';

const [id] = process.argv.slice(2);
if (id === undefined) {
  console.error('usage: node restart-gracefully.mjs ID');
  process.exit(2);
}
const fleet = Fleet.open();
const machine = fleet.machine(fleet.get(id));
try {
  const { rung, seconds } = await machine.shutdown({ graceful: true, timeoutMs: 60_000 });
  console.log(`${id} went down by ${rung} in ${Math.ceil(seconds)} s`);
  const { pid } = await machine.launch();
  console.log(`${id} runs again${pid === machine.pid ? '' : ', as somebody else'}`);
  // An open monitor would keep this program from ending. The machine goes on.
  await machine.qmp.close();
} catch (error) {
  if (!(error instanceof QemuError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
