"""The documentation site: `make docs` builds it into docs/_build/html, offline."""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

import cisgrammar  # noqa: E402

project = "cisgrammar"
author = "The cisgrammar developers"
project_copyright = "The cisgrammar developers"
version = release = cisgrammar.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "requirements.lock"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "force"  # nothing that was computed before is shown
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
html_theme = "sphinx_book_theme"
html_title = "cisgrammar"
html_theme_options = {"show_toc_level": 2, "home_page_in_toc": True}
html_copy_source = False
html_last_updated_fmt = None

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say what a value is, with shape and unit
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True

# pages of the repository's root that the site includes, by where they stand here
PAGES = {
    "README.md": "index.md",
    "config/README.md": "config.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"\[([^][]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def _as_seen_from(page: Path, text: str) -> str:
    """Point links of a page to pages of the site; a file that is none is named, not linked."""
    here = {(ROOT / path).resolve(): target for path, target in PAGES.items()}

    def place(match: re.Match[str]) -> str:
        words, path, anchor = match[1], match[2], match[3] or ""
        target = (page.parent / path).resolve()
        if target.is_dir() and (target / "demo.md").exists():
            target /= "demo.md"
        if target in here:
            return f"[{words}](/{here[target]}{anchor})"
        if target.is_relative_to(ROOT / "docs") or not target.exists():  # if dead, the build tells
            return f"[{words}](/{os.path.relpath(target, ROOT / 'docs')}{anchor})"
        return words

    return _LINK.sub(place, text)


def setup(app):  # noqa: D103
    def read(app, name, source):
        included = next((page for page, at in PAGES.items() if at == f"{name}.md"), None)
        page = ROOT / (included or f"docs/{name}.md")
        text = page.read_text(encoding="utf-8") if included else source[0]
        extra = source[0] if included else ""
        if page.suffix == ".md":
            source[0] = _as_seen_from(page, text) + "\n" + extra

    app.connect("source-read", read)
