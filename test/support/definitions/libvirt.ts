import type { Variant } from './variant.ts';

/** @param parts elements of the domain, then `||` and those of its devices. */
export function domain(parts: string): string {
  const [rest, devices = ''] = parts.split('||');
  const os = /<os[ >]/.test(parts) ? '' : "<os><type arch='x86_64' machine='q35'>hvm</type></os>";
  return `<domain type='kvm'><name>web</name>${os}${rest}<devices>${devices}</devices></domain>`;
}

/** Parts of a domain of libvirt, see {@link domain}. */
export const LIBVIRT: readonly Variant[] = [
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
