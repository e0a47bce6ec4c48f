# fish completion of qemu-mon: the machines of qemu-init.

source (status dirname)/qemu-init.fish
complete --command qemu-mon --no-files --arguments "(__qemu_init_ids)"
