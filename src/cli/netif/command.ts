export async function runCommand(_argv: readonly string[]): Promise<number> {
  return 2;
}
