// Configures a machine over QMP before it is made (--preconfig), lets its guest run, and listens to its console.
import { TransientMachine } from 'qemu-init';

const [disk] = process.argv.slice(2);
if (disk === undefined) {
  console.error('usage: node configure-early.mjs IMAGE');
  process.exit(2);
}
const machine = new TransientMachine({ args: ['-accel', 'tcg', '-nodefaults', '-m', '64', '--preconfig'] });
machine.setMachine('q35');
machine.setConsole();
machine.addArgs('-drive', `file=${disk},format=raw,if=virtio,snapshot=on`);
try {
  await machine.launch();
  await machine.qmp.execute('object-add', { 'qom-type': 'rng-builtin', id: 'rng0' });
  await machine.exitPreconfig();
  for await (const chunk of machine.console) {
    process.stdout.write(chunk);
    if (String(chunk).includes('\n')) break;
  }
  // The guest gets the power button; when it does not go down that is an error, and QEMU ends all the same.
  await machine.shutdown({ graceful: true, timeoutMs: 30_000 });
  console.log(`QEMU exited with ${machine.exitCode}`);
} finally {
  await machine.kill();
}
