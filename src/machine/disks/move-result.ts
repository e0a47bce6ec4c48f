/** What became of a disk that goes on in another image. */
export interface MoveResult {
  readonly key: string;
  /** The image that it was in. */
  readonly from: string;
  /** The image that it is in now; the same as before when there was nothing to do. */
  readonly to: string;
  readonly format: string;
  /** Images that were removed, since all that was in them is in the new one. */
  readonly removed: readonly string[];
  readonly seconds: number;
}
