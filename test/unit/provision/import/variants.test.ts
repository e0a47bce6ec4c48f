import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importDefinition } from '../../../../src/provision/import/import.ts';
import { importText, linesOf, ofOutcome } from '../../../support/import-files.ts';

/** A part of a definition, and a line that the cfg then has, or what is said of the part. */
type Variant = readonly [part: string, line: string | RegExp];

function domain(parts: string): string {
  const [rest, devices = ''] = parts.split('||');
  const os = /<os[ >]/.test(parts) ? '' : "<os><type arch='x86_64' machine='q35'>hvm</type></os>";
  return `<domain type='kvm'><name>web</name>${os}${rest}<devices>${devices}</devices></domain>`;
}

const LIBVIRT: readonly Variant[] = [
  ["<memory unit='b'>1073741824</memory>", 'RAM=1G'],
  ['<memory>1000</memory>', 'RAM=1M'],
  ["<memory unit='GiB'>many</memory>", /<memory.*not an amount of memory/],
  ["<memory unit='KiB'>1048576</memory><currentMemory>1048576</currentMemory>", 'RAM=1G'],
  ["<cpu><topology sockets='2' cores='3' threads='1'/></cpu>", 'SMP=6,sockets=2,cores=3,threads=1'],
  ["<vcpu current='2'>4</vcpu>", /^(?:SMP=2,maxcpus=4|SMP=2|MAXSMP=4)$/],
  ["<cpu mode='host-model'/>", 'CPU=host'],
  ["<cpu mode='maximum'><model>x</model></cpu>", 'CPU=max'],
  [
    "<cpu mode='custom'><model>Haswell</model><vendor>Intel</vendor><feature policy='forbid' name='hle'/></cpu>",
    'CPU=Haswell,hle=off',
  ],
  [
    "<cpu mode='host-passthrough'><numa><cell id='0' cpus='0-1' memory='512' unit='MiB'/></numa></cpu><vcpu>2</vcpu><memory unit='MiB'>512</memory>",
    'NUMA1="512M,cpus=0-1"',
  ],
  ["<features><acpi state='off'/></features>", /<acpi.*is always on/],
  [
    "<features><kvm><hidden state='on'/><hint-dedicated state='on'/><poll-control state='off'/><odd/></kvm></features>",
    'CPU=qemu64,kvm=off,kvm-hint-dedicated=on,kvm-poll-control=off',
  ],
  ["<features><hyperv mode='passthrough'/></features>", 'CPU=qemu64,hv-passthrough=on'],
  [
    "<features><hyperv><spinlocks state='on'/><vendor_id state='on' value='abc'/><stimer state='on'><direct state='on'/></stimer><odd state='on'/></hyperv></features>",
    'CPU=qemu64,hv-spinlocks=0xfff,hv-vendor-id=abc,hv-stimer=on,hv-stimer-direct=on',
  ],
  [
    "<features><hyperv><spinlocks state='off'/><vendor_id state='off'/></hyperv><pmu state='off'/><vmcoreinfo state='on'/><gic version='3'/></features>",
    '-device vmcoreinfo',
  ],
  ["<vcpu current='2'>4</vcpu>", 'MAXSMP=4'],
  [
    "<vcpu current='2'>4</vcpu><cpu><topology sockets='1' cores='4' threads='1'/></cpu>",
    'SMP=2,maxcpus=4,sockets=1,cores=4,threads=1',
  ],
  ['<memoryBacking><hugepages/><locked/></memoryBacking>', 'HUGEPAGES=on'],
  ["<memoryBacking><hugepages><page size='2' unit='M'/></hugepages></memoryBacking>", 'HUGEPAGES=2M'],
  ["<memoryBacking><hugepages><page size='64' unit='KiB'/></hugepages></memoryBacking>", /huge pages are of one size/],
  ['<memoryBacking><locked/></memoryBacking>', /memory is not locked/],
  ["<maxMemory slots='4' unit='GiB'>8</maxMemory><memory unit='GiB'>1</memory>", 'MAXRAM=8G'],
  ["<vcpu cpuset='0-1,4'>2</vcpu>", 'CPUSET=0-1,4'],
  ["<vcpu cpuset='0-3,^2'>2</vcpu>", /cpuset.*see CPUSET/],
  [
    "<vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='6'/><vcpupin vcpu='1' cpuset='0,5'/><emulatorpin cpuset='1-2'/></cputune>",
    'CPUSET=0-2,5-6',
  ],
  ["<vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='6'/></cputune>", /vcpupin.*not pinned one by one/],
  [
    '<vcpu>4</vcpu><cputune><global_period>100000</global_period><global_quota>150000</global_quota></cputune>',
    'LIMIT_CPU=150%',
  ],
  ['<vcpu>4</vcpu><cputune><period>100000</period><quota>50000</quota></cputune>', 'LIMIT_CPU=200%'],
  [
    '<cputune><shares>9</shares><emulator_quota>5000</emulator_quota><quota>-1</quota></cputune>',
    /emulator_quota.*LIMIT_CPU/,
  ],
  [
    "<memory unit='MiB'>512</memory><memtune><hard_limit unit='MiB'>700</hard_limit><soft_limit unit='b'>0</soft_limit></memtune>",
    'LIMIT_MEMORY=700M',
  ],
  ["<memtune><hard_limit>9007199254740988</hard_limit><swap_hard_limit unit='G'>1</swap_hard_limit></memtune>", /swap/],
  [
    "<vcpu>2</vcpu><memory>1000</memory><cpu><numa><cell id='0' cpus='0' memory='500' unit='KiB'/><cell id='1' cpus='1' memory='500' unit='KiB'/></numa></cpu>",
    'RAM=2M',
  ],
  [
    "<vcpu>2</vcpu><numatune><memory mode='strict' nodeset='0-1'/><memnode cellid='1' mode='preferred' nodeset='2'/></numatune><cpu><numa><cell id='0' cpus='0' memory='1024'/><cell id='1' cpus='1' memory='1024'/></numa></cpu>",
    'NUMA2="1M,cpus=1,hostnodes=2,policy=preferred"',
  ],
  [
    "<vcpu>1</vcpu><memory>3072</memory><cpu><numa><cell id='0' cpus='0' memory='1024'/></numa></cpu>||<memory model='dimm'><target><size>2048</size><node>0</node></target></memory>",
    'NUMA1="3M,cpus=0"',
  ],
  ["<cpu mode='host-passthrough'><cache mode='passthrough'/></cpu>", 'CPU=host,host-cache-info=on,l3-cache=off'],
  [
    "<features><hyperv><vendor_id state='on' value='KVM Hv'/><relaxed state='on'/></hyperv></features>",
    'CPU=qemu64,hv-relaxed=on',
  ],
  ["<os><type arch='i686'>hvm</type></os>", 'TGTARCH=qemu-system-i386'],
  ["<os><type arch='ppc64le'>hvm</type></os>", 'MACHINE=pseries'],
  [
    "<os><type arch='x86_64'>hvm</type><bootmenu enable='yes' timeout='3000'/><dtb>/d</dtb></os>",
    '-boot menu=on,splash-time=3000',
  ],
  ["<launchSecurity type='sev'><policy>1</policy></launchSecurity>", /launchSecurity.*encrypted memory/],
  [
    "||<disk type='file'><source file='/b'/><target dev='vdb' bus='virtio'/></disk><disk type='file'><source file='/aa'/><target dev='vdaa' bus='virtio'/></disk><disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>",
    'DSK1="/a,format=raw,if=virtio"',
  ],
  [
    "||<disk type='file'><source file='/b'/><target dev='vdb'/></disk><disk type='file'><source file='/aa'/><target dev='vdaa'/></disk>",
    'DSK2="/aa,format=raw,if=virtio"',
  ],
  [
    "||<disk type='file'><source file='/a'/><target dev='vda'/><iotune><total_bytes_sec>1048576</total_bytes_sec><total_iops_sec>0</total_iops_sec></iotune></disk>",
    'DSK1="/a,format=raw,if=virtio,rate=1M"',
  ],
  [
    "||<disk type='file'><source file='/a'/><target dev='vda'/><iotune><read_bytes_sec>1048576</read_bytes_sec></iotune></disk>",
    /read_bytes_sec.*sum/,
  ],
  [
    "||<interface type='bridge'><source bridge='br0'/><bandwidth><inbound average='1024'/><outbound average='1024'/></bandwidth></interface>",
    'NIC1="rtl8139,bridge=br0,rate=1000K"',
  ],
  [
    "||<interface type='bridge'><source bridge='br0'/><bandwidth><inbound average='1024'/></bandwidth></interface>",
    /inbound.*both directions/,
  ],
  [
    "||<interface type='ethernet'><model type='virtio'/><driver queues='5'/></interface>",
    'NIC1="virtio-net-pci,net=none"',
  ],
  ["<clock offset='variable' basis='localtime'/>", 'RTC=localtime'],
  ["<clock offset='timezone' timezone='Europe/Zurich'/>", 'RTC=utc'],
  [
    "<clock offset='utc'><timer name='rtc' tickpolicy='delay'/><timer name='pit' tickpolicy='discard'/><timer name='hypervclock' present='yes'/><timer name='kvmclock' present='no'/></clock>",
    'PIT=discard',
  ],
  ['<on_poweroff>restart</on_poweroff><on_reboot>destroy</on_reboot>', '-no-reboot'],
  ["<pm><suspend-to-mem enabled='yes'/></pm>", 'S3=on'],
  ['<genid/>', 'VMGENID=on'],
  ['<genid>6BA7B810-9DAD-41D1-80B4-00C04FD430C8</genid>', 'VMGENID=6ba7b810-9dad-41d1-80b4-00c04fd430c8'],
  ['<title>a</title><description>b  c</description>', 'DESC="a: b c"'],
  [
    "<os><type arch='aarch64' machine='virt'>hvm</type><loader readonly='yes' secure='yes' type='pflash'>/x/code.fd</loader><nvram template='/x'>/x/vars.fd</nvram></os>",
    'FIRMWARE=uefi-secure',
  ],
  [
    "<os firmware='efi'><type machine='q35'>hvm</type><loader secure='no'/><nvram>/there/vars.fd</nvram></os>",
    /^FIRMWARE="?uefi,vars=\/there\/vars\.fd"?$/,
  ],
  ["<os firmware='bios'><type>hvm</type></os>", 'FIRMWARE=bios'],
  ["<os><type>hvm</type><loader type='rom'>/x/bios.bin</loader></os>", 'FIRMWARE=/x/bios.bin'],
  ['<os><type>linux</type></os>', /<type.*only full virtualisation/],
  [
    "<os><type>hvm</type><kernel>/k</kernel><initrd>/i</initrd><cmdline>a=b</cmdline><boot dev='cdrom'/><boot dev='hd'/><boot dev='hd'/></os>",
    'BOOT=cdrom,disk',
  ],
  [
    "<sysinfo type='smbios'><bios><entry name='vendor'>x</entry></bios></sysinfo>",
    /<sysinfo.*libvirt does not show them/,
  ],
  ["<os><type>hvm</type><smbios mode='host'/></os><sysinfo type='x'/>", /<smbios.*tables of this host/],
  [
    "<os><type>hvm</type><smbios mode='sysinfo'/></os><sysinfo type='smbios'><bios><entry name='vendor'>V</entry><entry name='odd'>x</entry></bios><oemStrings><entry>one</entry></oemStrings><odd/></sysinfo>",
    'SMBIOS2="oem,value=one"',
  ],
  [
    "<sysinfo type='fwcfg'><entry name='opt/a' file='/x,y'/><entry name='opt/b'>text</entry></sysinfo>",
    '-fw_cfg name=opt/b,string=text',
  ],
  ['||<emulator>/usr/libexec/qemu-kvm</emulator>', 'TGTARCH=qemu-system-x86_64'],
  ['||<emulator>/there/qemu-system-x86_64</emulator>', 'TGTARCH=/there/qemu-system-x86_64'],
  ['||<emulator>/gone/qemu-system-x86_64</emulator>', 'TGTARCH=qemu-system-x86_64'],
  ['||<emulator>/there/my-qemu</emulator>', 'TGTARCH=/there/my-qemu'],
  ["||<disk device='floppy'/>", /<disk.*floppy/],
  ["||<disk device='lun' type='block'><source dev='/dev/sg0'/></disk>", /<disk.*needs the host's device/],
  [
    "||<disk type='volume'><source pool='default' volume='a.img'/><target dev='hda'/></disk>",
    'DSK1="/var/lib/libvirt/images/a.img,format=raw,if=ide"',
  ],
  ["||<disk type='volume'><source pool='fast' volume='a.img'/><target dev='hda'/></disk>", /<disk.*pool "fast"/],
  ["||<disk type='file'/>", /<disk.*has no image/],
  ["||<disk type='vhostuser'><source type='unix'/></disk>", /<disk.*type "vhostuser"/],
  [
    "||<disk type='file'><source file='a.img'><encryption format='luks'/></source><target dev='vda'/></disk>",
    /<disk.*key of an encrypted image/,
  ],
  [
    "||<disk type='file'><driver name='qemu' type='fat'/><source file='a.img'/><target dev='vda'/></disk>",
    /<driver.*format "fat"/,
  ],
  [
    "||<disk type='file'><driver type='aio'/><source file='a.img'/><target dev='sda' bus='usb'/></disk>",
    'DSK1="/etc/libvirt/qemu/a.img,format=raw,if=virtio"',
  ],
  [
    "||<disk type='file'><source file='/a'/><target dev='sda' rotation_rate='1'/><transient shareBacking='no'/><backingStore/><wwn>5</wwn><boot order='x'/></disk>",
    'DSK1="/a,format=raw,if=scsi,ssd=on,snapshot=on"',
  ],
  [
    "||<disk type='network' device='cdrom'><source protocol='https' name='x'/><target dev='sda' bus='scsi'/></disk>",
    'CDR1="empty"',
  ],
  ["||<controller type='scsi' model='lsilogic'/>", /<controller.*not on "lsilogic"/],
  ["||<interface type='hostdev'/>", /<interface.*PCIx/],
  ["||<interface type='network'><source network='lan'/><model type='e1000'/></interface>", 'NIC1="e1000,net=none"'],
  [
    "||<interface type='user'><backend type='passt' logFile='/x'/><portForward proto='tcp' address='127.0.0.1'><range start='2222' to='22'/><range start='1' end='9999'/><range start='5' exclude='yes'/></portForward></interface>",
    'NIC1="rtl8139,net=passt,hostfwd=tcp:127.0.0.1:2222-:22"',
  ],
  [
    "||<interface type='bridge'><source bridge='br0'/><model type='virtio'/><vlan trunk='yes'><tag id='1'/></vlan><driver name='vhost'/><filterref filter='other'/><port isolated='yes'/></interface>",
    'NIC1="virtio-net-pci,bridge=br0,isolated=on"',
  ],
  [
    "||<interface type='bridge'><source bridge='br0'/><model type='virtio'/><filterref filter='clean-traffic'><parameter name='IP' value='10.0.0.9'/><parameter name='X' value='1'/></filterref></interface>",
    'NIC1="virtio-net-pci,bridge=br0,lock=on,ip=10.0.0.9"',
  ],
  ["||<input type='mouse' bus='ps2'/>", /^USB=off$|^VNC=off$/],
  ["||<input type='mouse' bus='virtio'/>", 'USB=on'],
  ["||<input type='evdev'/>", /<input.*not passed on as input/],
  ["||<memballoon model='virtio'><stats period='5'/><driver iommu='on'/></memballoon>", 'BALLOON=on'],
  ["||<rng model='virtio'><backend model='egd'/><rate bytes='1'/></rng>", 'RNG=on'],
  ["||<sound model='ac97'/><sound model='usb'/>", 'SOUND=ac97'],
  ["||<sound model='sb16'><codec type='micro'/></sound>", 'SOUND=hda'],
  ["||<audio id='1' type='spice'/>", /<audio.*SOUND says/],
  ["||<tpm model='tpm-tis'><backend type='passthrough'/></tpm>", /<tpm.*not passed on/],
  ["||<watchdog model='i6300esb' action='dump'/>", 'WATCHDOG=pause'],
  ["||<watchdog model='ib700'/>", 'WATCHDOG=reset'],
  ["||<watchdog model='itco'/>", 'NAME=web'],
  ["<on_crash>preserve</on_crash>||<panic model='isa'/><panic model='hyperv'/>", 'ONPANIC=pause'],
  ["<on_crash>restart</on_crash>||<panic model='isa'/>", 'ONPANIC=exit-failure'],
  ["||<panic model='isa'/>", 'ONPANIC=shutdown'],
  ["||<serial type='tcp'><source host='x'/><target port='0'/></serial><serial type='pty'/>", 'SERIAL=on'],
  ["||<console type='pty'><target type='virtio'/></console>", /<console.*no consoles on "virtio"/],
  ["||<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>", /<channel.*SPICE=on/],
  ["||<channel type='unix'><target type='virtio' name='other'/></channel>", /<channel.*other programs/],
  ["||<graphics type='sdl'/>", /<graphics.*"sdl"/],
  ["||<graphics type='vnc' socket='/x'/>", 'VNC=unix'],
  ["||<graphics type='vnc'><listen type='socket'/></graphics>", 'VNC=unix'],
  ["||<graphics type='vnc' listen='::1' port='5903' keymap='de'/>", 'KEYMAP=de'],
  ["||<graphics type='vnc' listen='localhost'/>", 'VNC=on'],
  ["||<graphics type='vnc' listen='0.0.0.0' autoport='yes'/>", 'VNC=on'],
  ["||<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>", 'SPICE=on'],
  ["||<video><model type='gop'/></video><video><model type='vga'/></video>", 'VGA=std'],
  ["||<video><model type='vmvga'><acceleration accel3d='no'/></model></video>", 'VGA=vmware'],
  ["||<hostdev type='usb'><source/></hostdev>", /<hostdev.*names no device/],
  ["||<hostdev type='pci'><source/></hostdev>", /<hostdev.*names no device/],
  ["||<hostdev type='mdev'/>", /<hostdev.*type "mdev"/],
  ["||<filesystem type='block'/>", /<filesystem.*only folders/],
  ['||<smartcard/><hub/><iommu/><shmem/><memory/><lease/><parallel/>', 'NAME=web'],
];

const PROXMOX: readonly Variant[] = [
  ['balloon: 0', 'BALLOON=off'],
  ['memory: current=2048\nballoon: 2048', 'RAM=2G'],
  ['sockets: 2\ncores: 2\nvcpus: 3', /^(?:SMP=3,maxcpus=4,sockets=2,cores=2,threads=1|MAXSMP=4)$/],
  ['cpu: host,hidden=1,phys-bits=40', /CPU=host,kvm=off/],
  ['cpu: custom-x', 'CPU=host'],
  ['cpu: kvm64,flags=-pcid;+aes,hv-vendor-id=abc', 'CPU=kvm64,pcid=off,aes=on,hv-vendor-id=abc'],
  ['machine: q35,viommu=intel', /viommu=intel/],
  ['machine: pc\nmeta: creation-qemu=8.1.2\nostype: win11', 'MACHINE=pc-i440fx-8.1'],
  ['machine: q35\nmeta: creation-qemu=8.1.2\nostype: win10', 'MACHINE=pc-q35-8.1'],
  ['ostype: win10', 'RTC=localtime'],
  ['description: a%0Ab\ntags: x', 'DESC="a b; tags: x"'],
  ['hostpci0: 01:00.0,rombar=0', /hostpci0: rombar=0/],
  ['bios: seabios', 'FIRMWARE=bios'],
  ['efidisk0: local:1/x.raw', /efidisk0.*no effect without/],
  ['bios: ovmf\nefidisk0: local:105/vars.raw', 'FIRMWARE=uefi'],
  ['tpmstate0: local:1/x,version=v1.2', /tpmstate0.*no TPM 1\.2/],
  ['vmgenid: 0', 'VMGENID=off'],
  ['vmgenid: 1', 'VMGENID=on'],
  [
    'smbios1: base64=1,manufacturer=QWNtZQ==,uuid=6BA7B810-9DAD-41D1-80B4-00C04FD430C8',
    'SMBIOS1="system,manufacturer=Acme"',
  ],
  ['startup: order=2,odd=1', /startup: odd=1/],
  ['boot: dcn\nbootdisk: ide0', 'BOOT=cdrom,disk,network'],
  ['boot: a', /boot: a.*names no disk/],
  ['boot: order=', /nothing is to be booted/],
  ['boot: order=ide0\nbootdisk: ide0', /bootdisk.*counts instead/],
  ['agent: enabled=1,fstrim_cloned_disks=1,type=isa', /agent: type=isa/],
  ['vga: qxl2,memory=32', 'VGA=qxl'],
  ['vga: serial0', 'VGA=none'],
  ['vga: virtio-gl', 'VGA=virtio'],
  ['keyboard: de\ntablet: 0\nlocaltime: 1', 'RTC=localtime'],
  ['rng0: source=/dev/random', 'RNG=on'],
  ['rng0: source=/dev/urandom', 'RNG=on'],
  ['watchdog: model=ib700,action=pause', 'WATCHDOG=pause'],
  ['watchdog: action=reset', 'WATCHDOG=reset'],
  ['audio0: device=AC97,driver=none', 'SOUND=ac97,backend=none'],
  ['args: -cpu max -device a,b=c', '-device a,b=c'],
  ["args: 'x", /args.*quotes do not match/],
  ['kvm: 0\narch: aarch64', 'TGTARCH=qemu-system-aarch64'],
  ['acpi: 0', '-machine acpi=off'],
  ['scsihw: lsi', /scsihw.*not on "lsi"/],
  ['numa: 1\nsockets: 2\ncores: 2', 'NUMA2="256M,cpus=2-3"'],
  ['numa: 1\nhotplug: memory', /numa.*NUMAx/],
  ['numa: 1\nnuma0: cpus=0;1,memory=512,hostnodes=0,policy=bind\ncores: 2', /NUMA1="512M,cpus=0,cpus=1,hostnodes=0,/],
  ['numa0: memory=512', /no effect without "numa: 1"/],
  ['vcpus: 2\ncores: 4', 'SMP=2,maxcpus=4,sockets=1,cores=4,threads=1'],
  ['cpulimit: 2.5\naffinity: 0-3,8\ncpuunits: 100', 'LIMIT_CPU=250%'],
  ['affinity: 0-3,8', 'CPUSET=0-3,8'],
  ['hugepages: 1024', 'HUGEPAGES=1G'],
  ['hugepages: any', 'HUGEPAGES=on'],
  ['hugepages: 4', /huge pages are of 2M or 1G/],
  ['scsi10: /a\nscsi2: /b', 'DSK1="/b,format=raw,if=scsi"'],
  ['net10: virtio=BC:24:11:81:4D:57\nnet2: virtio=BC:24:11:81:4D:56', /NIC1=.*BC:24:11:81:4D:56/],
  ['scsi0: /a,mbps=1.5', 'DSK1="/a,format=raw,if=scsi,rate=1536K"'],
  ['scsi0: /a,mbps_rd=1,mbps=0.01', /mbps_rd=1: only the sum/],
  ['scsi0: /a', /not on the "lsi" of Proxmox/],
  ['net0: virtio=BC:24:11:81:4D:56,bridge=vmbr0,rate=12.5', /rate=12800K/],
  ['net0: virtio=BC:24:11:81:4D:56,rate=12.5', /rate=12.5: .*on a bridge/],
  ['boot: ndc\nbootdisk: virtio1\nide2: none,media=cdrom\nvirtio0: /a\nvirtio1: /b', /DSK2="\/b,.*bootindex=1"/],
  ['boot: ndc\nbootdisk: virtio1\nide2: none,media=cdrom\nvirtio0: /a\nvirtio1: /b', 'CDR1="empty,bootindex=0"'],
  ['cpu: custom-x,flags=+aes', 'CPU=host,aes=on'],
  ['cpu: x86-64-v2-AES', 'CPU=x86-64-v2-AES'],
  ['machine: pc-q35-5.0+pve0.pxe', 'MACHINE=pc-q35-5.0'],
  ['ostype: win10', 'MACHINE=pc-i440fx-5.1'],
  ['# text\n#qmdump#map:scsi0:x', 'DESC=text'],
  ['agent: 1,fstrim_cloned_disks=1', /agent: fstrim_cloned_disks=1: /],
  ['rng0: source=/dev/urandom,max_bytes=1024', /rng0: max_bytes=1024: /],
  ['bios: ovmf\nefidisk0: /v,efitype=4m', /efidisk0: efitype=4m: /],
  ['parent: s1\nvmstate: local:1', /parent.*only Proxmox/],
  ['reboot: 0', '-no-reboot'],
  ['freeze: 1', /freeze.*--paused/],
  ['tags: a;b', 'DESC="tags: a;b"'],
  ['startdate: 2020-01-01', /startdate/],
  ['tdf: 1', 'RTC=utc,driftfix=slew'],
  ['amd-sev: type=std', /encrypted memory/],
  ['serial0: socket\nserial1: /dev/ttyS0', 'SERIAL=on'],
  ['parallel0: /dev/x\nnuma0: cpus=0\nvirtiofs0: a\nunused0: local:1/x\nodd: 1', /"odd" has no counterpart/],
  ['usb0: mapping=x', /usb0.*mappings/],
  ['usb0: spice', /usb0.*viewers/],
  ['hostpci0: mapping=x', /hostpci0.*mappings/],
  ['hostpci0: 06:00,pcie=1', /PCI1="?0000:06:00\.0/],
  ['hostpci0: 0000:06:00;07:00.1', /PCI2="?0000:07:00\.1/],
  ['ciuser: bob\ncipassword: geheim', /cipassword: \(secret\)/],
  ['ide0: none,media=cdrom', 'CDR1="empty"'],
  ['cdrom: cdrom', 'CDR1="empty"'],
  ['ide2: gone:iso/x.iso,media=cdrom', 'CDR1="empty"'],
  ['ide2: local:105/vm-105-cloudinit.qcow2,media=cdrom', /cloud-init/],
  ['ide2: local:iso/a.iso,media=cdrom,odd=1', /odd=1/],
  [
    'sata0: /srv/a.vmdk,ssd=0,ro=1,snapshot=1,mbps=10,detect_zeroes=0,serial=S,cache=none',
    /DSK1="\/srv\/a\.vmdk,format=vmdk,if=sata/,
  ],
  [
    'virtio0: local:105/a.raw,iothread=1,detect_zeroes=1,odd=2',
    /DSK1="\/var\/lib\/vz\/images\/105\/a\.raw,format=raw,if=virtio,iothread=on,detect-zeroes=on/,
  ],
  ['scsi0: odd', /scsi0.*not a volume/],
  ['scsi0: bt:105/a.raw', /DSK1="\/b\/images\/105\/a\/disk\.raw/],
  ['scsi0: nfs:105/a.raw', /DSK1="\/mnt\/pve\/nfs\/images\/105\/a\.raw/],
  ['scsi0: old:x', /scsi0.*does not say where/],
  ['net0: e1000=AA:BB:CC:DD:EE:FF', 'NIC1="e1000,net=user,mac=AA:BB:CC:DD:EE:FF"'],
  [
    'net0: model=virtio,macaddr=AA:BB:CC:DD:EE:FE,bridge=vmbr0,queues=4,mtu=1500,firewall=0,link_down=0,trunks=1;2,odd=1',
    /NIC1="virtio-net-pci,bridge=vmbr0,mac=AA:BB:CC:DD:EE:FE,queues=4,mtu=1500"/,
  ],
  ['net0: virtio,bridge=vmbr0,mtu=1,link_down=1', /link_down=1/],
];

const STORAGES = 'btrfs: bt\n\tpath /b\n\nnfs: nfs\n\tserver x\n\nlvm: old\n';

const COMMAND: readonly Variant[] = [
  ['-boot menu=on,splash-time=3000,order=d', '-boot splash-time=3000'],
  ['-smp 2,maxcpus=4', 'MAXSMP=4'],
  ['-M pseries -drive file=/a,format=raw', /DSK1="\/a,format=raw,if=scsi"/],
  ['-drive file=/a,format=raw,if=virtio,throttling.bps-total=1000', /throttling.bps-total=1000/],
  ['-name web,debug-threads=on,odd=1', 'NAME=web'],
  ['-machine pc,accel=kvm:tcg,usb=off,vmport=off,hpet=off', 'HPET=off'],
  ['-M q35 -accel hvf', 'KVM=auto'],
  ['-m size=512M,slots=2,maxmem=1G', 'RAM=512M'],
  ['-m lots', /-m lots.*not an amount/],
  [
    '-m 1G -object memory-backend-ram,id=m,size=1G,host-nodes=0,policy=bind -numa node,memdev=m,cpus=0',
    'NUMA1="1G,cpus=0,hostnodes=0,policy=bind"',
  ],
  ['-m 1G -numa node,mem=1024,cpus=0', /NUMA1="1G,cpus=0"/],
  ['-numa dist,src=0,dst=1,val=20', '-numa dist,src=0,dst=1,val=20'],
  ['-rtc base=2020-01-01,clock=vm', 'RTC=utc'],
  ['-localtime -no-hpet', 'RTC=localtime'],
  ['-smbios type=1,uuid=6ba7b810-9dad-41d1-80b4-00c04fd430c8', 'UUID=6ba7b810-9dad-41d1-80b4-00c04fd430c8'],
  ['-smbios file=/x', '-smbios file=/x'],
  [
    '-global ICH9-LPC.disable_s3=1 -global PIIX4_PM.disable_s4=0 -global driver=kvm-pit,property=lost_tick_policy,value=delay',
    'S3=off',
  ],
  ['-bios OVMF.fd', 'FIRMWARE=/srv/OVMF.fd'],
  ['-bios ovmf', 'FIRMWARE=/usr/share/qemu/ovmf'],
  ['-pflash /x/code.fd -pflash /there/vars.fd', /^FIRMWARE="?uefi,vars=\/there\/vars\.fd"?$/],
  ['-drive if=pflash,index=1,file=/x/vars -drive if=pflash,index=0,file=/x/code', 'FIRMWARE=uefi'],
  [
    '-machine q35,pflash0=c,pflash1=v -blockdev node-name=cf,driver=file,filename=/x/c -blockdev node-name=c,driver=raw,file=cf -blockdev node-name=v,driver=raw,file.driver=file,file.filename=/there/v',
    /^FIRMWARE="?uefi,vars=\/there\/v"?$/,
  ],
  ['-vga cirrus -display gtk', 'VGA=cirrus'],
  ['-device virtio-vga -device vmware-svga', 'VGA=virtio'],
  ['-device virtio-rng-pci,rng=r,max-bytes=1 -object rng-random,id=r,filename=/dev/random', 'RNG=on'],
  ['-device usb-ehci -device usb-tablet -usb -usbdevice keyboard', 'USB=on'],
  ['-device vmgenid,guid=auto', 'VMGENID=on'],
  [
    '-device virtio-serial -device virtserialport,chardev=c,name=com.redhat.spice.0 -chardev spicevmc,id=c,name=vdagent',
    'SPICE=on',
  ],
  ['-device i6300esb -watchdog-action poweroff', 'WATCHDOG=poweroff'],
  ['-watchdog i6300esb', 'WATCHDOG=reset'],
  ['-device pvpanic -action panic=pause,shutdown=poweroff', '-action shutdown=poweroff'],
  ['-device vfio-pci,host=03:00.0', /PCI1|-device vfio-pci/],
  ['-device intel-hda -device hda-duplex -audiodev pa,id=a', 'SOUND=hda,backend=pa'],
  ['-device AC97', 'SOUND=ac97'],
  ['-virtfs local,path=/srv,mount_tag=d,security_model=none,readonly=on', /SHARE|folders/],
  ['-fsdev local,id=f,path=/srv,security_model=none -device virtio-9p-pci,fsdev=f,mount_tag=d', /SHARE|folders/],
  ['-device usb-host,vendorid=0x46d,productid=0xc52b', /USB1|usb/i],
  ['-device usb-host,hostbus=1,hostport=2', /USB1|usb/i],
  ['-serial stdio -serial none -parallel none', 'SERIAL=on'],
  ['-serial none -monitor none -qmp unix:/x,server', 'SERIAL=off'],
  ['-vnc :1', 'VNC=127.0.0.1:1'],
  ['-vnc none', 'VNC=off'],
  ['-vnc unix:/x', 'VNC=unix'],
  ['-vnc [::1]:2', 'VNC="[::1]:2"'],
  ['-vnc localhost:2,odd=on', 'VNC=127.0.0.1:2'],
  ['-spice port=5900 -curses', 'SPICE=on'],
  ['-daemonize -pidfile /x -D /x -S -incoming tcp:0:1', 'NAME=x'],
  ['-runas bob', /RUNAS/],
  ['-sandbox off', 'SANDBOX=off'],
  ['-boot once=d,menu=on', /-boot menu=on/],
  ['-boot order=dc', 'BOOT=cdrom,disk'],
  ['-readconfig /x', /-readconfig.*not read/],
  ['-snapshot -hda a.img', /DSK1="\/srv\/a\.img,if=ide,snapshot=on"/],
  ['-M q35 -hda file:a.img', 'DSK1="/srv/a.img,if=sata"'],
  ['-drive file=a.img,if=virtio,format=raw,werror=stop,copy-on-read=on', /copy-on-read=on/],
  ['-drive file=a.img,media=cdrom -drive if=floppy,file=f.img', 'CDR1="/srv/a.img"'],
  ['-drive file=a.img,if=none,id=a -device nvme,drive=a,serial=S,max_ioqpairs=4', 'DSK1="/srv/a.img,if=nvme,serial=S"'],
  ['-drive file=a.img,if=none,id=a -device scsi-cd,drive=a -device lsi53c895a', 'CDR1="/srv/a.img"'],
  ['-device ide-cd', 'CDR1="empty"'],
  [
    '-blockdev driver=host_device,filename=/dev/sda,node-name=d,cache.no-flush=on,read-only=on,discard=unmap -device virtio-blk,drive=d,num-queues=2,iothread=t -object iothread,id=t',
    /DSK1="\/dev\/sda,format=raw,discard=unmap,readonly=on,cache=unsafe,if=virtio,queues=2,iothread=on"/,
  ],
  ['-M q35 -device ich9-ahci,id=s -drive file=a,if=none,id=a,format=raw -device ide-hd,drive=a,bus=s.0', /if=sata/],
  [
    '-device e1000,netdev=n,mac=52:54:00:00:00:01,romfile= -netdev tap,id=n,ifname=t0,script=no,downscript=no,odd=1',
    'NETIF=managed',
  ],
  ['-device e1000,netdev=n -netdev bridge,id=n,br=br5', /NIC1="e1000,net=bridge,bridge=br5"/],
  ['-device virtio-net-pci,netdev=n -netdev tap,id=n,queues=2', /NIC1="virtio-net-pci,net=bridge,queues=2"/],
  ['-device e1000,netdev=n -netdev socket,id=n,listen=:1', '-netdev socket,id=n,listen=:1'],
  ['-nic none', 'NAME=x'],
  [
    '-nic user,model=virtio,mac=52:54:00:00:00:01,hostfwd=tcp::22-:22',
    /NIC1="virtio-net-pci,net=user,hostfwd=tcp::22-:22,mac=52:54:00:00:00:01"/,
  ],
  ['-nic socket,listen=:1', '-nic socket,listen=:1'],
  ['-net none', 'NAME=x'],
  ['-net nic,macaddr=52:54:00:00:00:01', 'NIC1="e1000,net=none,mac=52:54:00:00:00:01"'],
  ['a.img', /DSK1="\/srv\/a\.img/],
  ['-M q35', 'NIC1="e1000e,net=user"'],
  ['-device \'{"driver":"e1000","netdev":"n"}\' -netdev \'{"type":"user","id":"n"}\'', 'NIC1="e1000,net=user"'],
  ["-device '{broken'", "-device '{broken'"],
  ['-name a\\ b # comment', 'NAME=x'],
  ['-append "a \\"b\\" \\\\ c" -kernel k', /APPEND=/],
];

const THERE = {
  '/there/vars.fd': '',
  '/there/v': '',
  '/there/qemu-system-x86_64': '',
  '/there/my-qemu': '',
  '/etc/pve/storage.cfg': STORAGES,
};

function assertVariant(result: ReturnType<typeof importText>, [part, wanted]: Variant): void {
  const said = ofOutcome(result, 'changed', 'lost', 'refused');
  const all = [...linesOf(result), ...said];
  const found = all.some((line) => (typeof wanted === 'string' ? line === wanted : wanted.test(line)));
  assert.ok(found, `${part}\n${String(wanted)} is not in\n${all.join('\n')}`);
}

for (const variant of LIBVIRT) {
  test(`libvirt: ${variant[0].slice(0, 70)} is ${String(variant[1]).slice(0, 60)}`, () => {
    assertVariant(importText(domain(variant[0]), '/etc/libvirt/qemu/web.xml', THERE), variant);
  });
}

for (const variant of PROXMOX) {
  test(`Proxmox VE: ${variant[0].replaceAll('\n', '; ').slice(0, 70)} is ${String(variant[1]).slice(0, 60)}`, () => {
    const text = variant[0].includes('memory:') ? `${variant[0]}\n` : `memory: 512\n${variant[0]}\n`;
    assertVariant(importText(text, '/etc/pve/qemu-server/105.conf', THERE), variant);
  });
}

for (const variant of COMMAND) {
  test(`command: ${variant[0].slice(0, 70)} is ${String(variant[1]).slice(0, 60)}`, () => {
    const name = variant[0].includes('-name web') ? '' : '-name x ';
    const files = {
      dir: '/srv',
      exists: (path: string) => path in THERE,
      read: () => undefined,
      storages: new Map<string, string>(),
    };
    const words = variant[0].startsWith('-name a') ? `${variant[0]}\n-name x` : `${name}${variant[0]}`;
    const text = `qemu-system-x86_64 ${words}`;
    assertVariant(
      importDefinition(text, { path: '/srv/run.sh', files, etcDir: '/etc/qemu', format: 'command' }),
      variant,
    );
  });
}

const BHYVE: readonly Variant[] = [
  ['uefi="yes"', 'FIRMWARE=uefi'],
  ['uuid=""\nguest=""\nnetwork0_type="virtio-net"\nnetwork0_mac=""', 'NIC1="virtio-net-pci"'],
  ['disk1_name="/b"\ndisk0_name="/a"\ndisk0_opts="ro,nocache"', /DSK1="\/a,.*readonly=on,cache=none"/],
  ['loader="bhyveload"', 'FIRMWARE=bios'],
  ['loader="uefi-csm"', 'FIRMWARE=bios'],
  ['cpu=4\ncpu_sockets=1\ncpu_cores=2\ncpu_threads=2', 'SMP=4,sockets=1,cores=2,threads=2'],
  ['memory=lots', /memory=lots.*not an amount/],
  ['uuid="random"', /uuid.*derived from the name/],
  ['guest="debian"\nutctime="yes"', 'RTC=utc'],
  ['utctime="no"\ngraphics="no"\ngraphics_port=5900\ngraphics_listen="127.0.0.1"', 'RTC=localtime'],
  ['xhci_mouse="yes"\nvirt_random="yes"\nsound="yes"', 'RNG=on'],
  ['xhci_mouse="no"\nvirt_random="no"\nsound="no"\ngraphics_res="1x1"\nodd="1"', /"odd" has no counterpart/],
  ['passthru0=\'1/0/0\'\ncomports="com1"\nprestart="x"\npriority=1', /passthru0.*PCIx/],
  ['disk0_type="virtio-scsi"\ndisk0_name="../x"', /has "\.\." in it/],
  ['disk0_name="d0"\ndisk0_dev="sparse-zvol"\ndisk0_size="5G"\ndisk0_opts="x"', /not on this host/],
  ['disk0_type="odd"\ndisk0_name="/d"', /no disks of type "odd"/],
  ['network0_type="e1000"\nnetwork0_mac="random"\nnetwork0_span="yes"', 'NIC1="e1000"'],
];

for (const variant of BHYVE) {
  test(`vm-bhyve: ${variant[0].replaceAll('\n', '; ').slice(0, 70)} is ${String(variant[1]).slice(0, 60)}`, () => {
    const text = variant[0].includes('loader') ? variant[0] : `loader="uefi"\n${variant[0]}`;
    assertVariant(importText(`${text}\n`, '/vm/g/g.conf'), variant);
  });
}

const QUICKEMU: readonly Variant[] = [
  ['guest_os="windows-server"', /NIC1="e1000,/],
  ['disk="5G"', /disk=.*its size/],
  ['boot="legacy"', 'FIRMWARE=bios'],
  ['secureboot="on"', 'FIRMWARE=uefi-secure'],
  ['tpm="on"', /TPM/],
  ['ram="lots"', /ram.*not an amount/],
  ['network="br0"', /NIC1="virtio-net-pci,bridge=br0"/],
  ['network="none"', 'OS=linux'],
  ['ssh_port="2200"\nkeyboard_layout="de"\narch="aarch64"', 'KEYMAP=de'],
  ['sound_card="ac97"', 'SOUND=ac97'],
  ['sound_card="odd"', 'SOUND=hda'],
  ['display="spice"', 'SPICE=on'],
  ['display="gtk"\npublic_dir="none"\nfloppy="a"\nimg="b"\ndisk_size="1G"', /no window is opened/],
  ['public_dir="/srv"', /public_dir.*SHAREx/],
  ['extra_args="-device a -S"', /-device a/],
  ['usb_devices=("046d:c52b")', /USB1|usb_devices/],
  ['disk_format="raw"\nfixed_iso="a.iso"', 'CDR1="/h/a.iso,optional=on"'],
];

for (const variant of QUICKEMU) {
  test(`quickemu: ${variant[0].replaceAll('\n', '; ').slice(0, 70)} is ${String(variant[1]).slice(0, 60)}`, () => {
    assertVariant(importText(`guest_os="linux"\ndisk_img="d.qcow2"\n${variant[0]}\n`, '/h/l.conf'), variant);
  });
}
