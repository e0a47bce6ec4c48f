import { draw } from './dom.js';

/** Lines with areas below them; values are drawn from the right. */
export class Plot {
  #paths;
  #points;

  /**
   * @param points number of values that fill the width.
   * @param label what the plot is of, for those who cannot see it.
   * @param lines how many there are.
   */
  constructor(className, points, label, lines = 1) {
    this.#points = points;
    this.#paths = Array.from({ length: lines }, (_, at) => ({
      line: draw('path', { class: `line n${at}` }),
      area: draw('path', { class: `area n${at}` }),
    }));
    this.element = draw(
      'svg',
      { class: className, viewBox: '0 0 100 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      ...this.#paths.flatMap(({ area, line }) => [area, line]),
    );
  }

  /**
   * @param series values of each line.
   * @param top value at the upper edge; the largest value when that is higher.
   * @returns the value at the upper edge.
   */
  draw(series, top) {
    const shown = series.map((values) => values.slice(-this.#points));
    const most = Math.max(top, ...shown.flat(), 1e-9);
    for (const [at, { line, area }] of this.#paths.entries()) {
      const values = shown[at] ?? [];
      const path = values.length < 2 ? '' : this.#pathOf(values, most);
      line.setAttribute('d', path);
      area.setAttribute('d', path && `${path}L100,100L${this.#firstOf(values).toFixed(2)},100Z`);
    }
    return most;
  }

  #firstOf(values) {
    return 100 - ((values.length - 1) * 100) / (this.#points - 1);
  }

  #pathOf(values, most) {
    const step = 100 / (this.#points - 1);
    const first = this.#firstOf(values);
    return `M${values.map((value, at) => `${(first + at * step).toFixed(2)},${(99 - (97 * value) / most).toFixed(2)}`).join('L')}`;
  }
}
