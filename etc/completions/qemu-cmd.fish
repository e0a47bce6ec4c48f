# fish completion of qemu-cmd: the machines of qemu-init.

source (status dirname)/qemu-init.fish
complete --command qemu-cmd --no-files --arguments "(__qemu_init_ids)"
