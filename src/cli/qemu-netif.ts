import { runHook } from './netif/hook.ts';

/**
 * `qemu-netif`. As `qemu-brup TAP` and `qemu-brdown TAP`, and as `qemu-netif up|down TAP`, it works without the
 * argument parser: QEMU waits for it at each start.
 *
 * @param argv arguments after the program's name.
 * @returns the exit status.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const status = runHook(process.argv[1] ?? '', argv, process.env);
  if (status !== undefined) return status;
  const { runCommand } = await import('./netif/command.ts');
  return await runCommand(argv);
}
