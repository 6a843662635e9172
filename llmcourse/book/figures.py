"""Figures that a blind reader, a dark page and a phone can all use."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
# "dark-light" tells the theme that we see to dark pages ourselves; its own classes would hide the caption
LIGHT_CLASSES = ["llmc-light", "dark-light"]
DARK_CLASSES = ["llmc-dark", "dark-light"]


def for_dark_pages(svg: str, partners: Mapping[str, str]) -> str:
    """The drawing with each colour that has a partner in `partners` replaced by it; other colours stay."""
    return COLOUR.sub(lambda match: partners.get(match.group().lower(), match.group()), svg)


class AccessibleFigures(SphinxTransform):
    """Ask every image for alternative text, and give every drawing a twin for dark pages."""

    # before 880, where Sphinx collects the files
    default_priority = 870

    def apply(self, **kwargs: object) -> None:
        """Check and double the images of one page."""
        for image in list(self.document.findall(nodes.image)):
            if not str(image.get("alt", "")).strip():
                where = f"{self.env.docname}: image {Path(image['uri']).name}"
                logger.warning("%s has no alt text: say what it shows.", where, location=image, type="llmcourse")
            self._add_dark_twin(image)

    def _add_dark_twin(self, image: nodes.image) -> None:
        uri = str(image["uri"])
        if not uri.endswith(".svg") or "://" in uri or "llmc-dark" in image["classes"]:
            return
        relative, absolute = self.env.relfn2path(uri, self.env.docname)
        drawing = Path(absolute)
        if not drawing.exists():
            return  # Sphinx itself warns of a missing image
        svg = drawing.read_text(encoding="utf-8")
        dark = for_dark_pages(svg, self.config.llmcourse_dark_colours)
        self.env.note_dependency(relative)
        if dark == svg:
            image["classes"] += ["dark-light"]
            return
        folder = Path(self.config.llmcourse_build_folder) / "dark"
        folder.mkdir(parents=True, exist_ok=True)
        twin_file = folder / f"{drawing.stem}-dark.svg"
        twin_file.write_text(dark, encoding="utf-8")
        twin = image.deepcopy()
        twin["uri"] = "/" + _relative(twin_file, Path(self.env.srcdir))
        # a target or a label must point to one image only
        twin["ids"], twin["names"] = [], []
        twin["classes"] = [*image["classes"], *DARK_CLASSES]
        image["classes"] += LIGHT_CLASSES
        image.parent.insert(image.parent.index(image) + 1, twin)


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()
