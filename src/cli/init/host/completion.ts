import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../run/context.ts';
import { PACKAGE } from '../../run/package-folder.ts';

/** The files of each shell's completions. */
const FILES = {
  bash: ['qemu-init.bash'],
  zsh: ['_qemu-init'],
  fish: ['qemu-init.fish', 'qemu-cmd.fish', 'qemu-mon.fish', 'qemu-netif.fish'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Prints the completions, for a host without `install`. */
export async function run(context: Context, args: { readonly shell: keyof typeof FILES }): Promise<number> {
  for (const file of FILES[args.shell]) {
    const text = readFileSync(join(PACKAGE, 'etc/completions', file), 'utf8');
    // The file that the others for fish read is in the same output.
    context.output.raw(text.replace(/^source \(status dirname\).*\n/m, ''));
  }
  return 0;
}
