/**
 * The document for xterm.js, which writes styles into the page. The policy of the page refuses those; what goes through
 * the object model of CSS it does not.
 */
export function strictDocument() {
  const make = Document.prototype.createElement.bind(document);
  const sheets = [];
  const createElement = (name, ...rest) => {
    // An element of styles would be refused even when it is empty.
    if (name === 'style') return adopted(make('template'));
    const element = make(name, ...rest);
    element.setAttribute = (key, value) => {
      if (key === 'style') element.style.cssText = value;
      else HTMLElement.prototype.setAttribute.call(element, key, value);
    };
    return element;
  };
  return {
    document: new Proxy(document, {
      get(target, key) {
        if (key === 'createElement') return createElement;
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
    /** Opens a terminal: parts of it use the document itself (xterm.js 6.0, whatever documentOverride is). */
    during(open) {
      document.createElement = createElement;
      try {
        open();
      } finally {
        delete document.createElement;
      }
    },
    /** Takes its styles away. */
    dispose() {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => !sheets.includes(each));
    },
  };

  /** In place of an element of styles: its text is a sheet of the document. */
  function adopted(element) {
    const sheet = new CSSStyleSheet();
    sheets.push(sheet);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    let text = '';
    Object.defineProperty(element, 'textContent', {
      get: () => text,
      set(value) {
        text = value;
        sheet.replaceSync(value);
      },
    });
    return element;
  }
}
