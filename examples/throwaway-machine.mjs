// A QEMU for the length of a script: nothing is left behind, whatever happens.
import { Domain, TransientMachine } from 'qemu-init';

const machine = new TransientMachine({
  args: ['-accel', 'tcg', '-nodefaults', '-m', '64', '-device', 'virtio-rng-pci,id=rng', '-S'],
});
machine.setMachine('q35');
try {
  await machine.launch();
  const domain = new Domain(machine.qmp, 'example');
  console.log(`QEMU ${domain.version()} is ${await domain.status()}`);
  const devices = await domain.pciDevices();
  console.log(
    devices
      .filter(({ qdevId }) => qdevId !== '')
      .map(({ qdevId, slot }) => `${qdevId} is in slot ${slot}`)
      .join('\n'),
  );
} finally {
  await machine.kill();
}
