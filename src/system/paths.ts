import { join } from 'node:path';
import { QemuError } from '../base/errors.ts';

/** Longest path that fits `sun_path` of unix(7) with its final NUL. */
export const SOCKET_PATH_MAX_BYTES = 107;

/** Whose files: the host's, the user's, or those below a given root folder. */
export type Scope = 'system' | 'user' | 'root';

/** Every folder and file that does not belong to a single machine. All absolute. */
export interface Paths {
  readonly scope: Scope;
  readonly etcDir: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly registryFile: string;
  readonly monitorFile: string;
  readonly defaultsFile: string;
  readonly templateFile: string;
  /** Links to qemu-netif that QEMU calls with the tap's name. */
  readonly bridgeUpHook: string;
  readonly bridgeDownHook: string;
  /** Locks; names with a leading dot cannot be a machine's. */
  readonly registryLock: string;
  readonly slotsLock: string;
  readonly leasesLock: string;
  /** One file per slot in use, named by its number, containing the long name. */
  readonly slotsDir: string;
  /** One note per tap with its machine, bridge and options; read by the bridge hooks. */
  readonly tapsDir: string;
  /** One folder per running machine, by long name: {@link MachinePaths.keptDir}. Mode 0700. */
  readonly keptRunsDir: string;
  /** Slots last used, by long name. */
  readonly lastSlotsFile: string;
  /** Leased MAC addresses. */
  readonly leasesFile: string;
  /** State of the images at the last start, one file per machine. */
  readonly imagesDir: string;
  /** Capabilities of QEMU binaries, by path, size and mtime. */
  readonly probesDir: string;
}

/** Every file of one machine. Kept short: see {@link SOCKET_PATH_MAX_BYTES}. */
export interface MachinePaths {
  /** Mode 0700; with RUNAS, that user's group may pass through. */
  readonly dir: string;
  /** Files that QEMU itself creates: the pid file and the sockets. Mode 0700, of the user that QEMU runs as. */
  readonly qemuDir: string;
  /** What {@link qemuDir} was, while a machine has a second QEMU that its guest is to go on in; its own socket there. */
  readonly oldQemuDir: string;
  readonly oldQmpSocket: string;
  readonly lock: string;
  /** Held by the client of the control port. */
  readonly controlLock: string;
  /** Held while work on the disks is begun, ended or set right. */
  readonly workLock: string;
  /** Held by the process that is connected to the serial console. */
  readonly consoleLock: string;
  /** Held by the command that talks to the guest agent. */
  readonly agentLock: string;
  /** Written, locked and, on a clean exit, removed by QEMU itself. */
  readonly pidFile: string;
  /** Decisions of start: slot, ports, pid and its start time. */
  readonly record: string;
  /** The command line that QEMU was started with. */
  readonly launch: string;
  /** Is there while a command has the guest's file systems frozen; it outlives one that is killed. */
  readonly frozenMark: string;
  /** What was plugged in and unplugged since; missing when nothing was. */
  readonly plugged: string;
  /** Nodes of the host that QEMU's user has for a moment. */
  readonly lent: string;
  /** Held by the command that plugs and unplugs. */
  readonly plugLock: string;
  readonly qmpSocket: string;
  readonly consoleSocket: string;
  readonly agentSocket: string;
  readonly vncSocket: string;
  readonly spiceSocket: string;
  /** Folder for `tls-creds-psk`: `keys.psk` and `dh-params.pem`. */
  readonly tlsDir: string;
  /** Copies of the keys of encrypted images, which exist while QEMU starts. */
  readonly keysDir: string;
  /** Disk with the data for cloud-init. */
  readonly seed: string;
  /** Output of the qemu-storage-daemon that has the disks while a command works on those of a stopped machine. */
  readonly daemonLog: string;
  /** QEMU's own output. */
  readonly log: string;
  /** Output of the guest on its first serial port. */
  readonly consoleLog: string;
  /** Folder for files that outlive a run: firmware variables, saved states. */
  readonly stateDir: string;
  /** What the TPM keeps. Mode 0700, of the user that QEMU runs as. */
  readonly tpmDir: string;
  /** Work on the disks that has begun and not ended. */
  readonly work: string;
  /** Who owns the guest of a machine that is being moved, or was. */
  readonly move: string;
  /** What is known of snapshots besides what the images contain. */
  readonly snapshots: string;
  /**
   * Mode 0700, exists while the machine runs: copies of what is needed to reach it if the run-time folder is cleared.
   */
  readonly keptDir: string;
  readonly keptRecord: string;
  readonly keptLaunch: string;
  readonly keptPlugged: string;
  readonly keptKey: string;
}

/** Input that selects the scope. */
export interface ScopeOptions {
  /** `--root DIR`, or `QEMU_INIT_ROOT`. */
  readonly root?: string | undefined;
  readonly system?: boolean | undefined;
  readonly user?: boolean | undefined;
}

/**
 * Paths of a scope: `--root` wins, then `--system` or `--user`, else root means system.
 *
 * @throws {QemuError} `QEMU_USAGE` when the user scope has no home or run-time folder.
 */
export function resolvePaths(options: ScopeOptions, env: NodeJS.ProcessEnv, uid: number, cwd: string): Paths {
  const forced = options.system === true || options.user === true;
  const root = options.root ?? (forced ? undefined : env['QEMU_INIT_ROOT'] || undefined);
  if (root !== undefined) {
    const base = root.startsWith('/') ? root : join(cwd, root);
    return pathsIn('root', {
      etcDir: join(base, 'etc/qemu'),
      runDir: join(base, 'run/qemu-init'),
      stateDir: join(base, 'var/lib/qemu-init'),
      logDir: join(base, 'var/log/qemu-init'),
    });
  }
  if (options.system === true || (options.user !== true && uid === 0)) {
    return pathsIn('system', {
      etcDir: '/etc/qemu',
      runDir: '/run/qemu-init',
      stateDir: '/var/lib/qemu-init',
      logDir: '/var/log/qemu-init',
    });
  }
  const home = env['HOME'];
  const configHome = absolute(env['XDG_CONFIG_HOME']) ?? (home && join(home, '.config'));
  const stateHome = absolute(env['XDG_STATE_HOME']) ?? (home && join(home, '.local/state'));
  // Without a login session there is no XDG_RUNTIME_DIR; /run/user/UID is where pam_systemd would have put it.
  const runtimeDir = absolute(env['XDG_RUNTIME_DIR']) ?? `/run/user/${uid}`;
  if (!configHome || !stateHome) {
    throw new QemuError('QEMU_USAGE', "Cannot determine the user's folders: HOME is not set", {
      hint: 'set HOME, or give a folder with --root',
    });
  }
  return pathsIn('user', {
    etcDir: join(configHome, 'qemu'),
    runDir: join(runtimeDir, 'qemu-init'),
    stateDir: join(stateHome, 'qemu-init'),
    logDir: join(stateHome, 'qemu-init/log'),
  });
}

/** XDG base directories that are not absolute are to be ignored (XDG Base Directory Specification 0.8). */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

function pathsIn(scope: Scope, dirs: Pick<Paths, 'etcDir' | 'runDir' | 'stateDir' | 'logDir'>): Paths {
  const { etcDir, runDir, stateDir } = dirs;
  return {
    scope,
    ...dirs,
    registryFile: join(etcDir, 'qemu-init.reg'),
    monitorFile: join(etcDir, 'monitor.conf'),
    defaultsFile: join(etcDir, 'defaults-qemu.cfg'),
    templateFile: join(etcDir, 'template-qemu.cfg'),
    bridgeUpHook: join(etcDir, 'qemu-brup'),
    bridgeDownHook: join(etcDir, 'qemu-brdown'),
    registryLock: join(runDir, '.registry.lock'),
    slotsLock: join(runDir, '.slots.lock'),
    leasesLock: join(runDir, '.leases.lock'),
    slotsDir: join(runDir, '.slots'),
    tapsDir: join(runDir, '.taps'),
    // A name with a leading dot cannot be a machine's.
    keptRunsDir: join(stateDir, '.runs'),
    lastSlotsFile: join(stateDir, 'slots.json'),
    leasesFile: join(stateDir, 'macs.json'),
    imagesDir: join(stateDir, '.images'),
    probesDir: join(stateDir, '.probes'),
  };
}

/** The files of the machine with that long name. join() would take most of what a list of many costs. */
export function machinePaths(paths: Paths, longName: string): MachinePaths {
  const dir = `${paths.runDir}/${longName}`;
  const qemuDir = `${dir}/qemu`;
  const oldQemuDir = `${dir}/qemu.old`;
  const keptDir = `${paths.keptRunsDir}/${longName}`;
  return {
    dir,
    qemuDir,
    oldQemuDir,
    oldQmpSocket: `${oldQemuDir}/qmp.sock`,
    lock: `${dir}/lock`,
    controlLock: `${dir}/control.lock`,
    workLock: `${dir}/work.lock`,
    consoleLock: `${dir}/console.lock`,
    agentLock: `${dir}/agent.lock`,
    pidFile: `${qemuDir}/pid`,
    record: `${dir}/machine.json`,
    launch: `${dir}/launch.json`,
    frozenMark: `${dir}/frozen-since`,
    plugged: `${dir}/plugged.json`,
    lent: `${dir}/lent.json`,
    plugLock: `${dir}/plug.lock`,
    qmpSocket: `${qemuDir}/qmp.sock`,
    consoleSocket: `${qemuDir}/console.sock`,
    agentSocket: `${qemuDir}/agent.sock`,
    vncSocket: `${qemuDir}/vnc.sock`,
    spiceSocket: `${qemuDir}/spice.sock`,
    tlsDir: `${dir}/tls`,
    keysDir: `${dir}/keys`,
    seed: `${dir}/seed.img`,
    daemonLog: `${dir}/storage-daemon.log`,
    log: `${paths.logDir}/${longName}.log`,
    consoleLog: `${paths.logDir}/${longName}.console`,
    stateDir: `${paths.stateDir}/${longName}`,
    tpmDir: `${paths.stateDir}/${longName}/tpm`,
    work: `${paths.stateDir}/${longName}/work.json`,
    move: `${paths.stateDir}/${longName}/move.json`,
    snapshots: `${paths.stateDir}/${longName}/snapshots.json`,
    keptDir,
    keptRecord: `${keptDir}/machine.json`,
    keptLaunch: `${keptDir}/launch.json`,
    keptPlugged: `${keptDir}/plugged.json`,
    keptKey: `${keptDir}/keys.psk`,
  };
}
