// SPDX-License-Identifier: MIT
// Of the page that answers a link on another site: from here the browser sends the session's cookie. A redirection would
// still come from the other site, and what a page without a script can do loses what stands behind '#'.
location.replace(document.currentScript.dataset.to + location.hash);
