// SPDX-License-Identifier: MIT
// Small drawings for buttons, 16 by 16, in the colour of the text.

const paths = {
  follow: 'M8 2v10M4 8.5 8 12.5l4-4M3 14.5h10',
  pause: 'M5.5 3v10M10.5 3v10',
  clear: 'M3.2 8a4.8 4.8 0 1 0 9.6 0 4.8 4.8 0 1 0-9.6 0M4.7 11.3l6.6-6.6',
  facets: 'M2 3.5h12M4.5 8h7M6.5 12.5h3',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  help: 'M5.7 6a2.4 2.4 0 1 1 3.2 2.3c-.6.3-.9.8-.9 1.6M8 12.2v.1',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 1 0 0-9M10.3 10.3l3.7 3.7',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  link: 'M6.7 9.3l2.6-2.6M7.3 4.9l1.6-1.6a2.7 2.7 0 0 1 3.8 3.8l-1.6 1.6M8.7 11.1l-1.6 1.6a2.7 2.7 0 0 1-3.8-3.8l1.6-1.6',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  pin: 'M5.5 2.5h5M6.5 2.5v4l-2 2.5h7l-2-2.5v-4M8 9v5',
  context: 'M3 3.5h10M3 12.5h10M2 8h12M11.5 6l2 2-2 2',
  download: 'M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon-drawing" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5"
      stroke-linecap="round" stroke-linejoin="round">
      <path d={paths[name]} />
    </svg>
  );
}
