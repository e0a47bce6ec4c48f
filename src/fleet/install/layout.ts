/** Where things go on the host. All absolute, without the destination folder. */
export interface Layout {
  /** The program itself. */
  readonly libDir: string;
  readonly binDir: string;
  readonly unitDir: string;
  readonly generatorDir: string;
  readonly tmpfilesDir: string;
  readonly sysusersDir: string;
  readonly manDir: string;
  readonly bashDir: string;
  readonly zshDir: string;
  readonly fishDir: string;
  readonly polkitDir: string;
  /** These do not move with the prefix: other programs look for them there. */
  readonly etcDir: string;
  readonly initScript: string;
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
  return {
    libDir,
    binDir: `${base}/bin`,
    unitDir: `${base}/lib/systemd/system`,
    generatorDir: `${base}/lib/systemd/system-generators`,
    // Only /etc, /run, /usr/local/lib and /usr/lib are looked at: tmpfiles.d(5), sysusers.d(5).
    tmpfilesDir: `${base}/lib/tmpfiles.d`,
    sysusersDir: `${base}/lib/sysusers.d`,
    manDir: `${share}/man`,
    bashDir: `${share}/bash-completion/completions`,
    zshDir: base === '/usr' ? `${share}/zsh/vendor-completions` : `${share}/zsh/site-functions`,
    fishDir: `${share}/fish/vendor_completions.d`,
    polkitDir: `${share}/polkit-1/rules.d`,
    etcDir: '/etc/qemu',
    initScript: '/etc/init.d/qemu-init',
    manifest: `${libDir}/installed.json`,
  };
}
