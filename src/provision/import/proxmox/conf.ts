/** One `key: value` of a Proxmox VE configuration. */
export interface ConfEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** The parts of a file of `/etc/pve/qemu-server`. */
export interface Conf {
  /** Those before the first section: the machine as it is to be at its next start, but for pending changes. */
  readonly entries: readonly ConfEntry[];
  /** Comment lines, decoded: the description. */
  readonly description: readonly { readonly line: number; readonly text: string }[];
  /** Sections: pending changes, snapshots and the like. */
  readonly sections: readonly {
    readonly name: string;
    readonly line: number;
    readonly entries: readonly ConfEntry[];
  }[];
  /** Lines that are none of these. */
  readonly bad: readonly { readonly line: number; readonly text: string }[];
}

/** Reads the lines of such a file. */
export function parseConf(text: string): Conf {
  const entries: ConfEntry[] = [];
  const sections: { name: string; line: number; entries: ConfEntry[] }[] = [];
  const bad: { line: number; text: string }[] = [];
  const comments: { line: number; text: string }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const written = raw.replace(/\r$/, '');
    const section = /^\[([^\]]+)\]\s*$/.exec(written);
    const comment = /^#(.*)$/.exec(written);
    const entry = /^([a-zA-Z][\w-]*):\s*(.*?)\s*$/.exec(written);
    const into = sections.at(-1)?.entries ?? entries;
    if (section) sections.push({ name: section[1] ?? '', line, entries: [] });
    else if (comment) {
      // A note of vzdump is not part of the description.
      const isNote = comment[1]?.startsWith('qmdump#') === true;
      if (isNote) entries.push({ key: '#qmdump', value: comment[1] ?? '', line });
      else if (sections.length === 0) comments.push({ line, text: comment[1] ?? '' });
    } else if (entry) into.push({ key: entry[1] ?? '', value: entry[2] ?? '', line });
    else if (written.trim() !== '') bad.push({ line, text: written });
  }
  return {
    entries,
    sections,
    bad,
    description: comments.map(({ line, text: written }) => ({ line, text: decodePercent(written).trim() })),
  };
}

/** Text with %XX of UTF-8 bytes; what is not valid stays as it is. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The words of a value such as `virtio=AA:BB:…,bridge=vmbr0,firewall=1`; the first may have no name. */
export function parseProperties(value: string, defaultName: string): [name: string, value: string][] {
  return value
    .split(',')
    .filter((word) => word !== '')
    .map((word) => {
      const at = word.indexOf('=');
      return at < 0 ? [defaultName, word] : [word.slice(0, at), word.slice(at + 1)];
    });
}
