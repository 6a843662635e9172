"""The first page's cards, one for each chapter that the table of contents holds."""

import re

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from llmcourse.book.numbering import chapter_number

TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


class ChapterCards(SphinxDirective):
    """Cards that lead to the chapters; the text is a mapping from a chapter's file name to its question."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Parse the cards as if they had been written out."""
        questions = yaml.safe_load("\n".join(self.content)) or {}
        chapters = [
            name for name in self.config.include_patterns if chapter_number(name.removesuffix(".md")) is not None
        ]
        lines = ["::::{grid} 1 2 2 2", ":gutter: 3", ""]
        for file in chapters:
            name = file.removesuffix(".md").rpartition("/")[2]
            if name not in questions:
                raise self.error(f"the first page has no question for {name}.")
            path = self.env.srcdir / file
            self.env.note_dependency(file)
            title = TITLE.search(path.read_text(encoding="utf-8"))
            lines += [f":::{{grid-item-card}} {title.group(1) if title else name}"]
            lines += [f":link: /{file.removesuffix('.md')}", ":link-type: doc", "", questions[name], ":::", ""]
        lines.append("::::")
        if not chapters:
            return []
        holder = nodes.container()
        source, line = self.get_source_info()
        self.state.nested_parse(StringList(lines, source=f"{source}:{line}"), self.content_offset, holder)
        return list(holder.children)
