// SPDX-License-Identifier: MIT
// Runs before everything else of the page: asks for the first records while the rest is fetched and compiled.

import { firstReplay, narrows, openEarly, type Holder } from '../model/early_stream.js';

if (!narrows(location.hash)) openEarly(window as Holder, `logs/stream?${firstReplay}`, (address) => new EventSource(address) as never);
