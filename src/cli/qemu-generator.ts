import { generateUnits } from '../fleet/service/units/generate.ts';
import { resolvePaths } from '../system/paths.ts';

/**
 * The generator that systemd calls at boot and at each daemon-reload, with three folders to write to
 * (systemd.generator(7)); with `--user` after them for the service manager of a user. Returns the exit status.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [normalDir] = argv;
  if (normalDir === undefined) {
    process.stderr.write('qemu-generator: to be called by systemd, with a folder to write to\n');
    return 2;
  }
  try {
    const isUser = argv.includes('--user');
    const paths = resolvePaths({ system: !isUser, user: isUser }, process.env, process.getuid?.() ?? 0, '/');
    for (const problem of generateUnits(paths, normalDir).problems)
      process.stderr.write(`qemu-generator: ${problem}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`qemu-generator: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}
