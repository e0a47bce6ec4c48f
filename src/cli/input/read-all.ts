/**
 * All of standard input as text, up to a limit.
 *
 * @param maxBytes what comes after that is not read.
 */
export async function readAll(maxBytes: number, signal?: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of process.stdin.iterator({ destroyOnReturn: true })) {
    if (signal?.aborted) break;
    const bytes = Buffer.from(piece);
    pieces.push(bytes);
    length += bytes.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes).toString();
}
