// Creates a machine, makes another one like it, and deletes both: node new-machine.mjs
import { Fleet } from 'qemu-init';

const fleet = Fleet.open();
const { target, issues } = await fleet.create('example', {
  disks: ['1G'],
  short: { ram: '256M', net: 'user' },
  settings: [['DESC', 'made by a program']],
});
for (const { severity, message } of issues) console.log(`${severity}: ${message}`);

// From a cloud image: { image: 'https://…/debian.qcow2', disks: ['20G'], seed: { sshKey: '/root/.ssh/id_ed25519.pub' } }
const clone = await fleet.clone(target, 'example-2', {
  onProgress: ({ phase, done, total }) => console.error(phase, done, total),
});
const renamed = await fleet.rename(clone.target, 'example-3');
console.log(fleet.list().map(({ longName }) => longName));

const { text, lost } = await fleet.export(renamed.target, 'libvirt');
console.log(/<uuid>.*<\/uuid>/.exec(text)?.[0], lost.length);

for (const machine of [target, renamed.target]) {
  for (const { path, kept } of await fleet.delete(machine)) console.log(kept ?? 'deleted', path);
}
