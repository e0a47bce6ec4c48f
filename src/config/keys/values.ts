export const SWITCH_VALUES = ['on', 'off'] as const;
export const HUGEPAGES_VALUES = ['off', 'on', '2M', '1G'] as const;
export const KVM_VALUES = ['auto', 'on', 'off'] as const;
export const FIRMWARE_VALUES = ['bios', 'uefi', 'uefi-secure'] as const;
export const BOOT_VALUES = ['disk', 'cdrom', 'network'] as const;
export const DISK_INTERFACES = ['virtio', 'ide', 'sata', 'scsi', 'nvme'] as const;
export const NET_BACKENDS = ['bridge', 'user', 'passt', 'none'] as const;
export const SHARE_DRIVERS = ['virtiofs', '9p'] as const;
export const NETIF_VALUES = ['hook', 'managed'] as const;
export const STOP_METHODS = ['auto', 'acpi', 'agent'] as const;
export const SHUTDOWN_VALUES = ['shutdown', 'save'] as const;
export const RESTART_VALUES = ['no', 'on-failure', 'always'] as const;
export const VGA_VALUES = ['std', 'cirrus', 'vmware', 'qxl', 'virtio', 'bochs', 'ramfb', 'none'] as const;
/** `off`, or an action of `-action watchdog=` (qemu-system(1)). */
export const WATCHDOG_VALUES = [
  'off',
  'reset',
  'shutdown',
  'poweroff',
  'inject-nmi',
  'pause',
  'debug',
  'none',
] as const;
/** `none`, or an action of `-action panic=` (qemu-system(1)). */
export const PANIC_VALUES = ['none', 'pause', 'shutdown', 'exit-failure'] as const;
/** What a real-time clock shows: `base=` of `-rtc` (qemu-system(1)). */
export const RTC_VALUES = ['utc', 'localtime'] as const;
/** What happens to ticks that the guest missed: `driftfix=` of `-rtc`. */
export const DRIFTFIX_VALUES = ['none', 'slew'] as const;
/** `lost_tick_policy` of `kvm-pit`. */
export const PIT_VALUES = ['delay', 'discard'] as const;
/** `on` is `hda`. */
export const SOUND_VALUES = ['off', 'on', 'hda', 'ac97', 'es1370', 'usb', 'virtio'] as const;
/** Backends of `-audiodev` (qemu-system(1)) that need no further options. */
export const AUDIO_BACKENDS = ['none', 'alsa', 'dbus', 'jack', 'oss', 'pa', 'pipewire', 'sdl', 'spice'] as const;
/** Files of /usr/share/qemu/keymaps, of QEMU 7.2 and 10. */
export const KEYMAP_VALUES = [
  'ar',
  'bepo',
  'cz',
  'da',
  'de',
  'de-ch',
  'en-gb',
  'en-us',
  'es',
  'et',
  'fi',
  'fo',
  'fr',
  'fr-be',
  'fr-ca',
  'fr-ch',
  'hr',
  'hu',
  'is',
  'it',
  'ja',
  'lt',
  'lv',
  'mk',
  'nl',
  'no',
  'pl',
  'pt',
  'pt-br',
  'ru',
  'sl',
  'sv',
  'th',
  'tr',
] as const;
/** `policy=` of memory backends (qemu-system(1), "-object memory-backend-ram"). */
export const NUMA_POLICIES = ['bind', 'interleave', 'preferred'] as const;
/** Tables of SMBIOS by their names in libvirt. */
export const SMBIOS_TABLES = ['bios', 'system', 'baseboard', 'chassis', 'processor', 'oem'] as const;
export const MONITOR_VALUES = ['tcp', 'off'] as const;
export const TLS_VALUES = ['psk', 'off'] as const;

/** Image formats that QEMU can write, then those that it can only read. */
export const IMAGE_FORMATS = [
  'raw',
  'qcow2',
  'qcow',
  'qed',
  'vmdk',
  'vdi',
  'vhdx',
  'vpc',
  'luks',
  'parallels',
  'bochs',
  'cloop',
  'dmg',
] as const;

/** Memory when RAM is not set. */
export const DEFAULT_MEMORY_BYTES = 2 * 1024 ** 3;

/** Least and most memory, in bytes. */
export const MEMORY_RANGE = { min: 1024 ** 2, max: 16 * 1024 ** 4 } as const;
