/** Where the characters of a layout are. */
export interface Layout {
  /** Characters of the keys of {@link ROWS}: alone, with Shift, with AltGr. A blank: none that is used here. */
  readonly plain: readonly string[];
  readonly shift: readonly string[];
  readonly altGr: readonly string[];
  /** Keys that wait for the next one, by the combining character that they add. */
  readonly dead: Readonly<Record<string, readonly string[]>>;
}

/** Names of the keys, row by row, from left to right. `less` is the key next to the left Shift. */
export const ROWS: readonly (readonly string[])[] = [
  'grave_accent 1 2 3 4 5 6 7 8 9 0 minus equal'.split(' '),
  'q w e r t y u i o p bracket_left bracket_right'.split(' '),
  'a s d f g h j k l semicolon apostrophe backslash'.split(' '),
  'less z x c v b n m comma dot slash'.split(' '),
];

const NONE: readonly string[] = [];

const US: Layout = {
  plain: ['`1234567890-=', 'qwertyuiop[]', "asdfghjkl;'\\", ' zxcvbnm,./'],
  shift: ['~!@#$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:"|', ' ZXCVBNM<>?'],
  altGr: NONE,
  dead: {},
};

const GB: Layout = {
  plain: ['`1234567890-=', 'qwertyuiop[]', "asdfghjkl;'#", '\\zxcvbnm,./'],
  shift: ['¬!"£$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:@~', '|ZXCVBNM<>?'],
  altGr: ['¦   €        '],
  dead: {},
};

const DE: Layout = {
  plain: [' 1234567890ß ', 'qwertzuiopü+', 'asdfghjklöä#', '<yxcvbnm,.-'],
  shift: ['°!"§$%&/()=? ', 'QWERTZUIOPÜ*', "ASDFGHJKLÖÄ'", '>YXCVBNM;:_'],
  altGr: ['  ²³   {[]}\\ ', '@ €        ~', '            ', '|      µ   '],
  dead: { '\u0302': ['grave_accent'], '\u0301': ['equal'], '\u0300': ['shift', 'equal'] },
};

const FR: Layout = {
  plain: ['²&é"\'(-è_çà)=', 'azertyuiop $', 'qsdfghjklmù*', '<wxcvbn,;:!'],
  shift: [' 1234567890°+', 'AZERTYUIOP £', 'QSDFGHJKLM%µ', '>WXCVBN?./§'],
  altGr: ['  ~#{[|`\\^@]}', '  €        ¤'],
  dead: { '\u0302': ['bracket_left'], '\u0308': ['shift', 'bracket_left'] },
};

/**
 * The layouts by the names that KEYMAP has for them, as the X Keyboard Extension (`us`, `gb`, `de`, `fr`), Linux's console
 * and Windows have them.
 */
export const LAYOUTS: Readonly<Record<string, Layout>> = { 'en-us': US, 'en-gb': GB, de: DE, fr: FR };

/** The layout where KEYMAP is not set. */
export const DEFAULT_LAYOUT = 'en-us';
