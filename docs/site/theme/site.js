/* What the theme leaves out for those who do not use a mouse or do not see the page. */
function reachable() {
  for (const each of document.querySelectorAll("pre > code, .md-typeset__scrollwrap, .md-typeset__table")) {
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0; // what can be scrolled is reached by keyboard
    else each.removeAttribute("tabindex");
  }
  for (const each of document.querySelectorAll(".md-code__nav")) each.setAttribute("role", "none"); // no landmark
}
new MutationObserver(reachable).observe(document.documentElement, { childList: true, subtree: true });
addEventListener("resize", reachable);
