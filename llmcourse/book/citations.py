"""The look of the list of references: by author, titles written as their authors wrote them."""

from typing import Any

from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.template import field, sentence


class CourseStyle(PlainStyle):
    """Pybtex's plain style, which would write "bert" for BERT, with titles left alone."""

    def format_title(self, entry: Any, which_field: str, as_sentence: bool = True) -> Any:
        """The title without any change of case."""
        title = field(which_field)
        return sentence[title] if as_sentence else title


def setup() -> None:
    """Make the style known under the name that `_config.yml` gives."""
    register_plugin("pybtex.style.formatting", "course", CourseStyle)
