/** Where things go on the host. All absolute, without the destination folder. */
export interface Layout {
  /** The program itself. */
  readonly libDir: string;
  readonly binDir: string;
  readonly unitDir: string;
  readonly generatorDir: string;
  /** The same two for the service managers of users. */
  readonly userUnitDir: string;
  readonly userGeneratorDir: string;
  readonly tmpfilesDir: string;
  readonly sysusersDir: string;
  readonly manDir: string;
  readonly bashDir: string;
  readonly zshDir: string;
  readonly fishDir: string;
  readonly polkitDir: string;
  /** Independent of the prefix: other programs look for them there. */
  readonly etcDir: string;
  readonly initScript: string;
  readonly logrotateDir: string;
  /** Agents for clusters. */
  readonly ocfDir: string;
  /** What an installation wrote, for the next one and for its removal. */
  readonly manifest: string;
}

/**
 * Folders below a prefix.
 *
 * @param prefix absolute, such as `/usr` or `/usr/local`.
 */
export function layoutFor(prefix: string): Layout {
  const base = prefix === '/' ? '' : prefix.replace(/\/+$/, '');
  const share = `${base}/share`;
  const libDir = `${base}/lib/qemu-init`;
  // They are not searched for anywhere else: systemd.unit(5), systemd.generator(7), tmpfiles.d(5), sysusers.d(5).
  const seen = ['', '/usr', '/usr/local'].includes(base) ? base : '/usr/local';
  return {
    libDir,
    binDir: `${base}/bin`,
    unitDir: `${seen}/lib/systemd/system`,
    generatorDir: `${seen}/lib/systemd/system-generators`,
    userUnitDir: `${seen}/lib/systemd/user`,
    userGeneratorDir: `${seen}/lib/systemd/user-generators`,
    tmpfilesDir: `${seen}/lib/tmpfiles.d`,
    sysusersDir: `${seen}/lib/sysusers.d`,
    manDir: `${share}/man`,
    bashDir: `${share}/bash-completion/completions`,
    zshDir: base === '/usr' ? `${share}/zsh/vendor-completions` : `${share}/zsh/site-functions`,
    fishDir: `${share}/fish/vendor_completions.d`,
    // polkit(8) looks into the second one everywhere, into that of /usr/local only since version 124.
    polkitDir: base === '/usr' ? `${share}/polkit-1/rules.d` : '/etc/polkit-1/rules.d',
    etcDir: '/etc/qemu',
    initScript: '/etc/init.d/qemu-init',
    logrotateDir: '/etc/logrotate.d',
    // OCF Resource Agent API: all agents are below that folder, each in that of its provider.
    ocfDir: '/usr/lib/ocf/resource.d/qemu-init',
    manifest: `${libDir}/installed.json`,
  };
}

/** Prefixes that other installations may have. */
const PREFIXES = ['/usr/local', '/usr'];

/** Where installations may be on this host, including that of this program itself. */
export function installedLayouts(source: string): Layout[] {
  const own = /^(.*)\/lib\/qemu-init\/?$/.exec(source)?.[1];
  return (own === undefined ? PREFIXES : [own]).map(layoutFor);
}
