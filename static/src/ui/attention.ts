// SPDX-License-Identifier: MIT
// Title and icon of the tab: how many errors nobody has seen yet.

export class Attention {
  private shown = '';
  /** The icon of the page as it came. */
  private plain = '';

  show(unseenErrors: number, connected: boolean): void {
    const state = `${unseenErrors} ${connected}`;
    if (state === this.shown) return;
    this.shown = state;
    document.title = `${unseenErrors > 0 ? `(${unseenErrors > 999 ? '999+' : unseenErrors}) ` : ''}Live logs${connected ? '' : ' – not connected'}`;
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (!link) return;
    this.plain ||= link.href;
    link.href = unseenErrors > 0 ? icon(unseenErrors) : this.plain;
  }
}

function icon(unseenErrors: number): string {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 32;
  const c = canvas.getContext('2d');
  if (!c) return '';
  c.fillStyle = '#131a22';
  c.beginPath();
  c.roundRect(0, 0, 32, 32, 7);
  c.fill();
  c.strokeStyle = '#5cc8b4';
  c.lineWidth = 3;
  c.lineCap = 'round';
  for (const [y, to] of [[10, 25], [16, 18], [22, 22]] as const) {
    c.beginPath();
    c.moveTo(7, y);
    c.lineTo(to, y);
    c.stroke();
  }
  c.fillStyle = '#f0564f';
  c.beginPath();
  c.arc(23, 9, 9, 0, Math.PI * 2);
  c.fill();
  c.fillStyle = '#fff';
  c.font = 'bold 13px sans-serif';
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.fillText(unseenErrors > 9 ? '!' : String(unseenErrors), 23, 10);
  return canvas.toDataURL('image/png');
}
