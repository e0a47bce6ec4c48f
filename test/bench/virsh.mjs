/** libvirt's start of a machine like ours, where libvirt runs. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timeProgram } from './sampling.mjs';

/** Whether libvirt can run such a machine for us. */
export function isLibvirtThere() {
  try {
    execFileSync('virsh', ['version'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

export class VirshMachine {
  #name = `qemu-init-bench-${process.pid}`;

  /** Defines the machine with that disk; its XML goes into `dir`. */
  constructor(dir, disk) {
    const file = join(dir, 'virsh.xml');
    writeFileSync(file, domainXml(this.#name, disk));
    execFileSync('virsh', ['define', file], { stdio: 'ignore' });
  }

  /** Milliseconds of `virsh start`. */
  async time() {
    const elapsed = await timeProgram('virsh', ['start', this.#name]);
    execFileSync('virsh', ['destroy', this.#name], { stdio: 'ignore' });
    return elapsed;
  }

  remove() {
    execFileSync('virsh', ['undefine', this.#name], { stdio: 'ignore' });
  }
}

/** The devices that qemu-init gives to a machine whose file names RAM, KVM and DSK1 only. */
function domainXml(name, disk) {
  return `<domain type='qemu'>
  <name>${name}</name>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='${disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <graphics type='vnc' autoport='yes' listen='127.0.0.1'/>
    <video><model type='vga'/></video>
    <serial type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='virtio'/>
  </devices>
</domain>
`;
}
