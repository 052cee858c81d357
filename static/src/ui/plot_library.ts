// SPDX-License-Identifier: MIT
// A file of its own, plots.js, fetched after the first rows: setting uPlot up takes a new tab about as long as drawing them.

export { default } from 'uplot';
