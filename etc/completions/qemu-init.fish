# fish completion. Reads the registry itself: a key press starts no Node.

function __qemu_init_ids
    set --local registry "$QEMU_INIT_ROOT/etc/qemu/qemu-init.reg"
    if test -z "$QEMU_INIT_ROOT"; and test (id -u) -ne 0
        set registry (test -n "$XDG_CONFIG_HOME"; and echo $XDG_CONFIG_HOME; or echo ~/.config)/qemu/qemu-init.reg
    end
    # Short and long names.
    test -r $registry; and sed -n 's/[[:space:]]*$//; s/^[[:space:]]*\([A-Za-z0-9][A-Za-z0-9_.-]*\)[[:space:]]*=[[:space:]]*"\{0,1\}\(.*\/\)\{0,1\}\([A-Za-z0-9][A-Za-z0-9_.-]*\)"\{0,1\}.*$/\1\n\3/p' $registry | sort -u
end

set --local actions start stop restart try-restart reload force-reload status kill reset pause resume wake exit-preconfig wait list check showcmd explain register unregister create edit import console vnc log enable disable doctor security install uninstall completion qmp-types jobs
# From the table of the keys, by scripts/man-tables.mjs.
set --local keys NAME= OS= DESC= UUID= TGTARCH= MACHINE= CPU= SMP= RAM= KVM= RNG= BALLOON= HOTPLUG= USB= SOUND= RTC= HPET= PIT= S3= S4= VMGENID= NUMA1= SMBIOS1= WATCHDOG= ONPANIC= FIRMWARE= BOOT= KERNEL= INITRD= APPEND= DSK1= CDR1= NIC1= BRIDGE_IFNAME= NETIF= VNC= VGA= SPICE= KEYMAP= SERIAL= QGA= RUNAS= SANDBOX= AUTOSTART= BOOTORDER= BOOTDELAY= REQUIRES= STOPDELAY= STOPMETHOD= PRECMD= POSTCMD= PRESTOP= POSTSTOP= RESTART=

complete --command qemu-init --no-files
complete --command qemu-init --condition "not __fish_seen_subcommand_from $actions" --arguments "$actions"
complete --command qemu-init --condition "__fish_seen_subcommand_from $actions; and not __fish_seen_subcommand_from import register install uninstall doctor list create completion" --arguments '(__qemu_init_ids)'
complete --command qemu-init --condition '__fish_seen_subcommand_from import register' --force-files
complete --command qemu-init --condition '__fish_seen_subcommand_from completion' --arguments 'bash zsh fish'
# The name is a new one.
complete --command qemu-init --condition '__fish_seen_subcommand_from create; and test (count (commandline -opc)) -gt 2' --arguments "$keys"
