# bash completion for qemu-init, qemu-cmd, qemu-mon and qemu-netif. Reads the registry itself: a key press starts no Node.
# shellcheck shell=bash

_qemu_init_root() {
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == --root ]] && { printf '%s' "${COMP_WORDS[i + 1]}"; return; }
  done
  printf '%s' "${QEMU_INIT_ROOT:-}"
}

# Short and long names of the registered machines, one a line.
_qemu_init_ids() {
  local root registry
  root=$(_qemu_init_root)
  registry=$root/etc/qemu/qemu-init.reg
  if [[ -z $root && $EUID -ne 0 ]]; then registry=${XDG_CONFIG_HOME:-$HOME/.config}/qemu/qemu-init.reg; fi
  [[ -r $registry ]] || return 0
  sed -n 's/[[:space:]]*$//; s/^[[:space:]]*\([A-Za-z0-9][A-Za-z0-9_.-]*\)[[:space:]]*=[[:space:]]*"\{0,1\}\(.*\/\)\{0,1\}\([A-Za-z0-9][A-Za-z0-9_.-]*\)"\{0,1\}.*$/\1\n\3/p' "$registry" | sort -u
}

# Sets COMPREPLY to the words of "$1" that begin with what was typed. Some are names of folders that others made: compgen -W would
# run what is in "$(...)", and what is offered comes into the command line without quotes.
_qemu_init_words() {
  local word words typed=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  IFS=$' \t\n' read -r -d '' -a words <<<"$1"
  for word in "${words[@]}"; do
    [[ $word != "$typed"* || $word == *[!A-Za-z0-9_.@:=-]* ]] || COMPREPLY+=("$word")
  done
}

_qemu_init_files() {
  local file
  compopt -o filenames 2>/dev/null
  COMPREPLY=()
  while read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

# Machines and their points in the folder "$1" of backups, one a line.
_qemu_init_points() {
  local dest=${1/#\~\//$HOME/} file name
  for file in "$dest"/*/*/manifest.json; do
    [[ -e $file ]] || continue
    name=${file#"$dest"/}
    name=${name%/manifest.json}
    printf '%s\n%s\n' "${name%/*}" "${name/\//@}"
  done | sort -u
}

# From the tables, by scripts/man-tables.mjs, as all between begin and end.
# begin bash-actions
_qemu_init_actions='start stop save migrate restart try-restart reload force-reload kill reset pause resume wake exit-preconfig wait status list check showcmd explain diff log security top metrics events snapshot disk jobs backup restore attach detach insert eject nic balloon console vnc screenshot sendkey type dump agent register unregister edit create clone rename delete image import export enable disable doctor install uninstall completion qmp-types web'
# end
# From the table of the keys, by scripts/man-tables.mjs.
_qemu_init_keys='NAME= OS= DESC= UUID= TGTARCH= MACHINE= CPU= SMP= RAM= MAXSMP= MAXRAM= HUGEPAGES= KVM= RNG= BALLOON= HOTPLUG= USB= SOUND= RTC= HPET= PIT= S3= S4= VMGENID= NUMA1= SMBIOS1= WATCHDOG= ONPANIC= FIRMWARE= TPM= BOOT= KERNEL= INITRD= APPEND= DSK1= CDR1= CLOUDINIT= BACKUP= NIC1= BRIDGE_IFNAME= NETIF= VNC= VGA= SPICE= KEYMAP= SERIAL= QGA= RUNAS= SANDBOX= LIMIT_CPU= LIMIT_MEMORY= LIMIT_IO= CPUSET= AUTOSTART= BOOTORDER= BOOTDELAY= REQUIRES= STOPDELAY= STOPMETHOD= ONSHUTDOWN= PRECMD= POSTCMD= PRESTOP= POSTSTOP= RESTART= SHARE1= USB1= PCI1='

_qemu_init() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} action='' i options verbs='' words=''
  case $previous in
    --root | --destdir | --prefix | --output) _qemu_init_files; return ;;
    --for) _qemu_init_words 'running stopped agent console= port='; return ;;
    --timeout | --deadline | --parallel | --lines | --name | --disk | --os | --as | --rate | --keep) COMPREPLY=(); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --root) ((i++)) ;;
      -*) ;;
      *) action=${COMP_WORDS[i]}; break ;;
    esac
  done
  if [[ $word == -* ]]; then
    # begin bash-options
    options='--json --quiet --verbose --debug --color --root --system --user --direct --no-color --help --version'
    case $action in
      start) options+=' --all --parallel --paused --preconfig --autostart --fresh --i-know --alone' ;;
      stop) options+=' --all --parallel --timeout --force --no-kill --deadline' ;;
      save) options+=' --all --parallel' ;;
      migrate) options+=' --check --copy-disks --rate --downtime --timeout --keep-config' ;;
      restart) options+=' --all --parallel --timeout --force --live --check --rate --downtime' ;;
      try-restart) options+=' --all --parallel --timeout --force' ;;
      reload) options+=' --all --timeout' ;;
      force-reload) options+=' --all --parallel --timeout --force' ;;
      kill) options+=' --all --parallel' ;;
      reset) options+=' --all' ;;
      pause) options+=' --all' ;;
      resume) options+=' --all' ;;
      wake) options+=' --all' ;;
      exit-preconfig) options+=' --all' ;;
      wait) options+=' --all --for --timeout' ;;
      status) options+=' --all' ;;
      list) options+=' --macs --all' ;;
      check) options+=' --all --try --cluster --node --local' ;;
      showcmd) options+=' --all' ;;
      diff) options+=' --all' ;;
      log) options+=' --console --lines --follow --trim' ;;
      security) options+=' --all' ;;
      top) options+=' --all --once --interval' ;;
      metrics) options+=' --all --textfile' ;;
      events) options+=' --all' ;;
      jobs) options+=' --all' ;;
      restore) options+=' --as --output --disk --fresh' ;;
      attach) options+=' --timeout --persist' ;;
      detach) options+=' --timeout --persist' ;;
      insert) options+=' --force --persist --timeout' ;;
      eject) options+=' --force --persist --timeout' ;;
      balloon) options+=' --timeout' ;;
      console) options+=' --read-only --lines' ;;
      vnc) options+=' --open' ;;
      screenshot) options+=' --head' ;;
      sendkey) options+=' --hold' ;;
      type) options+=' --hold --enter --layout' ;;
      agent) options+=' --stdin --timeout --crypted' ;;
      edit) options+=' --registry --monitor --defaults' ;;
      create) options+=' --disk --image --from --linked --iso --kernel --initrd --append --ram --cpus --bridge --net --ssh-port --firmware --tpm --os --ssh-key --login --hostname --user-data --meta-data --network-config --output --start --wait --timeout' ;;
      clone) options+=' --linked --snapshot --output' ;;
      delete) options+=' --keep-disks --yes --dry-run' ;;
      import) options+=' --format --pid --name --output --storage --copy-disks --force --dry-run' ;;
      export) options+=' --format' ;;
      enable) options+=' --all' ;;
      disable) options+=' --all' ;;
      install) options+=' --prefix --destdir --dry-run' ;;
      uninstall) options+=' --prefix --destdir --dry-run --stop' ;;
      qmp-types) options+=' --binary --output' ;;
      web) options+=' --listen --allow-control --read-only --idle --name --trust-header --control-user --link --new-link' ;;
    esac
    # end
    _qemu_init_words "$options"
    return
  fi
  # begin bash-verbs
  case $action in
    snapshot) verbs='create list revert delete' ;;
    disk) verbs='list check resize convert commit mirror' ;;
    jobs) verbs='resume cancel' ;;
    backup) verbs='create list verify delete serve' ;;
    nic) verbs='link' ;;
    image) verbs='list pull verify remove' ;;
  esac
  # end
  ((COMP_CWORD == i + 1)) || verbs=''
  # begin bash-commands
  case $action in
    agent) words='ping info addresses users fs time freeze thaw shutdown exec get put passwd' ;;
  esac
  # end
  if [[ -n $words && $COMP_CWORD -gt $((i + 1)) ]]; then
    if ((COMP_CWORD == i + 2)); then _qemu_init_words "$words"; else _qemu_init_files; fi
    return
  fi
  # The folder of backups is the word after the verb, but of "backup create ID DEST".
  local folder=0
  case $action:${COMP_WORDS[i + 1]} in
    backup:create) ((COMP_CWORD == i + 3)) && { _qemu_init_files; return; } ;;
    backup:list | backup:verify | backup:delete) ((folder = i + 2)) ;;
    restore:*) ((folder = i + 1)) ;;
  esac
  if ((folder > 0 && COMP_CWORD >= folder)); then
    if ((COMP_CWORD == folder)); then _qemu_init_files; else _qemu_init_words "$(_qemu_init_points "${COMP_WORDS[folder]}")"; fi
    return
  fi
  case $action in
    '') _qemu_init_words "$_qemu_init_actions" ;;
    import | register) _qemu_init_files ;;
    completion) _qemu_init_words 'bash zsh fish' ;;
    create)
      # The name is a new one.
      COMPREPLY=()
      if ((COMP_CWORD > i + 1)); then
        compopt -o nospace 2>/dev/null
        _qemu_init_words "$_qemu_init_keys"
      fi
      ;;
    install | uninstall | doctor | list) COMPREPLY=() ;;
    *) _qemu_init_words "$verbs $(_qemu_init_ids)" ;;
  esac
}

_qemu_cmd() {
  case ${COMP_WORDS[COMP_CWORD]} in
    -*) _qemu_init_words '-c --command -q --qmp --all --timeout --json --quiet --root --help --version' ;;
    *) _qemu_init_words "$(_qemu_init_ids)" ;;
  esac
}

_qemu_mon() {
  case ${COMP_WORDS[COMP_CWORD]} in
    -*) _qemu_init_words '--qmp --events --read-only --json --quiet --root --help --version' ;;
    *) _qemu_init_words "$(_qemu_init_ids)" ;;
  esac
}

_qemu_netif() {
  local interfaces=''
  [[ ! -d /sys/class/net ]] || interfaces=$(ls /sys/class/net)
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    qemu-netif | */qemu-netif) _qemu_init_words 'up down bridge check' ;;
    bridge) _qemu_init_words 'add del show' ;;
    *) _qemu_init_words "$interfaces --bridge" ;;
  esac
}

complete -F _qemu_init qemu-init
complete -F _qemu_cmd qemu-cmd
complete -F _qemu_mon qemu-mon
complete -F _qemu_netif qemu-netif
