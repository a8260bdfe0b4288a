// JupyterLite's own links go to an app that is not part of this site: a lesson opens in the page of its language, another
// file of the course in the editor, and the logo leads to the first page, as does a link to the course's README. Without a
// path, the first lesson opens.
(() => {
  const root = new URL(`${document.getElementById("jupyter-config-data").dataset.jupyterLiteRoot}/`, location.href).href;
  const page = path => {
    const app = !path.endsWith(".ipynb") ? "edit/" : path.startsWith("zh/") ? "zh/notebooks/" : "notebooks/";
    return `${root}${app}index.html?path=${path}`;
  };
  if (!new URLSearchParams(location.search).has("path")) location.replace(page("FIRST"));
  document.addEventListener("click", event => {
    const link = event.target.closest && event.target.closest("a[href]");
    const path = link && link.href.startsWith(root) ? link.href.slice(root.length).split(/[?#]/)[0] : "";
    if (path !== "tree" && !path.startsWith("files/")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const isFirst = path === "tree" || path === "files/README.md" || path === "files/zh/README.md";
    location.href = isFirst ? new URL("..", location.href).href : page(path.slice("files/".length));
  }, true);
})();
