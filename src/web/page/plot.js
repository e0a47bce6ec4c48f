const SVG = 'http://www.w3.org/2000/svg';

/** A line with an area below it; values are drawn from the right. */
export class Plot {
  #line = document.createElementNS(SVG, 'path');
  #area = document.createElementNS(SVG, 'path');

  /** @param points number of values that fill the width. */
  constructor(className, points, label) {
    this.points = points;
    this.element = document.createElementNS(SVG, 'svg');
    this.element.setAttribute('class', className);
    this.element.setAttribute('viewBox', '0 0 100 100');
    this.element.setAttribute('preserveAspectRatio', 'none');
    this.element.setAttribute('role', 'img');
    this.element.setAttribute('aria-label', label);
    this.#line.setAttribute('class', 'line');
    this.#area.setAttribute('class', 'area');
    this.element.append(this.#area, this.#line);
  }

  /** @param top value at the upper edge; the largest value when that is higher. */
  draw(values, top) {
    const shown = values.slice(-this.points);
    const most = Math.max(top, ...shown, 1e-9);
    const step = 100 / (this.points - 1);
    const first = 100 - (shown.length - 1) * step;
    const place = shown.map(
      (value, at) => `${(first + at * step).toFixed(2)},${(98 - (96 * value) / most).toFixed(2)}`,
    );
    if (place.length < 2) {
      this.#line.setAttribute('d', '');
      this.#area.setAttribute('d', '');
      return;
    }
    const path = `M${place.join('L')}`;
    this.#line.setAttribute('d', path);
    this.#area.setAttribute('d', `${path}L100,100L${first.toFixed(2)},100Z`);
  }
}
