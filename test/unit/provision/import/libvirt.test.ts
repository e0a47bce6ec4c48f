import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importText, linesOf, ofOutcome } from '../../../support/import-files.ts';

const domain = (devices: string, rest = ''): string =>
  `<domain type='kvm'><name>web</name><memory unit='MiB'>512</memory><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>${rest}<devices>${devices}</devices></domain>`;

const imported = (text: string): ReturnType<typeof importText> => importText(text, '/etc/libvirt/qemu/web.xml');

/** A domain with something of everything. */
const FULL = `<?xml version='1.0' encoding='utf-8'?>
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web</name>
  <uuid>C7A5FDBD-EDAF-9455-926A-D65C16DB1809</uuid>
  <title>The shop</title>
  <memory unit='GiB'>2</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
  <vcpu placement='static'>4</vcpu>
  <iothreads>2</iothreads>
  <cputune><shares>2048</shares><vcpupin vcpu='0' cpuset='1'/></cputune>
  <os firmware='efi'>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <firmware><feature enabled='no' name='secure-boot'/></firmware>
    <bootmenu enable='yes' timeout='3000'/>
    <smbios mode='sysinfo'/>
  </os>
  <sysinfo type='smbios'><system><entry name='manufacturer'>Acme, Inc.</entry></system></sysinfo>
  <features><acpi/><apic/><hyperv mode='custom'><relaxed state='on'/><vapic state='on'/></hyperv><mystery/></features>
  <cpu mode='custom' match='exact'><model fallback='forbid'>Skylake-Client</model><topology sockets='1' dies='1' cores='2' threads='2'/><feature policy='require' name='vmx'/></cpu>
  <clock offset='utc'><timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/></clock>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>restart</on_crash>
  <devices>
    <emulator>/usr/libexec/qemu-kvm</emulator>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw' cache='none' io='native' discard='unmap' iothread='1'/>
      <source dev='/dev/vg/web'/><target dev='vda' bus='virtio'/><boot order='2'/><iotune><total_bytes_sec>1000</total_bytes_sec></iotune>
    </disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/srv/d.iso' startupPolicy='optional'/><target dev='sda' bus='sata'/><readonly/><boot order='1'/></disk>
    <controller type='pci' index='0' model='pcie-root'/>
    <interface type='direct'><mac address='52:54:00:aa:bb:cc'/><source dev='eth0' mode='bridge'/><model type='virtio'/></interface>
    <interface type='bridge'><source bridge='br7'/><model type='e1000e'/><bandwidth><inbound average='1000'/></bandwidth></interface>
    <serial type='pty'><target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>
    <console type='pty'><target type='serial' port='0'/></console>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='spice' autoport='yes'><listen type='address'/><image compression='off'/></graphics>
    <video><model type='qxl' ram='65536'/></video>
    <memballoon model='none'/>
    <redirdev bus='usb' type='spicevmc'/>
    <vsock model='virtio'><cid auto='yes'/></vsock>
  </devices>
  <seclabel type='dynamic' model='apparmor' relabel='yes'/>
  <qemu:commandline><qemu:arg value='-global'/><qemu:arg value='a.b=c'/><qemu:env name='A' value='B'/></qemu:commandline>
</domain>`;

test('what a domain states is in the cfg, also where it is the default', () => {
  const lines = linesOf(imported(FULL));
  for (const line of [
    'NAME=web',
    'UUID=c7a5fdbd-edaf-9455-926a-d65c16db1809',
    'DESC="The shop"',
    'RAM=2G',
    'SMP=4,sockets=1,cores=2,threads=2',
    'MACHINE=pc-q35-7.2',
    'CPU=Skylake-Client,vmx=on,hv-relaxed=on,hv-vapic=on',
    'FIRMWARE=uefi',
    'RTC=utc',
    'PIT=delay',
    'HPET=off',
    'BALLOON=off',
    'RNG=off',
    'QGA=on',
    'SERIAL=on',
    'SPICE=on',
    'VGA=qxl',
    'SMBIOS1="system,manufacturer=Acme,, Inc."',
    'DSK1="/dev/vg/web,format=raw,cache=none,aio=native,discard=unmap,iothread=on,if=virtio,bootindex=1"',
    'CDR1="/srv/d.iso,optional=on,bootindex=0"',
    'NIC1="virtio-net-pci,net=none,mac=52:54:00:aa:bb:cc"',
    'NIC2="e1000e,bridge=br7"',
    '-global a.b=c',
  ]) {
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  }
});

test('every element and every attribute of a domain is accounted for', () => {
  const { items } = imported(FULL);
  const elements = [...FULL.matchAll(/<([a-z][\w:]*)/gi)].map(([, name]) => name ?? '');
  for (const name of new Set(elements)) {
    const wanted = elements.filter((each) => each === name).length;
    const found = items.filter(({ source }) => source.startsWith(`<${name}`) && /^<[\w:]+(?:[ >]|$)/.test(source));
    assert.ok(found.length >= wanted, `<${name}>: ${found.length} of ${wanted}`);
  }
  const lost = ofOutcome(imported(FULL), 'lost').join('\n');
  for (const part of [
    '<currentMemory',
    '<iothreads>2',
    '<shares>',
    '<vcpupin',
    '<mystery>',
    '<total_bytes_sec>',
    '<inbound',
    '<redirdev',
    '<vsock',
    '<seclabel',
    '<qemu:env',
    'isa-serial',
  ]) {
    assert.ok(lost.includes(part), `${part} is not in\n${lost}`);
  }
});

test('a disk that is no file on this host is refused, and so is a machine that QEMU does not run', () => {
  const rbd = imported(domain(`<disk type='network'><source protocol='rbd' name='a/b'/><target dev='vda'/></disk>`));
  assert.match(ofOutcome(rbd, 'refused').join(), /rbd/);
  assert.doesNotMatch(rbd.text, /^DSK/m);
  assert.throws(() => imported(domain('').replace("'kvm'", "'xen'")), /web\.xml:1: domain type "xen"/);
});

test('a password is never repeated, and nothing listens to the network without it', () => {
  const result = imported(domain(`<graphics type='vnc' port='5901' listen='0.0.0.0' passwd='geheim'/>`));
  assert.ok(!JSON.stringify(result).includes('geheim'));
  assert.ok(linesOf(result).includes('VNC=127.0.0.1:1'));
});

test('a name that cannot be one here becomes the nearest that can', () => {
  const result = imported(domain('').replace('>web<', '>Büro Server/2<'));
  assert.equal(result.longName, 'Buro-Server-2');
  assert.match(ofOutcome(result, 'changed').join('\n'), /<name>/);
});

test('a value that the cfg does not take is refused with the reason, and the rest is kept', () => {
  const result = imported(
    domain(
      `<interface type='bridge'><mac address='01:00:5e:00:00:01'/><source bridge='br0'/><model type='virtio'/></interface>`,
    ),
  );
  assert.ok(
    ofOutcome(result, 'refused').some((text) => text.includes('<mac')),
    result.text,
  );
  assert.ok(linesOf(result).includes('RAM=512M'));
});

test('room for memory, pinned processors, a limit of a disk and NUMA nodes have keys', () => {
  const text = domain(
    `<disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/>
     <iotune><total_bytes_sec>10485760</total_bytes_sec><read_iops_sec>5</read_iops_sec></iotune></disk>`,
    `<vcpu cpuset='0-3,5'>2</vcpu><maxMemory slots='4' unit='GiB'>4</maxMemory>
     <features><gic/><hyperv><vendor_id state='on' value='KVM Hv'/></hyperv></features>
     <cpu><numa><cell cpus='0' memory='524289'/><cell cpus='1' memory='524288'/></numa></cpu>`,
  );
  const result = imported(text.replace("<memory unit='MiB'>512", "<memory unit='KiB'>1048577"));
  assert.deepEqual(ofOutcome(result, 'refused'), []);
  for (const line of [
    'RAM=1025M',
    'MAXRAM=4G',
    'CPUSET=0-3,5',
    'NUMA1="513M,cpus=0"',
    'DSK1="/a,format=raw,if=virtio,rate=10M"',
  ]) {
    assert.ok(linesOf(result).includes(line), `${line} is not in\n${result.text}`);
  }
  assert.match(ofOutcome(result, 'lost').join('\n'), /<vendor_id.*blank.*<read_iops_sec/s);
});

test('a value with a line break or an escape sequence is refused alone, and never becomes a line of its own', () => {
  const result = imported(
    domain(
      `<disk type='file'><source file='/a'/><target dev='vda'/><serial>z&#10;PRECMD=/evil</serial></disk>
       <disk type='file'><source file='/b&#10;PRECMD=/evil'/><target dev='vdb'/></disk>`,
      `<cpu><model>max&#10;PRECMD=/evil</model></cpu><genid>&#x9b;2J</genid>
       <commandline><arg value='-foo'/><arg value='x&#10;-plugin /evil.so'/></commandline>`,
    ),
  );
  assert.doesNotMatch(result.text, /^ *(?:PRECMD|-)/m);
  assert.deepEqual(
    linesOf(result).filter((line) => /^(?:DSK|CPU|VMGENID|\[)/.test(line)),
    ['DSK1="/a,format=raw,if=virtio"'],
  );
  const refused = ofOutcome(result, 'refused').join('\n');
  assert.match(refused, /<genid>.*U\+009B/);
  assert.match(refused, /<serial>.*serial= has a control character \(U\+000A\)/);
  assert.match(refused, /value='-foo'.*control character/);
});

test('hostile XML is refused with its line, and nothing is expanded or fetched', () => {
  const laugh = `<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a "b">]>\n${domain('')}`;
  assert.throws(() => imported(laugh), /web\.xml:1: document type definitions/);
  assert.throws(() => imported(`\n\n${domain('').replace('web', '&b;')}`), /web\.xml:3: /);
  assert.throws(() => imported('<domain><name>x</domain>'), /web\.xml:1: /);
  assert.throws(() => imported(`${'<a>'.repeat(200)}`), /deep/);
  assert.throws(() => imported(`<domain>${' '.repeat(2 * 1024 * 1024)}</domain>`), /larger than/);
  assert.throws(() => imported('<domain>\n\0</domain>'), /web\.xml:2: has a NUL byte/);
});

test('folders that are shared keep their tag, their program and whether they are only read', () => {
  const result = imported(
    domain(
      `<filesystem type='mount' accessmode='passthrough'><driver type='virtiofs' queue='1024'/><binary path='/usr/bin/v'/>
       <source dir='/srv/a'/><target dir='data'/></filesystem>
       <filesystem><source dir='/srv/b'/><target dir='docs'/><readonly/><space_hard_limit>5</space_hard_limit></filesystem>
       <filesystem type='template'><source name='x'/><target dir='/'/></filesystem>
       <filesystem type='mount'><source dir='/srv/c'/></filesystem>`,
    ),
  );
  const lines = linesOf(result);
  assert.ok(lines.includes('SHARE1="/srv/a,tag=data,driver=virtiofs"'), result.text);
  assert.ok(lines.includes('SHARE2="/srv/b,tag=docs,driver=9p,readonly=on"'), result.text);
  const refused = ofOutcome(result, 'refused').join('\n');
  assert.equal(refused.match(/only folders of the host can be shared/g)?.length, 2, refused);
  assert.match(ofOutcome(result, 'lost').join('\n'), /<binary.*is set up by qemu-init[\s\S]*<space_hard_limit/);
});

test('a device of the host is named by its IDs or its PCI address, and else is refused', () => {
  const result = imported(
    domain(
      `<hostdev mode='subsystem' type='usb' managed='yes'><source startupPolicy='optional'><vendor id='0x1D6b'/><product id='0x2'/></source></hostdev>
       <hostdev mode='subsystem' type='usb'><source><address bus='1' device='4'/></source></hostdev>
       <hostdev mode='subsystem' type='usb'><source/></hostdev>
       <hostdev mode='subsystem' type='pci'><driver name='vfio'/><source><address domain='0x0000' bus='0x06' slot='0x12' function='0x5'/></source><rom bar='off'/></hostdev>
       <hostdev mode='subsystem' type='pci'><source><address bus='7' slot='0'/></source></hostdev>
       <hostdev mode='subsystem' type='pci'><source><address bus='0x06'/></source></hostdev>
       <hostdev mode='subsystem' type='scsi'><source/></hostdev><hostdev/>`,
    ),
  );
  const named = linesOf(result).filter((line) => /^(?:USB|PCI)\d/.test(line));
  assert.deepEqual(named, ['USB1="1d6b:0002,optional=on"', 'PCI1="0000:06:12.5"', 'PCI2="0000:07:00.0"']);
  const refused = ofOutcome(result, 'refused').join('\n');
  assert.equal(refused.match(/names no device/g)?.length, 2, refused);
  assert.equal(refused.match(/name its IDs/g)?.length, 1, refused);
  assert.match(refused, /devices of type "scsi" are not passed through[\s\S]*devices of type "" are not/);
  assert.match(ofOutcome(result, 'lost').join('\n'), /<rom.*boot ROM is that of the device/);
});

test('an attribute is passed over only when it asks for what holds here anyway', () => {
  const usual = `<disk type='file' device='disk' snapshot='internal'><driver name='qemu' type='qcow2' error_policy='enospace'/>
    <source file='/a.qcow2' startupPolicy='mandatory'/><target dev='vda' bus='virtio' tray='closed'/></disk>
    <filesystem type='mount' accessmode='mapped'><source dir='/srv'/><target dir='srv'/></filesystem>
    <interface type='bridge' trustGuestRxFilters='no'><source bridge='br0'/><model type='virtio'/><driver name='vhost' event_idx='on'/></interface>
    <graphics type='vnc' websocket='-1'/><video><model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1' primary='yes'/></video>
    <memballoon model='virtio' autodeflate='off'/><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>`;
  assert.deepEqual(ofOutcome(imported(domain(usual)), 'lost'), []);
  const other = usual
    .replace("snapshot='internal'", "snapshot='no'")
    .replace("'enospace'", "'report'")
    .replace("'mandatory'", "'optional'")
    .replace("tray='closed'", "tray='open' rotation_rate='7200'")
    .replace("'mapped'", "'passthrough' fmode='0600'")
    .replace("trustGuestRxFilters='no'", "trustGuestRxFilters='yes'")
    .replace("event_idx='on'", "event_idx='off'")
    .replace("'-1'", "'5700'")
    .replace("heads='1'", "heads='2'")
    .replace("autodeflate='off'", "autodeflate='on'")
    .replace("rng model='virtio'", "rng model='virtio-transitional'");
  const parts = ofOutcome(imported(domain(other)), 'lost').map((text) => /\S+='[^']*'/.exec(text)?.[0]);
  assert.deepEqual(parts.toSorted(), [
    ...["accessmode='passthrough'", "autodeflate='on'", "error_policy='report'", "event_idx='off'", "fmode='0600'"],
    ...[
      "heads='2'",
      "model='virtio-transitional'",
      "rotation_rate='7200'",
      "snapshot='no'",
      "startupPolicy='optional'",
    ],
    ...["tray='open'", "trustGuestRxFilters='yes'", "websocket='5700'"],
  ]);
  const rest = `<vcpu placement='auto'>2</vcpu><cpu mode='custom' match='strict'><model>qemu64</model></cpu>
    <features><smm state='off'/></features><clock offset='utc'><timer name='armvtimer'/></clock>`;
  assert.deepEqual(
    ofOutcome(imported(domain('', rest)), 'lost').map((text) => /armvtimer|smm|strict|auto/.exec(text)?.[0]),
    ['auto', 'strict', 'smm', 'armvtimer'],
  );
  const socket = "<graphics type='vnc'><listen type='socket' socket='/tmp/vnc.sock'/></graphics>";
  assert.match(ofOutcome(imported(domain(socket)), 'changed').join('\n'), /another path/);
});
