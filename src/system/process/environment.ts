import { DEFAULT_PATH } from './find-program.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Categories of locale(7). The same prefix is also used for secrets: Proxmox VE has LC_PVE_TICKET. */
const LOCALE = [
  ...['LC_ALL', 'LC_ADDRESS', 'LC_COLLATE', 'LC_CTYPE', 'LC_IDENTIFICATION', 'LC_MEASUREMENT', 'LC_MESSAGES'],
  ...['LC_MONETARY', 'LC_NAME', 'LC_NUMERIC', 'LC_PAPER', 'LC_TELEPHONE', 'LC_TIME'],
];

/** Variables of the caller that any program may see: environ(7), locale(7). */
const COMMON = ['PATH', 'TZ', 'LANG', 'LANGUAGE', ...LOCALE, 'QEMU_INIT_ROOT'];

/** Whose session it is. Another user than the caller has no use for these: the caller's TMPDIR may be closed to it. */
const CALLER = ['TMPDIR', 'HOME', 'USER', 'LOGNAME', 'XDG_RUNTIME_DIR'];

/** Where hooks and helpers find the caller's own files and the caller's service manager. */
const HELPERS = [...CALLER, 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'DBUS_SESSION_BUS_ADDRESS'];

/** What a window, or sound, of QEMU in the caller's session needs. */
const SESSION = [
  ...['DISPLAY', 'XAUTHORITY', 'WAYLAND_DISPLAY', 'XDG_SESSION_TYPE', 'DBUS_SESSION_BUS_ADDRESS', 'GDK_BACKEND'],
  ...['SDL_VIDEODRIVER', 'SDL_AUDIODRIVER', 'QEMU_AUDIO_DRV', 'PULSE_SERVER', 'PULSE_COOKIE', 'PIPEWIRE_REMOTE'],
  'PIPEWIRE_RUNTIME_DIR',
];

/**
 * Environment of the programs that are run: a whitelist, so that other variables of the caller (passwords, LD_PRELOAD)
 * do not reach them.
 *
 * @param more what the program gets in addition.
 */
export function childEnvironment(more: Variables = {}, caller: Variables = process.env): NodeJS.ProcessEnv {
  return { ...chosen(caller, [...COMMON, ...HELPERS]), ...more };
}

/**
 * Environment of QEMU.
 *
 * @param argv its command line: only with a display or sound of the caller's session is that session named.
 * @param asCaller whether it runs as the user who calls.
 */
export function qemuEnvironment(
  {
    argv,
    asCaller,
    more = {},
  }: { readonly argv: readonly string[]; readonly asCaller: boolean; readonly more?: Variables },
  caller: Variables = process.env,
): NodeJS.ProcessEnv {
  const session = asCaller && usesSession(argv) ? SESSION : [];
  return { ...chosen(caller, [...COMMON, ...(asCaller ? CALLER : []), ...session]), ...more };
}

function chosen(caller: Variables, names: readonly string[]): NodeJS.ProcessEnv {
  const known = new Set(names);
  const entries = Object.entries(caller).filter(([name]) => known.has(name));
  return { PATH: DEFAULT_PATH, ...Object.fromEntries(entries) };
}

/** Options that reach the caller's screen or speakers; with no `-display` QEMU opens a window where it can. */
function usesSession(argv: readonly string[]): boolean {
  const options = argv.map((word) => word.replace(/^--/, '-'));
  const display = options.lastIndexOf('-display');
  if (options.some((option) => /^-(?:audio|audiodev|soundhw)$/.test(option))) return true;
  if (display < 0) return !options.includes('-nographic');
  return !/^(?:none|curses)(?:,|$)/.test(argv[display + 1] ?? '');
}
