"""How `make docs` builds a site of these pages: Sphinx with MyST, which reads the same Markdown that hosts of code show."""

project = "Rayline"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Rayline"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

# Headings are led to by the names that hosts of code give them; deeper ones are never cited.
myst_heading_anchors = 4
# Blocks may be in a form that no painter of syntax knows (cron), or shortened by a "…": they are shown plain.
suppress_warnings = ["misc.highlighting_failure"]
