# fish completion of qemu-netif: its commands, and the interfaces of this host.

complete --command qemu-netif --no-files
# begin fish-netif
set --local commands up down bridge check
complete --command qemu-netif --condition "not __fish_seen_subcommand_from $commands" --arguments up --description 'Attach a tap to its bridge and bring it up'
complete --command qemu-netif --condition "not __fish_seen_subcommand_from $commands" --arguments down --description 'Detach a tap from its bridge and bring it down'
complete --command qemu-netif --condition "not __fish_seen_subcommand_from $commands" --arguments bridge --description 'Create, remove and show bridges'
complete --command qemu-netif --condition "not __fish_seen_subcommand_from $commands" --arguments check --description 'Check the host\'s network for what the registered machines need'
complete --command qemu-netif --condition '__fish_seen_subcommand_from bridge; and not __fish_seen_subcommand_from add del show' --arguments add --description 'Create a bridge, or add missing settings to an existing one'
complete --command qemu-netif --condition '__fish_seen_subcommand_from bridge; and not __fish_seen_subcommand_from add del show' --arguments del --description 'Remove a bridge created by "add"; its uplink gets the addresses back'
complete --command qemu-netif --condition '__fish_seen_subcommand_from bridge; and not __fish_seen_subcommand_from add del show' --arguments show --description 'Show bridges with their ports'
complete --command qemu-netif --long-option json --description 'Print one JSON document'
complete --command qemu-netif --long-option quiet --description 'Print errors only'
complete --command qemu-netif --long-option verbose --description 'Print each step of a start or stop'
complete --command qemu-netif --long-option debug --description 'Also print commands, QMP traffic and stack traces'
complete --command qemu-netif --long-option color --description 'Use colours even without a terminal (--no-color: never)'
complete --command qemu-netif --long-option root --require-parameter --force-files --description 'Use the folders below DIR (default: $QEMU_INIT_ROOT)'
complete --command qemu-netif --long-option system --description 'Use the system-wide configuration (/etc/qemu)'
complete --command qemu-netif --long-option user --description 'Use the user\'s own configuration'
complete --command qemu-netif --long-option direct --description 'Work without systemd, in this process'
complete --command qemu-netif --long-option no-color --description 'No colour'
complete --command qemu-netif --long-option help --short-option h --description 'Show the help'
complete --command qemu-netif --long-option version --description 'Show the version'
complete --command qemu-netif --condition '__fish_seen_subcommand_from up' --long-option bridge --require-parameter --description 'Bridge (default: the one noted by start, else $BRIDGE_IFNAME, else br0)'
complete --command qemu-netif --condition '__fish_seen_subcommand_from add' --long-option uplink --require-parameter --description 'Interface to the outside network; its addresses move to the bridge'
complete --command qemu-netif --condition '__fish_seen_subcommand_from add' --long-option address --require-parameter --description 'The host\'s addresses with prefix length, separated by commas'
complete --command qemu-netif --condition '__fish_seen_subcommand_from add' --long-option mtu --require-parameter --description 'Bytes (default: that of the uplink)'
complete --command qemu-netif --condition '__fish_seen_subcommand_from add' --long-option vlan-aware --description 'For NICs with vlan='
# end
complete --command qemu-netif --condition '__fish_seen_subcommand_from up down add del show' --arguments '(command ls /sys/class/net)'
