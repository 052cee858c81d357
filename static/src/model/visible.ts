// SPDX-License-Identifier: MIT
// Text of records made harmless for display.

const steering =
  '\\p{Cc}\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}';
const suspicious = new RegExp(`[\\p{Cs}${steering}]`, 'u');
const toReplace = new RegExp(`[\\p{Cs}${steering}]`, 'gu');

/**
 * Control characters become their symbols; characters that steer the writing direction or hide, and halves of surrogate
 * pairs, are spelled out. So a record cannot change how the text around it looks. Line feeds and tabs stay if `lines` is set.
 */
export function visible(text: string, lines = false): string {
  if (!suspicious.test(text)) {
    return text;
  }
  return text.replace(toReplace, (c) => {
    const code = c.codePointAt(0) as number;
    if (code < 0x20) {
      return lines && (c === '\n' || c === '\t') ? c : String.fromCharCode(0x2400 + code);
    }
    if (code === 0x7f) {
      return '\u2421';
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      return '\ufffd';
    }
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9`;
  });
}
